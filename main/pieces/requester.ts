/**
 * How a viewer's stream asks: for pieces, once there is room on its channel to pay them, and for contents of which it
 * knows the id alone. What comes back is put together and paid elsewhere.
 */

import { PIECE_BYTES, pieceLength } from '../../shared/economy/units.ts';
import type { ErrorCode } from '../../shared/errors.ts';
import { serializer } from '../util/serialize.ts';
import type { FetchedPiece, PieceRequest } from './fetching.ts';
import {
  type ArrivedFrom,
  type FetchOptions,
  ProviderRefusal,
  type Question,
  unexpected,
  withdrawn,
} from './fetching.ts';
import type { Interests } from './interests.ts';
import type { Message } from './messages.ts';
import { Outstanding, type Waiting } from './outstanding.ts';
import type { ProgressWatch } from './progress-watch.ts';
import type { ViewerChannel } from './viewer-channel.ts';

/** A provider that wants to be paid first is paid first for so long; then it is asked the usual way again. */
const PREPAY_MS = 30_000;

/** The stream around it. */
export interface RequesterStream {
  /** Between devices of one account nothing is charged. */
  readonly free: boolean;
  readonly channel: ViewerChannel;
  readonly interests: Interests;
  readonly progress: ProgressWatch;
  /** Why the stream has ended; `null` while it has not. */
  failure(): unknown;
  /** Sends; when that fails, the stream ends. */
  send(message: Message): void;
}

export class Requester {
  readonly #stream: RequesterStream;
  readonly #outstanding: Outstanding;
  /** Contents whose transport file was asked for, with the id of the piece that was asked for along; 0 is none. */
  readonly #asks = new Map<string, { readonly id: number; readonly question: Question }>();
  /** Runs fetches of pieces that are paid first, one after the other. */
  readonly #onePrepaid = serializer();
  /** Until then the provider is paid first, on a clock that nobody sets. */
  #prepayUntilMs = Number.NEGATIVE_INFINITY;
  /** Fetches that have not ended, those that wait for room on a channel included. */
  #fetching = 0;

  constructor(stream: RequesterStream) {
    this.#stream = stream;
    this.#outstanding = new Outstanding(stream.channel);
  }

  /** Something was asked for and has not ended. */
  get busy(): boolean {
    return this.#fetching > 0;
  }

  /** The provider owes an answer. */
  get owed(): boolean {
    return this.#outstanding.size > 0;
  }

  /** @throws as `ViewerStream.fetch` */
  async fetch(request: PieceRequest, options: FetchOptions): Promise<ArrivedFrom> {
    this.#fetching += 1;
    try {
      if (performance.now() >= this.#prepayUntilMs) {
        try {
          return await this.#request(request, await this.#room(request, options), options);
        } catch (error) {
          if (!isPrepaymentDue(error)) throw error;
          this.#prepayUntilMs = performance.now() + PREPAY_MS;
        }
      }
      // One after the other, so that no more than one unit is ever at stake.
      return await this.#onePrepaid(() => this.#fetchPrepaid(request, options));
    } finally {
      this.#fetching -= 1;
    }
  }

  /** Pays before the piece comes. @throws ProviderRefusal `PrepaymentDue` when no unit may be lost to the provider */
  async #fetchPrepaid(request: PieceRequest, options: FetchOptions): Promise<ArrivedFrom> {
    const { channel } = this.#stream;
    const lengthBytes = await this.#room(request, options);
    let isPaid = false;
    try {
      isPaid = channel.prepay();
    } finally {
      if (!isPaid) channel.answered(lengthBytes);
    }
    if (isPaid) return this.#request(request, lengthBytes, options);
    throw new ProviderRefusal('PrepaymentDue', 'The provider wants to be paid before it serves');
  }

  /** Keeps room for the piece; the answer is how much. */
  async #room(request: PieceRequest, options: FetchOptions): Promise<number> {
    const { channel, free } = this.#stream;
    const lengthBytes = pieceLength(request.file.sizeBytes, request.pieceIndex);
    if (free) channel.asked(lengthBytes);
    else await channel.room(lengthBytes, options.wantedUnits);
    if (!options.signal?.aborted) return lengthBytes;
    channel.answered(lengthBytes);
    throw withdrawn();
  }

  /** See `ViewerStream.ask`. */
  ask(question: Question): Promise<ArrivedFrom> | null {
    const { contentId, pieceIndex, signal } = question;
    if (this.#stream.failure() || this.#asks.has(contentId)) {
      question.learned(null);
      return null;
    }
    const id = pieceIndex !== null && this.#reserve() ? this.#outstanding.nextId() : 0;
    this.#asks.set(contentId, { id, question });
    const message: Message = { type: 'ask', id, contentId, pieceIndex: pieceIndex ?? 0 };
    if (id === 0) {
      this.#stream.send(message);
      return null;
    }
    this.#fetching += 1;
    return this.#ask(message, null, PIECE_BYTES, signal ? { signal } : {}).finally(() => {
      this.#fetching -= 1;
    });
  }

  /** Asks without a way to pay. @throws as `ViewerStream.refusalOf` */
  async unpaid(request: PieceRequest): Promise<void> {
    const lengthBytes = pieceLength(request.file.sizeBytes, request.pieceIndex);
    this.#stream.channel.asked(lengthBytes);
    await this.#request(request, lengthBytes);
  }

  /** Resolves when nothing that was asked for is under way any more, however it ended. */
  idle(): Promise<void> {
    return this.#outstanding.idle();
  }

  /** The request that a piece answers. @throws AceError `MessageUnexpected` when it answers none, or once more */
  answered(id: number): { readonly waiting: Waiting; readonly request: PieceRequest } {
    const waiting = this.#outstanding.notBegun(id);
    if (!waiting?.request) throw unexpected('provider', { type: 'piece' });
    // It stays on the list until it is paid, so the id alone does not distinguish a second answer from the first.
    waiting.beganAtMs = performance.now();
    return { waiting, request: waiting.request };
  }

  /** The piece that was asked for is stored and paid. */
  booked(id: number, piece: FetchedPiece): void {
    this.#outstanding.booked(id, piece);
  }

  /** @throws AceError `MessageUnexpected` */
  onRefused({ id, code, forMs }: Extract<Message, { type: 'refused' }>): void {
    const { interests, channel } = this.#stream;
    const waiting = this.#outstanding.notBegun(id);
    if (!waiting) throw unexpected('provider', { type: 'refused' });
    this.#outstanding.settle(id);
    const { request } = waiting;
    if (request && code === 'PieceUnknown') interests.lacks(request.contentId, request.pieceIndex);
    // It will never serve the channel again, whichever side closed it there.
    if (code === 'ChannelClosed' || code === 'ChannelExpired') channel.onEnded();
    const error = new ProviderRefusal(code as ErrorCode, `The provider refused: ${code}`, {
      details: forMs === undefined ? {} : { forMs },
    });
    waiting.reject(waiting.withdrawn ? withdrawn() : error);
  }

  /** @throws AceError `MessageUnexpected`, what is wrong with the transport file */
  onTransport({ contentId, bytes }: Extract<Message, { type: 'transport' }>): void {
    const ask = this.#asks.get(contentId);
    if (!ask) throw unexpected('provider', { type: 'transport' });
    this.#asks.delete(contentId);
    this.#stream.progress.progress();
    const request = ask.question.learned(bytes.byteLength > 0 ? bytes : null);
    if (request && request.pieceIndex < request.file.pieceHashes.length)
      this.#outstanding.named(ask.id, request);
  }

  /** The stream has ended with `error`: so has everything that waits. */
  failed(error: unknown): void {
    for (const { question } of this.#asks.values()) question.learned(null);
    this.#asks.clear();
    this.#outstanding.failAll(error);
  }

  /** Room for the largest piece, if there is some at once. */
  #reserve(): boolean {
    const { channel, free } = this.#stream;
    if (!free) return channel.tryRoom(PIECE_BYTES);
    channel.asked(PIECE_BYTES);
    return true;
  }

  #request(
    request: PieceRequest,
    lengthBytes: number,
    options: Omit<FetchOptions, 'wantedUnits'> = {},
  ): Promise<ArrivedFrom> {
    const { contentId, pieceIndex } = request;
    const id = this.#outstanding.nextId();
    return this.#ask({ type: 'request', id, contentId, pieceIndex }, request, lengthBytes, options);
  }

  #ask(
    message: Extract<Message, { type: 'request' | 'ask' }>,
    request: PieceRequest | null,
    lengthBytes: number,
    { onAsked, signal }: Omit<FetchOptions, 'wantedUnits'>,
  ): Promise<ArrivedFrom> {
    const { id } = message;
    const { progress } = this.#stream;
    const failure = this.#stream.failure();
    if (failure) return Promise.reject(failure);
    // Until now the provider owed nothing.
    if (!this.owed) progress.progress();
    const arriving = this.#outstanding.add(id, request, lengthBytes);
    signal?.addEventListener('abort', () => this.#withdraw(id), { once: true });
    this.#stream.send(message);
    onAsked?.();
    return arriving;
  }

  /** A piece that has begun to arrive is taken, and paid. */
  #withdraw(id: number): void {
    const waiting = this.#outstanding.notBegun(id);
    if (!waiting || this.#stream.failure()) return;
    waiting.withdrawn = true;
    this.#stream.send({ type: 'withdraw', id });
  }
}

function isPrepaymentDue(error: unknown): boolean {
  return error instanceof ProviderRefusal && error.code === 'PrepaymentDue';
}
