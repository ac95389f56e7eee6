/** What becomes of a transfer's requests: pieces that are stored and paid by now, or reasons why they do not come. */
import { type ErrorCode, isAceError } from '../../shared/errors.ts';
import type { NodeStore } from '../db/node/store.ts';
import type { Permit } from '../limits/download-budget.ts';
import { type ArrivedFrom, ProviderRefusal } from '../pieces/fetching.ts';
import type { Flight, Flights } from './flights.ts';
import type { Holdings } from './holdings.ts';
import type { Member, TransferProviders } from './providers.ts';
import type { PieceStream } from './stream-pool.ts';
import type { TransferStatus } from './transfer-status.ts';
import type { Watched } from './watched.ts';

export interface ArrivalsContext {
  readonly contentId: string;
  readonly store: NodeStore;
  readonly holdings: Holdings;
  readonly providers: TransferProviders;
  readonly flights: Flights;
  readonly watched: Watched;
  readonly status: TransferStatus;
  readonly onChange: () => void;
  /** The first of the content is here, or all of it. */
  readonly onServable: () => void;
}

/** Refusals after which the provider's channel may well be in order. */
const HARMLESS: ReadonlySet<ErrorCode> = new Set([
  'ContentUnknown',
  'FileUnreadable',
  'ContentChanged',
  'FileMissing',
  'ProviderBusy',
  'ProviderStopped',
  'PrepaymentDue',
  'LoanRefused',
  'AccessNeeded',
  'AccessInvalid',
  'AccessExpired',
]);

export class Arrivals {
  /** Who sent the last piece. */
  last: Member | null = null;
  readonly #context: ArrivalsContext;

  constructor(context: ArrivalsContext) {
    this.#context = context;
  }

  /** Resolves when the piece is taken in, or its failure is noted. */
  async land(
    flight: Flight,
    stream: PieceStream,
    permit: Permit,
    arriving: Promise<ArrivedFrom>,
  ): Promise<void> {
    try {
      const piece = await arriving;
      permit.done(piece.bytes);
      this.#onArrived(flight, piece);
    } catch (error) {
      permit.done(0);
      await this.#onFailed(flight, stream, error);
    }
  }

  /** Takes up the pieces that were stored without a notice to the transfer. */
  takeOver(): void {
    const { contentId, store, holdings } = this.#context;
    for (const pieceIndex of store.contents.pieces.of(contentId)) {
      if (!holdings.has(pieceIndex)) this.#onPiece(pieceIndex, 0, 0);
    }
  }

  #onArrived({ pieceIndex, video, member }: Flight, piece: ArrivedFrom): void {
    const { contentId, store, providers, watched, holdings, flights } = this.#context;
    providers.delivered(member, piece.bytes, piece.paidUnits);
    this.last = member;
    if (!store.contents.pieces.has(contentId, pieceIndex)) {
      // Taken off the disk as soon as it was there: it is as missing as before.
      holdings.came(piece.bytes, piece.paidUnits);
      return;
    }
    if (!holdings.has(pieceIndex)) watched.arrived(pieceIndex, video, member.pooled.watch);
    if (this.#onPiece(pieceIndex, piece.bytes, piece.paidUnits)) flights.arrived(pieceIndex);
  }

  /** `false` when it was here before. */
  #onPiece(pieceIndex: number, bytes: number, paidUnits: number): boolean {
    const { holdings, status, onServable, onChange } = this.#context;
    if (!holdings.add(pieceIndex, bytes, paidUnits)) return false;
    if (holdings.complete) status.set('done', null);
    if (holdings.complete || holdings.size === 1) onServable();
    onChange();
    return true;
  }

  async #onFailed({ member }: Flight, stream: PieceStream, error: unknown): Promise<void> {
    const { providers, status } = this.#context;
    if (isAceError(error, 'Withdrawn')) return;
    if (stream.failed) {
      if (member.stream === stream) providers.failed(member, stream.failure);
      // What the stream still booked need not be fetched, nor paid, again.
      await stream.settled();
      this.takeOver();
      return;
    }
    if (member.stream !== stream) return;
    if (error instanceof ProviderRefusal) {
      if (error.code === 'PieceUnknown') return;
      providers.failed(member, error);
      if (!HARMLESS.has(error.code)) stream.abort(error);
      return;
    }
    status.unpayable(member, error);
  }
}
