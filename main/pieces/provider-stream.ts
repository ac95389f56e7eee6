/**
 * The provider's end of a piece-exchange stream.
 *
 * Two loops share one stream. The reader takes messages and never waits for data to go out, so a tick is seen at once;
 * the sender serves requests in order, as far as the payer's window allows. What is sent was committed before.
 */
import type { Connection, Libp2p } from '@libp2p/interface';
import { pieceCount, pieceLength } from '../../shared/economy/units.ts';
import { AceError } from '../../shared/errors.ts';
import type { Counterparty, PayeeService } from '../channel/payee.ts';
import type { PieceStore } from '../content/piece-store.ts';
import type { TransportFile } from '../content/transport-file.ts';
import type { NodeStore } from '../db/node/store.ts';
import type { UploadQueue } from '../limits/upload-queue.ts';
import type { FrameStream } from '../p2p/frames.ts';
import type { FreeUpload } from '../p2p/free-upload.ts';
import { serveProtocol } from '../p2p/host.ts';
import type { Meter } from '../p2p/meter.ts';
import type { Log } from '../process/log.ts';
import { Signal } from '../util/signal.ts';
import { deviceKeyOf } from '../wallet/device-peer-id.ts';
import type { AccessGate, AccessVisitor } from './access-gate.ts';
import { PIECES_LIMITS, PIECES_PROTOCOL, type PiecesTimeouts, SMALL_PIECE_BYTES } from './constants.ts';
import { type DeviceLimit, type DeviceRates, deviceLimit, deviceRates } from './device-limit.ts';
import { unexpected } from './fetching.ts';
import { FileShelf } from './file-shelf.ts';
import { HaveNotifier } from './have-notifier.ts';
import type { Message } from './messages.ts';
import { PieceSender } from './piece-sender.ts';
import { ProviderChannel } from './provider-channel.ts';
import { type CertificateCheck, Remote } from './remote.ts';
import { type Request, RequestQueue } from './request-queue.ts';

export interface ProviderContext {
  readonly store: NodeStore;
  /** Whether a content or a broadcast is announced to others. */
  readonly isOffered: (contentId: string) => boolean;
  readonly pieces: PieceStore;
  readonly payee: PayeeService;
  /** Who may have what is sold. */
  readonly gate: AccessGate;
  readonly meter: Meter;
  readonly log: Log;
  readonly nowMs: () => number;
  readonly account: string;
  /** This device's certificate, canonical bytes. */
  readonly certificate: Uint8Array;
  readonly checkCertificate: CertificateCheck;
  /** Whether this account has taken a device of its own away. */
  readonly isUnlinked: (device: Uint8Array) => Promise<boolean>;
  /** Where a viewer comes from, as the provider's risk counts it; `null`: it is no stranger. */
  readonly originOf: (connection: Connection) => string | null;
  /** What strangers may have for nothing. */
  readonly freeUpload: FreeUpload;
  readonly timeouts: PiecesTimeouts;
  /** The queue for being sent a piece. */
  readonly uploads: Pick<UploadQueue, 'enqueue'>;
  /** Something this node's owner may want to see has changed. */
  readonly onChange: () => void;
  /**
   * A viewer has greeted, or both have signed what it paid so far; a device of this account has said anything. `hasPaid`:
   * there is a tick of it on the channel in use.
   */
  readonly onViewer: (viewer: Counterparty, hasPaid: boolean) => void;
}

export async function servePieces(host: Libp2p, context: ProviderContext): Promise<void> {
  const rates = deviceRates();
  await serveProtocol(
    host,
    PIECES_PROTOCOL,
    PIECES_LIMITS,
    async (frames, connection) => (await ProviderStream.meet(context, frames, connection, rates)).run(),
    (error, connection) => {
      const code = error instanceof AceError ? error.code : 'Internal';
      context.log.warn(
        { err: error, peer: connection.remotePeer.toString(), code },
        'a viewer’s stream ended with an error',
      );
    },
  );
}

/** Who has come, as its greeting and its connection show. */
interface Visit {
  readonly viewer: Counterparty;
  /** Of this node's own account: nothing is charged. */
  readonly free: boolean;
  /** The network that it comes from; see `ProviderContext.originOf`. */
  readonly origin: string | null;
  /** What its device may still ask for. */
  readonly device: DeviceLimit;
}

/** What is answered at once. */
const ANSWERED: ReadonlySet<Message['type']> = new Set(['open', 'withdraw', 'interest', 'ask', 'checkpoint']);

class ProviderStream {
  readonly #context: ProviderContext;
  readonly #remote: Remote;
  readonly #viewer: Counterparty;
  readonly #origin: string | null;
  /** Counts a stream or channel that the viewer begins. @throws AceError `TooManyRequests` */
  readonly #checkVisit: () => void;
  readonly #device: DeviceLimit;
  readonly #queue = new RequestQueue();
  readonly #access: AccessVisitor;
  readonly #haves: HaveNotifier;
  /** Transport files of this stream's contents. */
  readonly #files: FileShelf;
  readonly #channel: ProviderChannel;
  readonly #pieces: PieceSender;
  #ended = false;
  readonly #isEnded = (): boolean => this.#ended;
  readonly #signal = new Signal();

  private constructor(context: ProviderContext, remote: Remote, { viewer, free, origin, device }: Visit) {
    this.#context = context;
    this.#remote = remote;
    this.#viewer = viewer;
    this.#origin = origin;
    this.#checkVisit = device.checkVisit;
    this.#device = device;
    this.#access = context.gate.visitor(viewer.account);
    this.#files = new FileShelf(context.store);
    const send = (message: Message) => remote.send(message);
    this.#haves = new HaveNotifier({
      store: context.store,
      isOffered: context.isOffered,
      send,
      mayAsk: device.mayAsk,
      mayHave: device.mayHave,
    });
    const { payee, onChange } = context;
    const abort = (error: Error) => remote.abort(error);
    this.#channel = new ProviderChannel({ payee, send, abort, notify: this.#signal.notify, onChange }, free);
    this.#pieces = new PieceSender(context, {
      account: viewer.account,
      remote,
      queue: this.#queue,
      files: this.#files,
      channel: this.#channel,
      access: this.#access,
      isEnded: this.#isEnded,
    });
  }

  /** Both show the certificate of their device, and know then who pays whom. @throws AceError as `CertificateCheck`, … */
  static async meet(
    context: ProviderContext,
    frames: FrameStream,
    connection: Connection,
    rates: DeviceRates,
  ): Promise<ProviderStream> {
    const remote = new Remote(frames, context.meter);
    const hello = await remote.receive(context.timeouts.handshakeMs);
    if (hello?.type !== 'hello') throw unexpected('viewer', hello);
    const limit = deviceLimit(connection, rates, context.freeUpload);
    limit.checkVisit();
    const device = deviceKeyOf(connection.remotePeer);
    const account = await context.checkCertificate(hello.certificate, device);
    // Between devices of one account nothing is charged.
    const free = account === context.account;
    if (free && (await context.isUnlinked(device))) {
      throw new AceError('InvalidCertificate', 'The account has unlinked this device', {
        reaction: 'drop-peer',
      });
    }
    remote.send({ type: 'welcome', certificate: context.certificate, free });
    context.onViewer({ account, device }, false);
    const origin = context.originOf(connection);
    return new ProviderStream(context, remote, { viewer: { account, device }, free, origin, device: limit });
  }

  async run(): Promise<void> {
    const sending = this.#send();
    try {
      await Promise.race([this.#receive(), sending]);
    } catch (error) {
      // At once: a sender that waits for a viewer who does not read ends with the stream.
      this.#remote.abort(error instanceof Error ? error : new Error(String(error)));
      throw error;
    } finally {
      this.#ended = true;
      this.#haves.stop();
      this.#signal.notify();
      try {
        this.#channel.end();
      } finally {
        await sending.catch(() => undefined); // its error, if it was first, is already on its way
      }
    }
  }

  async #receive(): Promise<void> {
    for (let message = await this.#remote.receive(); message; message = await this.#remote.receive()) {
      // Nothing is signed between devices of one account: that it asks is how long it is of use.
      if (this.#channel.free) this.#context.onViewer(this.#viewer, false);
      switch (message.type) {
        case 'open':
          this.#open(message);
          break;
        case 'request':
          if (this.#isSmall(message)) this.#device.smallPieceAsked();
          this.#queue.add(message);
          break;
        case 'withdraw':
          this.#withdraw(message.id);
          break;
        case 'interest':
          this.#haves.asked(message.contentId);
          break;
        case 'ask':
          this.#describe(message);
          break;
        case 'access':
          this.#device.checkShown();
          this.#access.shows(message);
          break;
        case 'tick':
          this.#channel.tick(message);
          break;
        case 'checkpoint': {
          const { hasPaid } = this.#channel;
          await this.#channel.countersign(this.#viewer, message);
          this.#context.onChange();
          this.#context.onViewer(this.#viewer, hasPaid);
          break;
        }
        default:
          throw unexpected('viewer', message);
      }
      // A viewer that asks for answers and reads none is not heard further, so that they cannot pile up here.
      if (ANSWERED.has(message.type)) await this.#remote.writable();
      this.#signal.notify();
    }
  }

  /** The transport file, and then the piece that was asked for along with it. */
  #describe({ id, contentId, pieceIndex }: Extract<Message, { type: 'ask' }>): void {
    const bytes = this.#haves.transport(contentId);
    this.#remote.send({ type: 'transport', contentId, bytes });
    if (id === 0) return;
    if (bytes.byteLength > 0) this.#queue.add({ type: 'request', id, contentId, pieceIndex });
    else this.#remote.send({ type: 'refused', id, code: 'ContentUnknown' });
  }

  /** What is being sent is sent. */
  #withdraw(id: number): void {
    const request = this.#queue.withdraw(id);
    if (!request) return;
    this.#pieces.forget(request);
    this.#remote.send({ type: 'refused', id, code: 'Withdrawn' });
  }

  #open(message: Extract<Message, { type: 'open' }>): void {
    if (this.#channel.free || this.#queue.length > 0) throw unexpected('viewer', message);
    try {
      this.#checkVisit();
    } catch (error) {
      this.#remote.send({ type: 'refused', id: 0, code: 'TooManyRequests' });
      throw error;
    }
    this.#pieces.channelChanged();
    this.#channel.open(this.#viewer, this.#origin, message);
  }

  async #send(): Promise<void> {
    while (!this.#ended) {
      const request = this.#queue.first;
      this.#queue.hold(request ? 1 : 0);
      if (!request) {
        await this.#channel.commitTicks();
        await this.#remote.writable();
        // The signal remembers nothing: look again for what came during the waits above.
        if (!this.#ended && this.#queue.length === 0 && !this.#channel.hasNews) await this.#signal.wait();
        continue;
      }
      const waitMs = this.#isSmall(request) ? this.#device.smallPieceWaitMs() : 0;
      if (waitMs > 0) {
        await this.#channel.commitTicks();
        if (!this.#ended) await this.#signal.wait(waitMs);
        continue;
      }
      const file = this.#files.get(request.contentId);
      const refusal = file ? await this.#refusal(request, file) : 'ContentUnknown';
      if (this.#ended) return;
      if (file && !refusal) await this.#serveQueued(request);
      else await this.#pieces.refuse(request, refusal ?? 'ContentUnknown');
    }
  }

  /** Whether it costs more to serve than it pays. Between devices of one account nothing is charged. */
  #isSmall({ contentId, pieceIndex }: Pick<Request, 'contentId' | 'pieceIndex'>): boolean {
    const file = this.#channel.free ? null : this.#files.get(contentId);
    if (!file || pieceIndex >= pieceCount(file.sizeBytes)) return false;
    return pieceLength(file.sizeBytes, pieceIndex) < SMALL_PIECE_BYTES;
  }

  /** Serves what the window has room for once the queue lets this stream send; a viewer is not kept waiting for long. */
  async #serveQueued(request: Request): Promise<void> {
    const upload = this.#context.uploads.enqueue(this.#signal.notify);
    try {
      const deadlineMs = performance.now() + this.#context.timeouts.paymentMs / 2;
      while (upload.state === 'waiting' && !this.#ended) {
        // Ticks are made durable meanwhile: the wait is no fault of the viewer's.
        if (await this.#channel.commitTicks()) continue;
        if (performance.now() >= deadlineMs) break;
        if (upload.state === 'waiting') await this.#signal.wait(deadlineMs - performance.now());
      }
      if (this.#ended) return;
      // It may have been paused while the piece waited for its turn.
      if (this.#context.store.contents.isPaused(request.contentId))
        await this.#refuseUnsent(request, 'ProviderStopped', null);
      else if (upload.state === 'stopped')
        await this.#refuseUnsent(request, 'ProviderStopped', upload.stoppedForMs);
      else if (upload.state !== 'sending') await this.#refuseUnsent(request, 'ProviderBusy', null);
      else await this.#pieces.serve(upload);
    } finally {
      upload.end();
    }
  }

  /** A viewer that is sent away leaves at once: what it has got is paid before. */
  async #refuseUnsent(
    request: Request,
    code: 'ProviderStopped' | 'ProviderBusy',
    forMs: number | null,
  ): Promise<void> {
    const deadlineMs = performance.now() + this.#context.timeouts.paymentMs / 2;
    while (!this.#ended && this.#channel.owed && performance.now() < deadlineMs) {
      if (!(await this.#channel.commitTicks())) await this.#signal.wait(deadlineMs - performance.now());
    }
    await this.#channel.commitTicks();
    if (!this.#ended) await this.#pieces.refuse(request, code, forMs);
  }

  /** Why the request cannot be served, after waiting for a payment that is due, or for the word of the viewer's shard. */
  async #refusal(request: Request, file: TransportFile): Promise<string | null> {
    const { contents } = this.#context.store;
    if (contents.isPaused(request.contentId)) return 'ProviderStopped';
    if (!contents.pieces.has(request.contentId, request.pieceIndex)) return 'PieceUnknown';
    const closed = this.#access.obstacle(request.contentId);
    if (closed) return closed;
    if (this.#channel.free) return null;
    const deadlineMs = performance.now() + this.#context.timeouts.paymentMs;
    for (;;) {
      const obstacle = this.#channel.obstacle(this.#pieces.newBytes(request, file));
      if (obstacle !== 'PaymentOverdue' && obstacle !== 'CoverUnknown') return obstacle;
      const committed = await this.#channel.commitTicks();
      if (this.#ended) return obstacle;
      // The signal remembers nothing: look again for what came during the commit.
      if (committed) continue;
      if (performance.now() >= deadlineMs) {
        if (obstacle === 'CoverUnknown') return 'LoanRefused';
        this.#channel.current?.overdue();
        return obstacle;
      }
      await this.#signal.wait(deadlineMs - performance.now());
      if (this.#ended) return obstacle;
    }
  }
}
