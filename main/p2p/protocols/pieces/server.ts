/**
 * The provider's end of a piece-exchange stream.
 *
 * Two loops share one stream. The reader takes messages and never waits for data to go out, so a tick is seen at once;
 * the sender serves requests in order, as far as the payer's window allows. What is sent was committed before.
 */
import type { Connection, Libp2p } from '@libp2p/interface';
import { AceError, type ErrorCode, isAceError } from '../../../../shared/errors.ts';
import { CHUNK_BYTES, PIECE_BYTES, pieceLength } from '../../../../shared/units.ts';
import type { Counterparty, PayeeChannel, PayeeService } from '../../../channel/payee.ts';
import type { PieceStore } from '../../../content/piece-store.ts';
import type { TransportFile } from '../../../content/transport-file.ts';
import type { NodeStore } from '../../../db/node/store.ts';
import type { UploadTurn, UploadTurns } from '../../../limits/upload-turns.ts';
import type { Log } from '../../../log.ts';
import { Paced } from '../../../paced.ts';
import { Wake } from '../../../wake.ts';
import type { FrameStream } from '../../frames.ts';
import { deviceKeyOf, serveProtocol } from '../../host.ts';
import type { Meter } from '../../meter.ts';
import {
  MAX_QUEUED_REQUESTS,
  PIECES_LIMITS,
  PIECES_PROTOCOL,
  type PiecesTimeouts,
  VISIT_RATE,
} from './constants.ts';
import { FileShelf } from './file-shelf.ts';
import { ASK_RATE, HaveTeller } from './have-teller.ts';
import { chunksOf, type Message, pieceKey } from './messages.ts';
import { type CertificateCheck, Peer } from './peer.ts';
import { type LoadedPiece, PieceLoader } from './piece-loader.ts';

export interface ProviderContext {
  readonly store: NodeStore;
  readonly pieces: PieceStore;
  readonly payee: PayeeService;
  readonly meter: Meter;
  readonly log: Log;
  readonly account: string;
  /** This device's certificate, canonical bytes. */
  readonly certificate: Uint8Array;
  readonly checkCertificate: CertificateCheck;
  readonly timeouts: PiecesTimeouts;
  /** Whose turn it is to be sent a piece. */
  readonly uploads: Pick<UploadTurns, 'ask'>;
  /** Something this node's owner may want to see has changed. */
  readonly onChange: () => void;
}

export async function servePieces(host: Libp2p, context: ProviderContext): Promise<void> {
  const clock = () => performance.now();
  const paces = { visits: new Paced(VISIT_RATE, clock), asks: new Paced(ASK_RATE, clock) };
  await serveProtocol(
    host,
    PIECES_PROTOCOL,
    PIECES_LIMITS,
    (frames, connection) => new ProviderSession(context, frames, connection, paces).run(),
    (error, connection) => {
      const code = error instanceof AceError ? error.code : 'Internal';
      context.log.warn(
        { err: error, peer: connection.remotePeer.toString(), code },
        'a viewer’s stream ended with an error',
      );
    },
  );
}

/** Of each device, over all its streams. */
interface Paces {
  /** Streams and channels begun. */
  readonly visits: Paced;
  /** Contents asked about. */
  readonly asks: Paced;
}

type Request = Extract<Message, { type: 'request' }>;

interface Served {
  readonly request: Request;
  readonly file: TransportFile;
  /** It was booked before a reconnection, and books nothing now. */
  readonly resend: boolean;
  readonly newBytes: number;
}

/** Chunks go to the stream this many bytes at a time: fewer, fuller packets of the layers below. */
const SEND_BYTES = 8 * CHUNK_BYTES;

/** Pieces read and committed together; bounds what one stream holds in memory. */
const MAX_GROUP_PIECES = 4;

/** The disk, not the viewer, is why a piece cannot be sent. */
const UNREADABLE: ReadonlySet<ErrorCode> = new Set(['FileUnreadable', 'ContentChanged', 'FileMissing']);

class ProviderSession {
  readonly #context: ProviderContext;
  readonly #connection: Connection;
  readonly #paces: Paces;
  readonly #peer: Peer;
  readonly #queue: Request[] = [];
  /** Requests at its head that the sender is about to answer: it is too late to withdraw them. */
  #held = 0;
  readonly #haves: HaveTeller;
  readonly #loader: PieceLoader;
  /** Transport files of this stream's contents. */
  readonly #files: FileShelf;
  #channel: PayeeChannel | null = null;
  /** Units that the viewer was told are durable. */
  #ackedUnits = 0;
  #viewer: Counterparty | null = null;
  #free = false;
  #ended = false;
  readonly #wake = new Wake();

  constructor(context: ProviderContext, frames: FrameStream, connection: Connection, paces: Paces) {
    this.#context = context;
    this.#connection = connection;
    this.#paces = paces;
    this.#peer = new Peer(frames, context.meter);
    this.#loader = new PieceLoader(context.pieces);
    this.#files = new FileShelf(context.store);
    this.#haves = new HaveTeller({
      store: context.store,
      send: (message) => this.#peer.send(message),
      mayAsk: () => paces.asks.take(connection.remotePeer.toString()).retryAfterMs === 0,
    });
  }

  async run(): Promise<void> {
    await this.#greet();
    const sender = this.#send();
    try {
      await Promise.race([this.#receive(), sender]);
    } catch (error) {
      // At once: a sender that waits for a viewer who does not read ends with the stream.
      this.#peer.abort(error instanceof Error ? error : new Error(String(error)));
      throw error;
    } finally {
      this.#ended = true;
      this.#haves.stop();
      this.#wake.now();
      try {
        this.#channel?.commit();
      } finally {
        this.#channel?.detach();
        await sender.catch(() => undefined); // its error, if it was first, is already on its way
      }
    }
  }

  async #greet(): Promise<void> {
    const hello = await this.#peer.receive(this.#context.timeouts.handshakeMs);
    if (hello?.type !== 'hello') throw unexpected(hello);
    this.#checkPace();
    const device = deviceKeyOf(this.#connection.remotePeer);
    const account = await this.#context.checkCertificate(hello.certificate, device);
    this.#viewer = { account, device };
    // Between devices of one account nothing is charged.
    this.#free = account === this.#context.account;
    this.#peer.send({ type: 'welcome', certificate: this.#context.certificate, free: this.#free });
  }

  /** A device that begins too much is not listened to: its connection is free, what it asks for is not. */
  #checkPace(): void {
    if (this.#paces.visits.take(this.#connection.remotePeer.toString()).retryAfterMs === 0) return;
    throw new AceError('TooManyRequests', 'The device begins too many streams and channels', {
      reaction: 'drop-peer',
    });
  }

  async #receive(): Promise<void> {
    for (let message = await this.#peer.receive(); message; message = await this.#peer.receive()) {
      switch (message.type) {
        case 'open':
          this.#open(message);
          await this.#peer.writable();
          break;
        case 'request':
          this.#enqueue(message);
          break;
        case 'withdraw':
          this.#withdraw(message.id);
          await this.#peer.writable();
          break;
        case 'interest':
          this.#haves.asked(message.contentId);
          await this.#peer.writable();
          break;
        case 'ask':
          this.#describe(message);
          await this.#peer.writable();
          break;
        case 'tick':
          if (!this.#channel) throw unexpected(message);
          this.#channel.tick(message.index, message.tick);
          break;
        case 'checkpoint': {
          if (!this.#viewer) throw unexpected(message);
          await this.#countersign(this.#viewer, message);
          if (this.#channel?.closed) {
            this.#channel.detach();
            this.#channel = null;
          }
          this.#context.onChange();
          // A viewer that asks for answers and reads none is not heard further, so that they cannot pile up here.
          await this.#peer.writable();
          break;
        }
        default:
          throw unexpected(message);
      }
      this.#wake.now();
    }
  }

  /** The transport file, and then the piece that was asked for along with it. */
  #describe({ id, contentId, pieceIndex }: Extract<Message, { type: 'ask' }>): void {
    const bytes = this.#haves.transport(contentId);
    this.#peer.send({ type: 'transport', contentId, bytes });
    if (id === 0) return;
    if (bytes.byteLength > 0) this.#enqueue({ type: 'request', id, contentId, pieceIndex });
    else this.#peer.send({ type: 'refused', id, code: 'ContentUnknown' });
  }

  #enqueue(request: Request): void {
    if (this.#queue.length >= MAX_QUEUED_REQUESTS) {
      throw new AceError('TooManyRequests', 'More requests than a stream may have waiting', {
        reaction: 'drop-peer',
      });
    }
    if (this.#queue.some(({ id }) => id === request.id)) throw unexpected(request);
    this.#queue.push(request);
  }

  /** What is being sent is sent. */
  #withdraw(id: number): void {
    const at = this.#queue.findIndex((request) => request.id === id);
    if (at < this.#held) return;
    for (const request of this.#queue.splice(at, 1)) this.#loader.forget(request);
    this.#peer.send({ type: 'refused', id, code: 'Withdrawn' });
  }

  /** A checkpoint that is only late is passed over; a wrong one ends the stream. */
  async #countersign(viewer: Counterparty, message: Extract<Message, { type: 'checkpoint' }>): Promise<void> {
    try {
      const answer = await this.#context.payee.countersign(viewer, message.record, message.signature);
      this.#peer.send({ type: 'countersigned', ...answer });
      // It says that its tick is durable, too.
      this.#ackedUnits = this.#channel?.books.paidUnits ?? 0;
    } catch (error) {
      if (!isAceError(error) || error.reaction !== 'ignore') throw error;
    }
  }

  #open(message: Extract<Message, { type: 'open' }>): void {
    if (!this.#viewer || this.#free || this.#queue.length > 0) throw unexpected(message);
    try {
      this.#checkPace();
    } catch (error) {
      this.#peer.send({ type: 'refused', id: 0, code: 'TooManyRequests' });
      throw error;
    }
    this.#channel?.commit();
    this.#channel?.detach();
    this.#channel = null;
    this.#loader.forgetSent();
    try {
      this.#channel = this.#context.payee.open(this.#viewer, message);
    } catch (error) {
      if (error instanceof AceError) this.#peer.send({ type: 'refused', id: 0, code: error.code });
      throw error;
    }
    this.#channel.onTaken = () =>
      this.#peer.abort(new AceError('ChannelClosed', 'Another stream took the channel'));
    this.#channel.onSiblingPaid = this.#wake.now;
    const { paidUnits, servedBytes } = this.#channel.books;
    this.#ackedUnits = paidUnits;
    this.#peer.send({ type: 'opened', paidUnits, servedBytes });
  }

  async #send(): Promise<void> {
    while (!this.#ended) {
      const request = this.#queue[0];
      this.#held = request ? 1 : 0;
      if (!request) {
        await this.#acknowledge();
        await this.#peer.writable();
        // What came while it waited had nobody to wake.
        if (!this.#ended && this.#queue.length === 0 && !this.#owesAck()) await this.#wake.rest();
        continue;
      }
      const file = this.#files.get(request.contentId);
      const refusal = file ? await this.#refusal(request, file) : 'ContentUnknown';
      if (this.#ended) return;
      if (file && !refusal) await this.#serveInTurn(request);
      else await this.#refuse(request, refusal ?? 'ContentUnknown');
    }
  }

  /** Serves what the window has room for when it is this stream's turn; a viewer is not kept waiting for long. */
  async #serveInTurn(request: Request): Promise<void> {
    const turn = this.#context.uploads.ask(this.#wake.now);
    try {
      const deadlineMs = performance.now() + this.#context.timeouts.paymentMs / 2;
      while (turn.state === 'waiting' && !this.#ended) {
        // Ticks are acknowledged meanwhile: the wait is no fault of the viewer's.
        if (await this.#acknowledge()) continue;
        if (performance.now() >= deadlineMs) break;
        if (turn.state === 'waiting') await this.#wake.rest(deadlineMs - performance.now());
      }
      if (this.#ended) return;
      if (turn.state !== 'sending') await this.#refuseBusy(request);
      // A capped provider books one piece at a time: what it cannot send yet takes up nobody's window.
      else await this.#serve(this.#group(turn.paced ? 1 : MAX_GROUP_PIECES), turn);
    } finally {
      turn.end();
    }
  }

  /** A viewer that is sent away leaves at once: what it has got is paid before. */
  async #refuseBusy(request: Request): Promise<void> {
    const deadlineMs = performance.now() + this.#context.timeouts.paymentMs / 2;
    const owes = ({ paidUnits, servedBytes }: PayeeChannel['books']) => servedBytes > paidUnits * PIECE_BYTES;
    while (!this.#ended && this.#channel && owes(this.#channel.books) && performance.now() < deadlineMs) {
      if (!(await this.#acknowledge())) await this.#wake.rest(deadlineMs - performance.now());
    }
    await this.#acknowledge();
    if (!this.#ended) await this.#refuse(request, 'ProviderBusy');
  }

  /** Why the request cannot be served, after waiting for a payment that is due. */
  async #refusal(request: Request, file: TransportFile): Promise<string | null> {
    const { contentId, pieceIndex } = request;
    if (!this.#context.store.contents.hasPiece(contentId, pieceIndex)) return 'PieceUnknown';
    if (this.#free) return null;
    const deadlineMs = performance.now() + this.#context.timeouts.paymentMs;
    for (;;) {
      const obstacle = this.#obstacle(this.#served(request, file).newBytes);
      if (obstacle !== 'PaymentOverdue') return obstacle;
      const acknowledged = await this.#acknowledge();
      if (this.#ended) return obstacle;
      // What came while that was stored had nobody to wake.
      if (acknowledged) continue;
      if (performance.now() >= deadlineMs) {
        this.#channel?.overdue();
        return obstacle;
      }
      await this.#wake.rest(deadlineMs - performance.now());
      if (this.#ended) return obstacle;
    }
  }

  #obstacle(lengthBytes: number): string | null {
    if (this.#free) return null;
    return this.#channel ? this.#channel.obstacle(lengthBytes) : 'ChannelUnleased';
  }

  /** What sending the piece would book: nothing when it was lost with the stream before. */
  #served(request: Request, file: TransportFile): Served {
    const resend = this.#channel?.isOwed(pieceKey(request)) ?? false;
    return { request, file, resend, newBytes: resend ? 0 : pieceLength(file.sizeBytes, request.pieceIndex) };
  }

  /** Requests at the head of the queue that the window has room for together: one commit serves them all. */
  #group(mostPieces: number): Served[] {
    const group: Served[] = [];
    const keys = new Set<string>();
    let totalBytes = 0;
    for (const request of this.#queue.slice(0, mostPieces)) {
      const file = this.#files.get(request.contentId);
      if (!file || request.pieceIndex >= file.pieceHashes.length) break;
      const served = this.#served(request, file);
      // What is owed is owed once: the same piece again waits until this group has taken that.
      if (served.resend && keys.has(pieceKey(request))) break;
      if (this.#obstacle(totalBytes + served.newBytes) !== null) break;
      totalBytes += served.newBytes;
      keys.add(pieceKey(request));
      group.push(served);
    }
    return group;
  }

  /** Sends pieces; leaves the requests where they are when something else has used up the window meanwhile. */
  async #serve(group: Served[], turn: UploadTurn): Promise<void> {
    const { store, pieces } = this.#context;
    this.#held = group.length;
    const loaded = await this.#takeAll(group);
    if (!loaded) return;
    const newBytes = group.reduce((total, served, i) => total + (loaded[i] ? served.newBytes : 0), 0);
    // Asked again: the reads took time, and from here to the commit nothing can come between.
    if (this.#ended || this.#obstacle(newBytes) !== null) return;
    this.#queue.splice(0, group.length);
    this.#held = 0;
    for (const { request } of group) pieces.cache.touch(request.contentId);
    const channel = this.#channel;
    channel?.serve(
      newBytes,
      group
        .filter((_, i) => loaded[i])
        .map(({ request, file, resend }) => ({
          key: pieceKey(request),
          bytes: pieceLength(file.sizeBytes, request.pieceIndex),
          resend,
        })),
    );
    const book = () => {
      group.forEach(({ request }, i) => {
        const piece = loaded[i];
        if (!piece) {
          // The disk lost it or changed it: never sent, never charged.
          pieces.forgetPiece(request.contentId, request.pieceIndex);
          return;
        }
        const sizeBytes = piece.bytes.byteLength;
        store.contents.addUpBytes(request.contentId, sizeBytes);
        if (channel) store.channelContents.add(channel.state.channelId, request.contentId, sizeBytes);
      });
    };
    if (channel) await channel.commitSoon(book);
    else store.commit(book);
    if (this.#ended) return;

    // Unless the viewer has left the channel meanwhile: another one counts from zero.
    if (channel && channel === this.#channel) {
      this.#loader.paid(channel.books.paidUnits * PIECE_BYTES);
      let servedBytes = channel.books.servedBytes - newBytes;
      for (const [i, { newBytes }] of group.entries()) {
        const piece = loaded[i];
        if (!piece) continue;
        servedBytes += newBytes;
        if (newBytes > 0) this.#loader.sending(piece, servedBytes);
      }
    }
    this.#readAhead();
    for (const [i, { request }] of group.entries()) {
      const piece = loaded[i];
      if (piece) await this.#sendPiece(request, piece, turn);
      else this.#peer.send({ type: 'refused', id: request.id, code: 'PieceUnknown' });
    }
    this.#context.onChange();
  }

  /** `null` when the disk could not be read: the first request is refused, and nothing is forgotten for it. */
  async #takeAll(group: readonly Served[]): Promise<(LoadedPiece | null)[] | null> {
    try {
      return await Promise.all(group.map(({ request, file }) => this.#loader.take(request, file)));
    } catch (error) {
      if (!isAceError(error) || !UNREADABLE.has(error.code)) throw error;
      this.#context.log.error({ err: error }, 'a piece could not be read; its viewer was refused');
      const first = group[0];
      if (first && !this.#ended) await this.#refuse(first.request, error.code);
      return null;
    }
  }

  /** Reads the next few pieces while those before them go out. */
  #readAhead(): void {
    for (const request of this.#queue.slice(0, MAX_GROUP_PIECES)) {
      const file = this.#files.get(request.contentId);
      if (file && request.pieceIndex < file.pieceHashes.length) this.#loader.readAhead(request, file);
    }
  }

  async #sendPiece(
    { id, contentId }: Request,
    { bytes, chunkHashes }: LoadedPiece,
    turn: UploadTurn,
  ): Promise<void> {
    const of = { contentId, account: this.#viewer?.account ?? '' };
    const ackedUnits = this.#channel?.books.paidUnits ?? 0;
    this.#peer.send({ type: 'piece', id, ackedUnits, chunkHashes });
    this.#ackedUnits = ackedUnits;
    for (let offset = 0; offset < bytes.byteLength; ) {
      const part = bytes.subarray(offset, offset + (turn.paced ? CHUNK_BYTES : SEND_BYTES));
      await turn.pace(part.byteLength);
      if (this.#ended) return;
      this.#peer.send(...chunksOf(part));
      this.#context.meter.add({ upBytes: part.byteLength }, of);
      offset += part.byteLength;
      await this.#peer.writable();
    }
  }

  async #refuse(request: Request, code: string): Promise<void> {
    this.#queue.shift();
    this.#held = 0;
    this.#loader.forget(request);
    this.#peer.send({ type: 'refused', id: request.id, code });
    await this.#peer.writable();
  }

  /** Whether there are ticks that the viewer was not told are durable. */
  #owesAck(): boolean {
    const channel = this.#channel;
    return channel !== null && (channel.dirty || channel.books.paidUnits > this.#ackedUnits);
  }

  /** Makes ticks durable that no piece carries an acknowledgement for, and says so. `false` when there are none. */
  async #acknowledge(): Promise<boolean> {
    const channel = this.#channel;
    if (!channel || !this.#owesAck()) return false;
    await channel.commitSoon();
    if (this.#ended || channel !== this.#channel || !this.#owesAck()) return true;
    this.#ackedUnits = channel.books.paidUnits;
    this.#peer.send({ type: 'ack', units: this.#ackedUnits });
    this.#context.onChange();
    return true;
  }
}

function unexpected(message: Message | null): AceError {
  return new AceError('MessageUnexpected', `The viewer sent ${message?.type ?? 'nothing'} out of turn`, {
    reaction: 'drop-peer',
  });
}
