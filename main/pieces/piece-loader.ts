/**
 * Reads the pieces that one stream serves from the disk and checks them, a few ahead of the sender.
 *
 * Buffers are used again, because megabytes of garbage a second cost more than the reads. When a piece has left this
 * process only its viewer knows, and shows it by paying: a viewer that pays early spoils what is sent to itself. An
 * honest viewer's payments run ahead of what it got by at most a unit that it wrote off and the rounding of another, so
 * a buffer waits for that much more. Whatever is not paid for in time is left to the garbage collector.
 */
import { PIECE_BYTES, pieceLength } from '../../shared/economy/units.ts';
import type { PieceStore } from '../content/piece-store.ts';
import type { TransportFile } from '../content/transport-file.ts';
import { type VerifiedPiece, verifiedPiece } from '../content/verified-pieces.ts';

export interface PieceAddress {
  readonly contentId: string;
  readonly pieceIndex: number;
}

export type LoadedPiece = VerifiedPiece;

/** How far payments may run ahead of what arrived. */
const AHEAD_BYTES = 2 * PIECE_BYTES;
/** Sent buffers that wait for their payment: more than a window and what may run ahead. */
const MAX_WAITING = 16;

interface Unpaid {
  readonly piece: LoadedPiece;
  /** The channel's served bytes once this piece was booked. */
  readonly servedBytes: number;
}

export class PieceLoader {
  readonly #pieces: PieceStore;
  /** By the request itself: the viewer chooses its id, and may choose the same one for another piece. */
  readonly #ahead = new Map<PieceAddress, Promise<LoadedPiece | null>>();
  readonly #unpaid: Unpaid[] = [];
  readonly #spare: Uint8Array[] = [];

  constructor(pieces: PieceStore) {
    this.#pieces = pieces;
  }

  /** Starts to read, if that has not begun. The caller bounds how many. */
  readAhead(request: PieceAddress, file: TransportFile): void {
    if (this.#ahead.has(request)) return;
    const reading = this.#load(request, file);
    reading.catch(() => undefined); // its reader gets the error
    this.#ahead.set(request, reading);
  }

  /**
   * A piece as it lies on the disk, `null` when it is not there or not what it should be.
   * @throws AceError `FileUnreadable` when the disk cannot be read
   */
  take(request: PieceAddress, file: TransportFile): Promise<LoadedPiece | null> {
    const reading = this.#ahead.get(request) ?? this.#load(request, file);
    this.#ahead.delete(request);
    return reading;
  }

  /** The request will not be served. */
  forget(request: PieceAddress): void {
    this.#ahead.delete(request);
  }

  /** The piece goes out; with its payment the channel will have paid for `servedBytes`. */
  sending(piece: LoadedPiece, servedBytes: number): void {
    // A short piece has a buffer of its own size, which is no use for another.
    if (piece.bytes.byteLength < PIECE_BYTES) return;
    this.#unpaid.push({ piece, servedBytes });
    if (this.#unpaid.length > MAX_WAITING) this.#unpaid.shift();
  }

  /** What the viewer paid for it has received: those buffers are free. */
  paid(paidBytes: number): void {
    for (let first = this.#unpaid[0]; first && first.servedBytes + AHEAD_BYTES <= paidBytes; ) {
      this.#spare.push(first.piece.bytes);
      this.#unpaid.shift();
      first = this.#unpaid[0];
    }
  }

  /** Another channel counts from zero. */
  forgetSent(): void {
    this.#unpaid.length = 0;
  }

  #load({ contentId, pieceIndex }: PieceAddress, file: TransportFile): Promise<LoadedPiece | null> {
    const lengthBytes = pieceLength(file.sizeBytes, pieceIndex);
    const spare = lengthBytes === PIECE_BYTES ? this.#spare.pop() : undefined;
    return verifiedPiece(this.#pieces, contentId, file, pieceIndex, spare ?? new Uint8Array(lengthBytes));
  }
}
