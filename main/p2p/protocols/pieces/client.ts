/**
 * The viewer's end of a piece-exchange stream: asks for pieces, checks every chunk, stores the piece, pays for it.
 * In this order: all chunks verified → bytes written → piece and payment committed together → tick sent. Requests are
 * pipelined, so nobody waits a round trip for a payment.
 */
import type { Libp2p } from '@libp2p/interface';
import type { Multiaddr } from '@multiformats/multiaddr';
import type { Uint8ArrayList } from 'uint8arraylist';
import { AceError, type ErrorCode } from '../../../../shared/errors.ts';
import { PIECE_BYTES, pieceCount, pieceLength } from '../../../../shared/units.ts';
import type { Counterparty } from '../../../channel/payee.ts';
import type { PayerService, WatchTime } from '../../../channel/payer.ts';
import type { PieceStore } from '../../../content/piece-store.ts';
import type { NodeStore } from '../../../db/node/store.ts';
import type { Log } from '../../../log.ts';
import type { Meter } from '../../meter.ts';
import type { PiecesTimeouts } from './constants.ts';
import {
  type ArrivedFrom,
  type FetchOptions,
  ProviderRefusal,
  type Question,
  unexpected,
  type Waiting,
  withdrawn,
} from './fetching.ts';
import { greet } from './greeting.ts';
import { Interests } from './interests.ts';
import type { Message } from './messages.ts';
import type { CertificateCheck, Peer } from './peer.ts';
import { type BookerSession, PieceBooker, type PieceRequest } from './piece-booker.ts';
import { PieceReceiver } from './piece-receiver.ts';
import { ProgressWatch } from './progress-watch.ts';
import { SessionChannel } from './session-channel.ts';

/** How often silence and due checkpoints are looked after. */
const WATCH_MS = 1_000;

export interface ViewerContext {
  readonly store: NodeStore;
  readonly pieces: PieceStore;
  readonly payer: PayerService;
  readonly meter: Meter;
  readonly certificate: Uint8Array;
  readonly checkCertificate: CertificateCheck;
  /** What checkpoints report of the viewing of what came here. */
  readonly watchTime: WatchTime;
  readonly timeouts: PiecesTimeouts;
  readonly log?: Log;
}

export class ViewerSession {
  readonly provider: Counterparty;
  /** The provider is a device of the same account: nothing is charged. */
  readonly free: boolean;
  readonly #peer: Peer;
  readonly #context: ViewerContext;
  readonly #waiting = new Map<number, Waiting>();
  readonly #interests = new Interests();
  /** Contents whose transport file was asked for, with the id of the piece that was asked for along; 0 is none. */
  readonly #asks = new Map<string, { readonly id: number; readonly question: Question }>();
  readonly #channel: SessionChannel;
  /** Fetches that have not ended, those that wait for room on a channel included. */
  #fetching = 0;
  #nextId = 1;
  /** Stores and pays what is all here, while the next piece's chunks already arrive. */
  readonly #booker: PieceBooker;
  readonly #receiver = new PieceReceiver();
  /** The request that the piece under way answers. */
  #arriving: { readonly id: number; readonly waiting: Waiting } | null = null;
  #failure: unknown = null;
  /** Shortest time from a message to its answer. */
  #roundTripMs: number;
  readonly #ended: Promise<void>;
  readonly #onIdle: (() => void)[] = [];
  readonly #progress: ProgressWatch;
  readonly #watchdog: NodeJS.Timeout;

  private constructor(
    context: ViewerContext,
    peer: Peer,
    provider: Counterparty,
    free: boolean,
    roundTripMs: number,
  ) {
    this.#context = context;
    this.#roundTripMs = roundTripMs;
    this.#peer = peer;
    this.provider = provider;
    this.free = free;
    this.#channel = new SessionChannel(this.#channelSession());
    this.#booker = new PieceBooker(context, this.#bookerSession());
    this.#progress = new ProgressWatch(context.timeouts.dataMs);
    this.#watchdog = setInterval(() => this.#watch(), WATCH_MS);
    this.#ended = this.#run();
  }

  /** @throws AceError `PeerUnreachable`, `InvalidCertificate`, `RequestTimeout`, … */
  static async open(
    host: Libp2p,
    addresses: readonly Multiaddr[],
    context: ViewerContext,
  ): Promise<ViewerSession> {
    const { peer, provider, free, roundTripMs } = await greet(host, addresses, context);
    try {
      const session = new ViewerSession(context, peer, provider, free, roundTripMs);
      for (const { record, signature } of context.payer.unansweredCheckpoints(provider.device)) {
        peer.send({ type: 'checkpoint', record, signature });
      }
      return session;
    } catch (error) {
      peer.abort(error as Error);
      throw error;
    }
  }

  get failed(): boolean {
    return this.#failure !== null;
  }

  /** Why it has ended; `null` while it has not. */
  get failure(): unknown {
    return this.#failure;
  }

  /** Something was asked for here and has not ended. */
  get busy(): boolean {
    return this.#fetching > 0;
  }

  /** How long the provider, which owes something, has said nothing that leads on, in milliseconds; 0 when it owes nothing. */
  get silentMs(): number {
    return this.#waiting.size > 0 ? this.#progress.silentMs : 0;
  }

  /** Has a channel opened before anything is asked for, so that the first request can be paid at once. @throws as `fetch` */
  async prepare(wantedUnits: () => number): Promise<void> {
    if (this.free) return;
    await this.#channel.prepare(wantedUnits);
  }

  /** Asks the provider which pieces of the content it has; `onHave` is called whenever it says so. */
  interest(contentId: string, file: PieceRequest['file'], onHave: () => void): void {
    if (this.#failure || !this.#interests.add(contentId, pieceCount(file.sizeBytes), onHave)) return;
    this.#say({ type: 'interest', contentId });
  }

  /** Whether the provider is worth asking for the piece, as far as it has said. */
  has(contentId: string, pieceIndex: number): boolean {
    return this.#interests.has(contentId, pieceIndex);
  }

  /** Whether the provider has said that it lacks some of the content. */
  isPartial(contentId: string): boolean {
    return this.#interests.isPartial(contentId);
  }

  /**
   * Asks for a piece, once it can be paid; settles when it is stored and paid.
   * @throws AceError `CreditExhausted`, `ChannelUnleased`, `ShardUnavailable` when no channel can be had; `Withdrawn`;
   * the provider's code when it refuses; what ended the session
   */
  async fetch(request: PieceRequest, options: FetchOptions): Promise<ArrivedFrom> {
    const lengthBytes = pieceLength(request.file.sizeBytes, request.pieceIndex);
    this.#fetching += 1;
    try {
      if (this.free) this.#channel.asked(lengthBytes);
      else await this.#channel.room(lengthBytes, options.wantedUnits);
      if (options.signal?.aborted) {
        this.#channel.answered(lengthBytes);
        throw withdrawn();
      }
      return await this.#request(request, lengthBytes, options);
    } finally {
      this.#fetching -= 1;
    }
  }

  /**
   * Asks for a content's transport file and, as far as it can be paid now, for one of its pieces: one round trip for
   * both. The answer is the piece, `null` when it could not be asked for. Once at a time for each content.
   */
  ask(question: Question): Promise<ArrivedFrom> | null {
    const { contentId, pieceIndex, signal } = question;
    if (this.#failure || this.#asks.has(contentId)) {
      question.learned(null);
      return null;
    }
    const id = pieceIndex !== null && this.#reserve() ? this.#nextId++ : 0;
    this.#asks.set(contentId, { id, question });
    const message: Message = { type: 'ask', id, contentId, pieceIndex: pieceIndex ?? 0 };
    if (id === 0) {
      this.#say(message);
      return null;
    }
    this.#fetching += 1;
    return this.#ask(message, null, PIECE_BYTES, signal ? { signal } : {}).finally(() => {
      this.#fetching -= 1;
    });
  }

  /** Room for the largest piece, if there is some at once. */
  #reserve(): boolean {
    if (!this.free) return this.#channel.tryRoom(PIECE_BYTES);
    this.#channel.asked(PIECE_BYTES);
    return true;
  }

  #request(
    request: PieceRequest,
    lengthBytes: number,
    options: Omit<FetchOptions, 'wantedUnits'> = {},
  ): Promise<ArrivedFrom> {
    const { contentId, pieceIndex } = request;
    const message: Message = { type: 'request', id: this.#nextId++, contentId, pieceIndex };
    return this.#ask(message, request, lengthBytes, options);
  }

  #ask(
    message: Extract<Message, { type: 'request' | 'ask' }>,
    request: PieceRequest | null,
    lengthBytes: number,
    { onAsked, signal }: Omit<FetchOptions, 'wantedUnits'>,
  ): Promise<ArrivedFrom> {
    const { id } = message;
    return new Promise((resolve, reject) => {
      if (this.#failure) {
        reject(this.#failure);
        return;
      }
      const askedAtMs = performance.now();
      // Until now the provider owed nothing.
      if (this.#waiting.size === 0) this.#progress.progress();
      this.#waiting.set(id, {
        request,
        lengthBytes,
        askedAtMs,
        beganAtMs: null,
        endedAtMs: null,
        withdrawn: false,
        resolve,
        reject,
      });
      signal?.addEventListener('abort', () => this.#withdraw(id), { once: true });
      this.#say(message);
      onAsked?.();
    });
  }

  /** A piece that has begun to arrive is taken, and paid. */
  #withdraw(id: number): void {
    const waiting = this.#waiting.get(id);
    if (!waiting || waiting.beganAtMs !== null || this.#failure) return;
    waiting.withdrawn = true;
    this.#say({ type: 'withdraw', id });
  }

  #say(message: Message): void {
    try {
      this.#peer.send(message);
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Asks for a piece without a way to pay for it; the provider's code when it refuses, `null` when it sends it. */
  async refusalOf(request: PieceRequest): Promise<string | null> {
    const lengthBytes = pieceLength(request.file.sizeBytes, request.pieceIndex);
    this.#channel.asked(lengthBytes);
    try {
      await this.#request(request, lengthBytes);
      return null;
    } catch (error) {
      if (error instanceof AceError && !this.#failure) return error.code;
      throw error;
    }
  }

  /** Lets what was asked for arrive and be paid, closes the channel with a final checkpoint, ends the stream. */
  async close(): Promise<void> {
    const late = setTimeout(
      () => this.#fail(new AceError('RequestTimeout', 'The provider did not send what was asked for')),
      this.#context.timeouts.dataMs,
    );
    try {
      await this.#channel.settled();
      await this.#idle();
      clearTimeout(late);
      if (!this.#failure) await this.#channel.finish();
    } finally {
      clearTimeout(late);
      clearInterval(this.#watchdog);
      await this.#peer.close();
      // A provider that does not end its side is not waited for.
      const hanging = setTimeout(
        () => this.#peer.abort(new AceError('PeerClosed', 'The provider did not end the stream')),
        this.#context.timeouts.handshakeMs,
      );
      await this.#ended;
      clearTimeout(hanging);
    }
  }

  abort(error: AceError): void {
    this.#fail(error);
  }

  /** Resolves when nothing is being stored or booked any more, also after a failure. */
  async settled(): Promise<void> {
    await this.#booker.idle();
  }

  async #run(): Promise<void> {
    try {
      for (;;) {
        const message = await this.#peer.receive();
        if (!message) throw new AceError('PeerClosed', 'The provider ended the stream');
        this.#onMessage(message);
      }
    } catch (error) {
      this.#fail(error);
    }
  }

  #onMessage(message: Message): void {
    switch (message.type) {
      case 'opened':
        this.#progress.progress();
        if (!this.#channel.onOpened(message)) throw unexpected(message);
        return;
      case 'refused':
        this.#onRefused(message);
        return;
      case 'piece':
        this.#onPiece(message);
        return;
      case 'transport':
        this.#onTransport(message);
        return;
      case 'chunk':
        this.#onChunk(message.data);
        return;
      case 'ack':
        return;
      case 'countersigned':
        this.#context.payer.countersigned(
          this.provider.device,
          message.channelId,
          message.number,
          message.signature,
        );
        this.#channel.onCountersigned();
        return;
      case 'have':
        if (!this.#interests.said(message.contentId, message.bitmap)) throw unexpected(message);
        return;
      default:
        throw unexpected(message);
    }
  }

  #onRefused(message: Extract<Message, { type: 'refused' }>): void {
    this.#progress.progress();
    const { id, code } = message;
    if (id === 0) {
      if (!this.#channel.onRefused(code)) throw unexpected(message);
      return;
    }
    const waiting = this.#waiting.get(id);
    if (!waiting || waiting.beganAtMs !== null) throw unexpected(message);
    this.#settled(id);
    const { request } = waiting;
    if (request && code === 'PieceUnknown') this.#interests.lacks(request.contentId, request.pieceIndex);
    // It will never serve the channel again, whoever closed it there.
    if (code === 'ChannelClosed' || code === 'ChannelExpired') this.#channel.onEnded();
    const error = new ProviderRefusal(code as ErrorCode, `The provider refused: ${code}`);
    waiting.reject(waiting.withdrawn ? withdrawn() : error);
  }

  #onTransport(message: Extract<Message, { type: 'transport' }>): void {
    const ask = this.#asks.get(message.contentId);
    if (!ask) throw unexpected(message);
    this.#asks.delete(message.contentId);
    this.#progress.progress();
    const request = ask.question.learned(message.bytes.byteLength > 0 ? message.bytes : null);
    const waiting = this.#waiting.get(ask.id);
    if (!request || !waiting || request.pieceIndex >= request.file.pieceHashes.length) return;
    waiting.request = request;
    this.#channel.answered(waiting.lengthBytes);
    waiting.lengthBytes = pieceLength(request.file.sizeBytes, request.pieceIndex);
    this.#channel.asked(waiting.lengthBytes);
  }

  #onPiece(message: Extract<Message, { type: 'piece' }>): void {
    const waiting = this.#waiting.get(message.id);
    if (this.#receiver.busy || !waiting || waiting.beganAtMs !== null) throw unexpected(message);
    const { lengthBytes, request } = waiting;
    const hash = request?.file.pieceHashes[request.pieceIndex];
    if (!request || !hash) throw unexpected(message);
    this.#receiver.begin({ pieceIndex: request.pieceIndex, lengthBytes, hash }, message.chunkHashes);
    // It stays in `#waiting` until it is paid, so the id alone does not tell a second answer from the first.
    waiting.beganAtMs = performance.now();
    this.#roundTripMs = Math.min(this.#roundTripMs, waiting.beganAtMs - waiting.askedAtMs);
    this.#progress.pieceBegan();
    this.#arriving = { id: message.id, waiting };
  }

  #onChunk(data: Uint8Array | Uint8ArrayList): void {
    const bytes = this.#receiver.add(data);
    this.#progress.progress();
    if (!bytes || !this.#arriving) return;
    const { id, waiting } = this.#arriving;
    this.#arriving = null;
    waiting.endedAtMs = performance.now();
    this.#progress.pieceEnded();
    if (waiting.request) this.#booker.add({ requestId: id, request: waiting.request, bytes });
  }

  #bookerSession(): BookerSession {
    const session = this;
    return {
      get account() {
        return session.provider.account;
      },
      get channel() {
        return session.#channel.current;
      },
      get failed() {
        return session.failed;
      },
      get arriving() {
        return session.#receiver.busy;
      },
      get roundTripMs() {
        return session.#roundTripMs;
      },
      send: (message) => this.#peer.send(message),
      sayDueCheckpoint: () => this.#channel.sayDueCheckpoint(),
      written: (bytes) => this.#receiver.recycle(bytes),
      booked: (requestId, piece) => {
        const waiting = this.#waiting.get(requestId);
        this.#settled(requestId);
        if (!waiting) return;
        const { askedAtMs, beganAtMs, endedAtMs } = waiting;
        const nowMs = performance.now();
        waiting.resolve({
          ...piece,
          askedAtMs,
          beganAtMs: beganAtMs ?? nowMs,
          endedAtMs: endedAtMs ?? nowMs,
        });
      },
      fail: (error) => this.#fail(error),
    };
  }

  #channelSession() {
    const { payer, watchTime, timeouts, log } = this.#context;
    return {
      provider: this.provider,
      payer,
      watchTime,
      handshakeMs: timeouts.handshakeMs,
      log,
      failure: () => this.#failure,
      fail: (error: unknown) => this.#fail(error),
      send: (message: Message) => this.#peer.send(message),
      idle: () => this.#idle(),
      ended: () => this.#ended,
    };
  }

  /** Resolves when nothing that was asked for is under way any more, however it ended. */
  async #idle(): Promise<void> {
    if (this.#waiting.size > 0) {
      await new Promise<void>((resolve) => {
        this.#onIdle.push(resolve);
      });
    }
    await this.#booker.idle();
  }

  /** Takes a request off the list; its promise is settled by the caller. */
  #settled(id: number): void {
    const waiting = this.#waiting.get(id);
    if (!waiting) return;
    this.#waiting.delete(id);
    this.#channel.answered(waiting.lengthBytes);
    if (this.#waiting.size === 0) for (const resolve of this.#onIdle.splice(0)) resolve();
  }

  /** A checkpoint by time is due also while nothing is fetched. */
  #watch(): void {
    const trouble = this.#progress.trouble(this.#waiting.size > 0 || this.#channel.awaitsAnswer);
    if (trouble) this.#fail(trouble);
    if (this.#failure) return;
    try {
      this.#channel.sayDueCheckpoint();
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Ends the session: everything that waits fails with `error`. The first failure counts. */
  #fail(error: unknown): unknown {
    if (this.#failure) return this.#failure;
    this.#failure = error;
    this.#peer.abort(error instanceof Error ? error : new Error(String(error)));
    clearInterval(this.#watchdog);
    this.#booker.stopWaiting();
    // A piece that is being booked right now still pays on the channel; then the next session may have it.
    void this.#booker.idle().finally(() => this.#channel.release());
    this.#channel.failed(error);
    for (const { question } of this.#asks.values()) question.learned(null);
    this.#asks.clear();
    for (const [id, waiting] of [...this.#waiting]) {
      this.#settled(id);
      waiting.reject(error);
    }
    return error;
  }
}
