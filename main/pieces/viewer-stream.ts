/**
 * The viewer's end of a piece-exchange stream: asks for pieces, checks every chunk, stores the piece, pays for it.
 * In this order: all chunks verified → bytes written → piece and payment committed together → tick sent. Requests are
 * pipelined, so nobody waits a round trip for a payment.
 */
import type { Libp2p } from '@libp2p/interface';
import type { Multiaddr } from '@multiformats/multiaddr';
import type { Uint8ArrayList } from 'uint8arraylist';
import { pieceCount } from '../../shared/economy/units.ts';
import { AceError } from '../../shared/errors.ts';
import type { SignedAccess } from '../../shared/settlement/access-certificate.ts';
import type { Counterparty } from '../channel/payee.ts';
import type { PayerService, WatchTime } from '../channel/payer.ts';
import type { PieceStore } from '../content/piece-store.ts';
import type { NodeStore } from '../db/node/store.ts';
import type { Meter } from '../p2p/meter.ts';
import type { Log } from '../process/log.ts';
import { MAX_SHOWN, type PiecesTimeouts } from './constants.ts';
import {
  type ArrivedFrom,
  type FetchOptions,
  type PieceRequest,
  type Question,
  unexpected,
} from './fetching.ts';
import { greet } from './greeting.ts';
import { Interests } from './interests.ts';
import type { Message } from './messages.ts';
import type { Waiting } from './outstanding.ts';
import { type BookerStream, PieceBooker } from './piece-booker.ts';
import { PieceReceiver } from './piece-receiver.ts';
import { ProgressWatch } from './progress-watch.ts';
import type { CertificateCheck, Remote } from './remote.ts';
import { Requester } from './requester.ts';
import { type ChannelStream, ViewerChannel } from './viewer-channel.ts';

/** How often silence and due checkpoints are looked after. */
const WATCH_MS = 1_000;
/** After the viewer's end nothing more is expected: a provider has so long to end its side, too. */
const END_MS = 1_000;

/** Certificates of access, by the content that is asked for. */
export interface AccessCertificates {
  /** `null` where nothing is sold, or bought. */
  certificate(contentId: string): SignedAccess | null;
}

export interface ViewerContext {
  readonly store: NodeStore;
  readonly pieces: PieceStore;
  readonly payer: PayerService;
  readonly meter: Meter;
  readonly nowMs: () => number;
  readonly certificate: Uint8Array;
  readonly checkCertificate: CertificateCheck;
  /** What checkpoints report of the viewing of what came here. */
  readonly watchTime: WatchTime;
  /** What this account has bought. */
  readonly access: AccessCertificates;
  readonly timeouts: PiecesTimeouts;
  readonly log?: Log;
}

export class ViewerStream {
  readonly provider: Counterparty;
  /** The provider is a device of the same account: nothing is charged. */
  readonly free: boolean;
  readonly #remote: Remote;
  readonly #context: ViewerContext;
  readonly #interests = new Interests();
  readonly #channel: ViewerChannel;
  readonly #requester: Requester;
  /** Stores and pays what is all here, while the next piece's chunks already arrive. */
  readonly #booker: PieceBooker;
  readonly #receiver = new PieceReceiver();
  /** The request that the piece under way answers. */
  #arriving: { readonly id: number; readonly waiting: Waiting; readonly request: PieceRequest } | null = null;
  #failure: unknown = null;
  /** Shortest time from a message to its answer. */
  #roundTripMs: number;
  readonly #ended: Promise<void>;
  readonly #progress: ProgressWatch;
  /** Certificates that the provider was shown here: what they are worth it knows from now on. */
  readonly #shown = new Set<string>();
  readonly #watchdog: NodeJS.Timeout;

  private constructor(
    context: ViewerContext,
    remote: Remote,
    provider: Counterparty,
    free: boolean,
    roundTripMs: number,
  ) {
    this.#context = context;
    this.#roundTripMs = roundTripMs;
    this.#remote = remote;
    this.provider = provider;
    this.free = free;
    this.#channel = new ViewerChannel(this.#channelStream());
    this.#booker = new PieceBooker(context, this.#bookerStream());
    this.#progress = new ProgressWatch(context.timeouts.dataMs);
    this.#requester = new Requester({
      free,
      channel: this.#channel,
      interests: this.#interests,
      progress: this.#progress,
      failure: () => this.#failure,
      send: (message) => {
        if (message.type === 'request' || message.type === 'ask') this.#showAccess(message.contentId);
        this.#send(message);
      },
    });
    this.#watchdog = setInterval(() => this.#watch(), WATCH_MS);
    this.#ended = this.#run();
  }

  /** As `greet`. */
  static async open(
    host: Libp2p,
    addresses: readonly Multiaddr[],
    context: ViewerContext,
    until: AbortSignal,
  ): Promise<ViewerStream> {
    const { remote, provider, free, roundTripMs } = await greet(host, addresses, context, until);
    try {
      const stream = new ViewerStream(context, remote, provider, free, roundTripMs);
      for (const { record, signature } of context.payer.unansweredCheckpoints(provider.device)) {
        remote.send({ type: 'checkpoint', record, signature });
      }
      return stream;
    } catch (error) {
      remote.abort(error as Error);
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
    return this.#requester.busy;
  }

  /** How long the provider, which owes something, has made no progress, in milliseconds; 0 when it owes nothing. */
  get silentMs(): number {
    return this.#requester.owed ? this.#progress.silentMs : 0;
  }

  /** Has a channel opened before anything is asked for, so that the first request can be paid at once. @throws as `fetch` */
  async prepare(wantedUnits: () => number): Promise<void> {
    if (this.free) return;
    await this.#channel.prepare(wantedUnits);
  }

  /** Asks the provider which pieces of the content it has; `onHave` is called with each answer. */
  interest(contentId: string, file: PieceRequest['file'], onHave: () => void): void {
    if (this.#failure || !this.#interests.add(contentId, pieceCount(file.sizeBytes), onHave)) return;
    this.#send({ type: 'interest', contentId });
  }

  /** Whether the provider is worth asking for the piece, as far as it has answered. */
  has(contentId: string, pieceIndex: number): boolean {
    return this.#interests.has(contentId, pieceIndex);
  }

  /** Whether the provider has reported that it lacks some of the content. */
  isPartial(contentId: string): boolean {
    return this.#interests.isPartial(contentId);
  }

  /**
   * Asks for a piece, once it can be paid; settles when it is stored and paid.
   * @throws AceError `CreditExhausted`, `ChannelUnleased`, `ShardUnavailable` when no channel can be had; `Withdrawn`;
   * the provider's code when it refuses; what ended the stream
   */
  fetch(request: PieceRequest, options: FetchOptions): Promise<ArrivedFrom> {
    return this.#requester.fetch(request, options);
  }

  /**
   * Asks for a content's transport file and, as far as it can be paid now, for one of its pieces: one round trip for
   * both. The answer is the piece, `null` when it could not be asked for. Once at a time for each content.
   */
  ask(question: Question): Promise<ArrivedFrom> | null {
    return this.#requester.ask(question);
  }

  /** Before the first request of what was bought. */
  #showAccess(contentId: string): void {
    const signed = this.#context.access.certificate(contentId);
    if (!signed) return;
    const id = Buffer.from(signed.signature).toString('base64');
    if (this.#shown.has(id)) return;
    // A provider keeps the newest only; what it has forgotten is shown once more.
    if (this.#shown.size >= MAX_SHOWN) this.#shown.clear();
    this.#shown.add(id);
    this.#send({ type: 'access', record: signed.record, signature: signed.signature });
  }

  #send(message: Message): void {
    try {
      this.#remote.send(message);
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Asks for a piece without a way to pay for it; the provider's code when it refuses, `null` when it sends it. */
  async refusalOf(request: PieceRequest): Promise<string | null> {
    try {
      await this.#requester.unpaid(request);
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
      await this.#remote.close();
      // A provider that does not end its side is not waited for.
      const hanging = setTimeout(
        () => this.#remote.abort(new AceError('PeerClosed', 'The provider did not end the stream')),
        END_MS,
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
        const message = await this.#remote.receive();
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
        if (!this.#channel.onOpened(message)) throw unexpected('provider', message);
        return;
      case 'refused':
        this.#onRefused(message);
        return;
      case 'piece':
        this.#onPiece(message);
        return;
      case 'transport':
        this.#requester.onTransport(message);
        return;
      case 'chunk':
        this.#onChunk(message.data);
        return;
      case 'countersigned':
        this.#context.payer.countersigned(
          this.provider.device,
          message.channelId,
          message.number,
          message.signature,
        );
        this.#channel.onCountersigned(message);
        return;
      case 'have':
        if (!this.#interests.update(message.contentId, message.bitmap)) throw unexpected('provider', message);
        return;
      default:
        throw unexpected('provider', message);
    }
  }

  #onRefused(message: Extract<Message, { type: 'refused' }>): void {
    this.#progress.progress();
    if (message.id !== 0) this.#requester.onRefused(message);
    else if (!this.#channel.onRefused(message.code)) throw unexpected('provider', message);
  }

  #onPiece(message: Extract<Message, { type: 'piece' }>): void {
    const { id, chunkHashes } = message;
    if (this.#receiver.busy) throw unexpected('provider', message);
    const { waiting, request } = this.#requester.answered(id);
    const { askedAtMs, beganAtMs, lengthBytes } = waiting;
    const { pieceIndex } = request;
    const hash = request.file.pieceHashes[pieceIndex];
    if (!hash) throw unexpected('provider', message);
    this.#receiver.begin({ pieceIndex, lengthBytes, hash }, chunkHashes);
    if (beganAtMs !== null) this.#roundTripMs = Math.min(this.#roundTripMs, beganAtMs - askedAtMs);
    this.#progress.pieceBegan();
    this.#arriving = { id, waiting, request };
  }

  #onChunk(data: Uint8Array | Uint8ArrayList): void {
    const bytes = this.#receiver.add(data);
    this.#progress.progress();
    if (!bytes || !this.#arriving) return;
    const { id, waiting, request } = this.#arriving;
    this.#arriving = null;
    waiting.endedAtMs = performance.now();
    this.#progress.pieceEnded();
    this.#booker.add({ requestId: id, request, bytes });
  }

  #bookerStream(): BookerStream {
    const stream = this;
    return {
      get account() {
        return stream.provider.account;
      },
      get channel() {
        return stream.#channel.current;
      },
      get failed() {
        return stream.failed;
      },
      get arriving() {
        return stream.#receiver.busy;
      },
      get roundTripMs() {
        return stream.#roundTripMs;
      },
      send: (message) => this.#remote.send(message),
      sendDueCheckpoint: () => this.#channel.sendDueCheckpoint(),
      written: (bytes) => this.#receiver.recycle(bytes),
      booked: (requestId, piece) => this.#requester.booked(requestId, piece),
      fail: (error) => this.#fail(error),
    };
  }

  #channelStream(): ChannelStream {
    const { payer, watchTime, timeouts, log } = this.#context;
    return {
      provider: this.provider,
      payer,
      watchTime,
      handshakeMs: timeouts.handshakeMs,
      log,
      failure: () => this.#failure,
      fail: (error: unknown) => this.#fail(error),
      send: (message: Message) => this.#remote.send(message),
      idle: () => this.#idle(),
      ended: () => this.#ended,
    };
  }

  /** Resolves when nothing that was asked for is under way any more, however it ended. */
  async #idle(): Promise<void> {
    await this.#requester.idle();
    await this.#booker.idle();
  }

  /** A checkpoint by time is due also while nothing is fetched. */
  #watch(): void {
    const trouble = this.#progress.trouble(this.#requester.owed || this.#channel.awaitsAnswer);
    if (trouble) this.#fail(trouble);
    if (this.#failure) return;
    try {
      this.#channel.sendDueCheckpoint();
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Ends the stream: everything that waits fails with `error`. The first failure counts. */
  #fail(error: unknown): unknown {
    if (this.#failure) return this.#failure;
    this.#failure = error;
    this.#remote.abort(error instanceof Error ? error : new Error(String(error)));
    clearInterval(this.#watchdog);
    this.#booker.stopWaiting();
    // A piece that is being booked right now still pays on the channel; then the next stream may have it.
    void this.#booker.idle().finally(() => this.#channel.release());
    this.#channel.failed(error);
    this.#requester.failed(error);
    return error;
  }
}
