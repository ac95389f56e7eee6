/**
 * The viewer's end of a piece-exchange stream: asks for pieces, checks every chunk, stores the piece, pays for it.
 *
 * For each piece, in this order: all chunks verified → bytes written → piece and payment committed together → tick
 * sent. Requests are pipelined, so nobody waits a round trip for a payment.
 */
import type { Libp2p } from '@libp2p/interface';
import type { Multiaddr } from '@multiformats/multiaddr';
import type { Uint8ArrayList } from 'uint8arraylist';
import { DEFAULT_WINDOW_CAP_UNITS } from '../../../../shared/channel/payee.ts';
import { AceError, type ErrorCode, isAceError } from '../../../../shared/errors.ts';
import { pieceLength, unitsForBytes } from '../../../../shared/units.ts';
import type { Counterparty } from '../../../channel/payee.ts';
import type { PayerChannel, PayerService, WatchTime } from '../../../channel/payer.ts';
import type { PieceStore } from '../../../content/piece-store.ts';
import type { NodeStore } from '../../../db/node/store.ts';
import type { Log } from '../../../log.ts';
import { deviceKeyOf, openStream } from '../../host.ts';
import type { Meter } from '../../meter.ts';
import { PIECES_LIMITS, PIECES_PROTOCOL, type PiecesTimeouts } from './constants.ts';
import type { Message } from './messages.ts';
import { type CertificateCheck, Peer } from './peer.ts';
import { type BookerSession, type FetchedPiece, PieceBooker, type PieceRequest } from './piece-booker.ts';
import { PieceReceiver } from './piece-receiver.ts';

/** A piece may take so many times the longest silence: 1 MiB in a minute. */
const SLOWEST_PIECE = 3;
/** Units that a provider can have sent and we not got: more than any window and what is on the wire. */
const MOST_LOST_UNITS = 16;
/** How often silence and due checkpoints are looked after. */
const WATCH_MS = 1_000;

export interface ViewerContext {
  readonly store: NodeStore;
  readonly pieces: PieceStore;
  readonly payer: PayerService;
  readonly meter: Meter;
  readonly certificate: Uint8Array;
  readonly checkCertificate: CertificateCheck;
  /** What checkpoints report of the content's viewing. */
  readonly watchTime: WatchTime;
  readonly timeouts: PiecesTimeouts;
  readonly log?: Log;
}

interface Waiting {
  readonly request: PieceRequest;
  readonly lengthBytes: number;
  /** The provider has begun its answer: another one would be paid a second time. */
  answered: boolean;
  resolve(piece: FetchedPiece): void;
  reject(error: unknown): void;
}

export class ViewerSession {
  readonly provider: Counterparty;
  /** The provider is a device of the same account: nothing is charged. */
  readonly free: boolean;
  readonly #peer: Peer;
  readonly #context: ViewerContext;
  readonly #waiting = new Map<number, Waiting>();
  #channel: PayerChannel | null = null;
  /** Bytes asked for on the channel and not answered yet. */
  #askedBytes = 0;
  /** Bytes that the provider booked and we never got: they use up its side of the capacity. */
  #lostBytes = 0;
  #nextId = 1;
  #onOpened: {
    resolve(message: Extract<Message, { type: 'opened' }>): void;
    reject(error: unknown): void;
  } | null = null;
  /** Stores and pays what is all here, while the next piece's chunks already arrive. */
  readonly #booker: PieceBooker;
  readonly #receiver = new PieceReceiver();
  /** The request that the piece under way answers. */
  #arriving: { readonly id: number; readonly waiting: Waiting } | null = null;
  #failure: unknown = null;
  readonly #ended: Promise<void>;
  #onCountersigned: (() => void) | null = null;
  readonly #onIdle: (() => void)[] = [];
  /** Last progress, and the beginning of the piece under way, on the clock that nobody sets. */
  #progressAtMs = performance.now();
  #pieceSinceMs = 0;
  readonly #watchdog: NodeJS.Timeout;

  private constructor(context: ViewerContext, peer: Peer, provider: Counterparty, free: boolean) {
    this.#context = context;
    this.#peer = peer;
    this.provider = provider;
    this.free = free;
    this.#booker = new PieceBooker(context, this.#bookerSession());
    this.#watchdog = setInterval(() => this.#watch(), WATCH_MS);
    this.#ended = this.#run();
  }

  /** @throws AceError `PeerUnreachable`, `InvalidCertificate`, `RequestTimeout`, … */
  static async open(
    host: Libp2p,
    addresses: readonly Multiaddr[],
    context: ViewerContext,
  ): Promise<ViewerSession> {
    const frames = await openStream(host, addresses, PIECES_PROTOCOL, PIECES_LIMITS);
    const peer = new Peer(frames, context.meter);
    try {
      peer.send({ type: 'hello', certificate: context.certificate });
      const welcome = await peer.receive(context.timeouts.handshakeMs);
      if (welcome?.type !== 'welcome') throw unexpected(welcome);
      const connection = host.getConnections().find((c) => c.streams.includes(frames.stream));
      if (!connection) throw new AceError('PeerClosed', 'The connection closed during the greeting');
      const device = deviceKeyOf(connection.remotePeer);
      const account = await context.checkCertificate(welcome.certificate, device);
      const session = new ViewerSession(context, peer, { account, device }, welcome.free);
      for (const { record, signature } of context.payer.unansweredCheckpoints(device)) {
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

  /**
   * Makes sure that a piece of `lengthBytes` fits the channel; opens the next channel for up to `wantedUnits` when not.
   * Waits for what is under way first.
   * @throws AceError `CreditExhausted`, `ChannelUnleased`, `ShardUnavailable`, …
   */
  async ensureRoom(lengthBytes: number, wantedUnits: number): Promise<void> {
    if (this.free || this.#room() >= lengthBytes) return;
    await this.#idle();
    if (this.#failure) throw this.#failure;
    await this.#finishChannel();
    const channel = await this.#context.payer.channelTo(this.provider, wantedUnits);
    if (this.#failure) {
      channel.release();
      throw this.#failure;
    }
    this.#channel = channel;
    const opened = Promise.withResolvers<Extract<Message, { type: 'opened' }>>();
    this.#onOpened = opened;
    this.#peer.send({ type: 'open', ...channel.terms });
    const books = await opened.promise;
    if (this.#failure) throw this.#failure;
    this.#compareBooks(channel, books);
    if (this.#room() < lengthBytes) await this.ensureRoom(lengthBytes, wantedUnits);
  }

  /** Asks for a piece; settles when it is stored and paid. The caller has called `ensureRoom`. */
  request(request: PieceRequest): Promise<FetchedPiece> {
    const lengthBytes = pieceLength(request.file.sizeBytes, request.pieceIndex);
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      if (this.#failure) {
        reject(this.#failure);
        return;
      }
      this.#waiting.set(id, { request, lengthBytes, answered: false, resolve, reject });
      this.#askedBytes += lengthBytes;
      try {
        this.#peer.send({
          type: 'request',
          id,
          contentId: request.contentId,
          pieceIndex: request.pieceIndex,
        });
      } catch (error) {
        this.#fail(error);
      }
    });
  }

  /** Asks for a piece without a way to pay for it; the provider's code when it refuses, `null` when it sends it. */
  async refusalOf(request: PieceRequest): Promise<string | null> {
    try {
      await this.request(request);
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
      await this.#idle();
      clearTimeout(late);
      if (!this.#failure) await this.#finishChannel();
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

  /** Bytes that may still be asked for on the channel. */
  #room(): number {
    return this.#channel ? this.#channel.roomBytes - this.#lostBytes - this.#askedBytes : 0;
  }

  /** Says the final checkpoint and waits, a moment, for its countersignature. */
  async #finishChannel(): Promise<void> {
    const channel = this.#channel;
    this.#channel = null;
    const final = channel?.checkpoint(true, this.#context.watchTime);
    channel?.release();
    if (!final) return;
    const answered = new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, this.#context.timeouts.handshakeMs);
      this.#onCountersigned = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#peer.send({ type: 'checkpoint', ...final });
    // Without an answer the channel stays `closing`: it is said again when we meet.
    await Promise.race([answered, this.#ended]);
    this.#onCountersigned?.();
    this.#onCountersigned = null;
  }

  /** Brings the provider's books and ours together after a reconnection. */
  #compareBooks(channel: PayerChannel, books: Extract<Message, { type: 'opened' }>): void {
    const ahead = books.paidUnits > channel.state.revealedUnits;
    // Our own books may be old ones, restored from a copy. Paying on would say ticks again; another channel does not.
    if (ahead && !channel.isNew && this.#context.payer.abandonChannels(this.provider)) {
      this.#channel = null;
      channel.release();
      this.#context.log?.warn(
        { payee: this.provider.account, paidUnits: books.paidUnits, knownUnits: channel.state.revealedUnits },
        'a provider holds payments that our books do not know, as after restoring a copy; its old channels are left',
      );
      return;
    }
    const { verifiedBytes, lostBytes, revealedUnits } = channel.state;
    // Books restored from an old copy: no tick of ours leads back to what they hold. Another channel does.
    if (
      revealedUnits - books.paidUnits > DEFAULT_WINDOW_CAP_UNITS &&
      this.#context.payer.abandonChannels(this.provider)
    ) {
      this.#channel = null;
      channel.release();
      return;
    }
    // Nothing was asked for on a new channel, so nothing can have been served or lost on it; and no window is so wide.
    const lostUnits = unitsForBytes(Math.max(0, books.servedBytes - verifiedBytes - lostBytes));
    if (ahead || (channel.isNew && books.servedBytes > 0) || lostUnits > MOST_LOST_UNITS) {
      throw this.#fail(
        new AceError('CheckpointMismatch', 'The provider claims what was never revealed or asked for', {
          reaction: 'drop-peer',
        }),
      );
    }
    const payment = channel.writeOff(books.servedBytes) ?? channel.lastPayment();
    if (payment && payment.index > books.paidUnits) this.#peer.send({ type: 'tick', ...payment });
    const after = channel.state;
    this.#lostBytes = Math.max(0, books.servedBytes - after.verifiedBytes - after.lostBytes);
    this.#askedBytes = 0;
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
        this.#progressAtMs = performance.now();
        this.#takeOnOpened(message).resolve(message);
        return;
      case 'refused':
        this.#onRefused(message);
        return;
      case 'piece':
        this.#onPiece(message);
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
        this.#onCountersigned?.();
        return;
      default:
        throw unexpected(message);
    }
  }

  /** Who waits for the answer to `open`: it is answered once. */
  #takeOnOpened(message: Message) {
    const waiting = this.#onOpened;
    if (!waiting) throw unexpected(message);
    this.#onOpened = null;
    return waiting;
  }

  #onRefused(message: Extract<Message, { type: 'refused' }>): void {
    this.#progressAtMs = performance.now();
    const { id, code } = message;
    if (id === 0) {
      this.#channel?.release();
      this.#channel = null;
      // In words of our own: the provider does not speak for our shard or our disk.
      this.#takeOnOpened(message).reject(
        new AceError('ChannelMismatch', `The provider does not accept the channel: ${code}`),
      );
      return;
    }
    const error = new AceError(code as ErrorCode, `The provider refused: ${code}`);
    const waiting = this.#waiting.get(id);
    if (!waiting || waiting.answered) throw unexpected(message);
    this.#settled(id);
    waiting.reject(error);
  }

  #onPiece(message: Extract<Message, { type: 'piece' }>): void {
    const waiting = this.#waiting.get(message.id);
    if (this.#receiver.busy || !waiting || waiting.answered) throw unexpected(message);
    const { lengthBytes, request } = waiting;
    const hash = request.file.pieceHashes[request.pieceIndex];
    if (!hash) throw unexpected(message);
    this.#receiver.begin({ pieceIndex: request.pieceIndex, lengthBytes, hash }, message.chunkHashes);
    // It stays in `#waiting` until it is paid, so the id alone does not tell a second answer from the first.
    waiting.answered = true;
    this.#progressAtMs = performance.now();
    this.#pieceSinceMs = this.#progressAtMs;
    this.#arriving = { id: message.id, waiting };
  }

  #onChunk(data: Uint8Array | Uint8ArrayList): void {
    const bytes = this.#receiver.add(data);
    this.#progressAtMs = performance.now();
    if (!bytes || !this.#arriving) return;
    const { id, waiting } = this.#arriving;
    this.#arriving = null;
    this.#booker.add({ requestId: id, request: waiting.request, bytes });
  }

  #bookerSession(): BookerSession {
    const session = this;
    return {
      get channel() {
        return session.#channel;
      },
      get failed() {
        return session.failed;
      },
      send: (message) => this.#peer.send(message),
      sayDueCheckpoint: () => this.#sayDueCheckpoint(),
      written: (bytes) => this.#receiver.recycle(bytes),
      booked: (requestId, piece) => {
        const waiting = this.#waiting.get(requestId);
        this.#settled(requestId);
        waiting?.resolve(piece);
      },
      fail: (error) => this.#fail(error),
    };
  }

  #sayDueCheckpoint(): void {
    const checkpoint = this.#channel?.checkpoint(false, this.#context.watchTime);
    if (checkpoint) this.#peer.send({ type: 'checkpoint', ...checkpoint });
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
    this.#askedBytes -= waiting.lengthBytes;
    if (this.#waiting.size === 0) for (const resolve of this.#onIdle.splice(0)) resolve();
  }

  /** A checkpoint by time is due also while nothing is fetched. */
  #watch(): void {
    this.#checkSilence();
    if (this.#failure) return;
    try {
      this.#sayDueCheckpoint();
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Fails the session when the provider says nothing though it owes an answer. */
  #checkSilence(): void {
    const { dataMs } = this.#context.timeouts;
    const nowMs = performance.now();
    const owes = this.#waiting.size > 0 || this.#onOpened !== null;
    if (!owes) this.#progressAtMs = nowMs;
    else if (nowMs - this.#progressAtMs > dataMs) {
      this.#fail(new AceError('RequestTimeout', `The provider did not get on for ${dataMs} ms`));
    } else if (this.#arriving && nowMs - this.#pieceSinceMs > SLOWEST_PIECE * dataMs) {
      this.#fail(new AceError('RequestTimeout', 'The provider is too slow for a piece'));
    }
  }

  /** Ends the session: everything that waits fails with `error`. The first failure counts. */
  #fail(error: unknown): unknown {
    if (this.#failure) return this.#failure;
    this.#failure = error;
    this.#peer.abort(error instanceof Error ? error : new Error(String(error)));
    clearInterval(this.#watchdog);
    // A piece that is being booked right now still pays on the channel; then the next session may have it.
    void this.#booker.idle().finally(() => this.#channel?.release());
    this.#onOpened?.reject(error);
    for (const [id, waiting] of [...this.#waiting]) {
      this.#settled(id);
      waiting.reject(error);
    }
    return error;
  }
}

/** Whether the provider may be asked again later; what it did is no fault of its own. */
export function isProviderFault(error: unknown): boolean {
  return error instanceof AceError && error.reaction === 'drop-peer' && !isAceError(error, 'RequestTimeout');
}

function unexpected(message: Message | null): AceError {
  return new AceError('MessageUnexpected', `The provider sent ${message?.type ?? 'nothing'} out of turn`, {
    reaction: 'drop-peer',
  });
}
