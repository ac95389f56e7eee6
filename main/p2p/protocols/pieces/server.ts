/**
 * The provider's end of a piece-exchange stream.
 *
 * Two loops share one stream. The reader takes messages and never waits for data to go out, so a tick is seen at once;
 * the sender serves requests in order, as far as the payer's window allows. What is sent was committed before.
 */
import type { Connection, Libp2p } from '@libp2p/interface';
import { AceError, isAceError } from '../../../../shared/errors.ts';
import { CHUNK_BYTES, PIECE_BYTES, pieceLength } from '../../../../shared/units.ts';
import type { Counterparty, PayeeChannel, PayeeService } from '../../../channel/payee.ts';
import type { PieceStore } from '../../../content/piece-store.ts';
import { readTransportFile, type TransportFile } from '../../../content/transport-file.ts';
import type { NodeStore } from '../../../db/node/store.ts';
import type { Log } from '../../../log.ts';
import type { FrameStream } from '../../frames.ts';
import { deviceKeyOf, serveProtocol } from '../../host.ts';
import type { Meter } from '../../meter.ts';
import { MAX_QUEUED_REQUESTS, PIECES_LIMITS, PIECES_PROTOCOL, type PiecesTimeouts } from './constants.ts';
import type { Message } from './messages.ts';
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
  /** Something this node's owner may want to see has changed. */
  readonly onChange: () => void;
}

export async function servePieces(host: Libp2p, context: ProviderContext): Promise<void> {
  await serveProtocol(
    host,
    PIECES_PROTOCOL,
    PIECES_LIMITS,
    (frames, connection) => new ProviderSession(context, frames, connection).run(),
    (error, connection) => {
      const code = error instanceof AceError ? error.code : 'Internal';
      context.log.warn(
        { err: error, peer: connection.remotePeer.toString(), code },
        'a viewer’s stream ended with an error',
      );
    },
  );
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

/** Transport files kept at hand for one stream. */
const MAX_FILES = 4;

/** Pieces read and committed together; bounds what one stream holds in memory. */
const MAX_GROUP_PIECES = 2;

class ProviderSession {
  readonly #context: ProviderContext;
  readonly #connection: Connection;
  readonly #peer: Peer;
  readonly #queue: Request[] = [];
  readonly #loader: PieceLoader;
  /** Transport files of this stream's contents. */
  readonly #files = new Map<string, TransportFile>();
  #channel: PayeeChannel | null = null;
  #viewer: Counterparty | null = null;
  #free = false;
  #ended = false;
  #wake: () => void = () => undefined;

  constructor(context: ProviderContext, frames: FrameStream, connection: Connection) {
    this.#context = context;
    this.#connection = connection;
    this.#peer = new Peer(frames, context.meter);
    this.#loader = new PieceLoader(context.pieces);
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
      this.#wake();
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
    const device = deviceKeyOf(this.#connection.remotePeer);
    const account = await this.#context.checkCertificate(hello.certificate, device);
    this.#viewer = { account, device };
    // Between devices of one account nothing is charged.
    this.#free = account === this.#context.account;
    this.#peer.send({ type: 'welcome', certificate: this.#context.certificate, free: this.#free });
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
        case 'tick':
          if (!this.#channel) throw unexpected(message);
          this.#channel.tick(message.index, message.tick);
          break;
        case 'checkpoint': {
          if (!this.#viewer) throw unexpected(message);
          this.#countersign(this.#viewer, message);
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
      this.#wake();
    }
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

  /** A checkpoint that is only late is passed over; a wrong one ends the stream. */
  #countersign(viewer: Counterparty, message: Extract<Message, { type: 'checkpoint' }>): void {
    try {
      const answer = this.#context.payee.countersign(viewer, message.record, message.signature);
      this.#peer.send({ type: 'countersigned', ...answer });
    } catch (error) {
      if (!isAceError(error) || error.reaction !== 'ignore') throw error;
    }
  }

  #open(message: Extract<Message, { type: 'open' }>): void {
    if (!this.#viewer || this.#free || this.#queue.length > 0) throw unexpected(message);
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
    this.#channel.onSiblingPaid = () => this.#wake();
    this.#peer.send({ type: 'opened', ...this.#channel.books });
  }

  async #send(): Promise<void> {
    while (!this.#ended) {
      const request = this.#queue[0];
      if (!request) {
        this.#acknowledge();
        await this.#peer.writable();
        // What came while it waited had nobody to wake.
        if (!this.#ended && this.#queue.length === 0 && !this.#channel?.dirty) await this.#woken();
        continue;
      }
      const file = this.#fileOf(request);
      const refusal = file ? await this.#refusal(request, file) : 'ContentUnknown';
      if (this.#ended) return;
      if (file && !refusal) await this.#serve(this.#group());
      else await this.#refuse(request, refusal ?? 'ContentUnknown');
    }
  }

  /** Why the request cannot be served, after waiting for a payment that is due. */
  async #refusal(request: Request, file: TransportFile): Promise<string | null> {
    if (request.pieceIndex >= file.pieceHashes.length) return 'PieceUnknown';
    if (this.#free) return null;
    const deadlineMs = performance.now() + this.#context.timeouts.paymentMs;
    for (;;) {
      const obstacle = this.#obstacle(this.#served(request, file).newBytes);
      if (obstacle !== 'PaymentOverdue') return obstacle;
      this.#acknowledge();
      if (performance.now() >= deadlineMs) return obstacle;
      await this.#woken(deadlineMs - performance.now());
      if (this.#ended) return obstacle;
    }
  }

  #obstacle(lengthBytes: number): string | null {
    if (this.#free) return null;
    return this.#channel ? this.#channel.obstacle(lengthBytes) : 'ChannelUnleased';
  }

  /** What sending the piece would book: nothing when it was lost with the stream before. */
  #served(request: Request, file: TransportFile): Served {
    const resend = this.#channel?.isOwed(keyOf(request)) ?? false;
    return { request, file, resend, newBytes: resend ? 0 : pieceLength(file.sizeBytes, request.pieceIndex) };
  }

  /** Requests at the head of the queue that the window has room for together: one commit serves them all. */
  #group(): Served[] {
    const group: Served[] = [];
    const keys = new Set<string>();
    let totalBytes = 0;
    for (const request of this.#queue.slice(0, MAX_GROUP_PIECES)) {
      const file = this.#fileOf(request);
      if (!file || request.pieceIndex >= file.pieceHashes.length) break;
      const served = this.#served(request, file);
      // What is owed is owed once: the same piece again waits until this group has taken that.
      if (served.resend && keys.has(keyOf(request))) break;
      if (this.#obstacle(totalBytes + served.newBytes) !== null) break;
      totalBytes += served.newBytes;
      keys.add(keyOf(request));
      group.push(served);
    }
    return group;
  }

  /** Sends pieces; leaves the requests where they are when something else has used up the window meanwhile. */
  async #serve(group: Served[]): Promise<void> {
    const { store, meter } = this.#context;
    const loaded = await this.#takeAll(group);
    if (!loaded) return;
    const totalBytes = loaded.reduce((total, piece) => total + (piece?.bytes.byteLength ?? 0), 0);
    const newBytes = group.reduce((total, served, i) => total + (loaded[i] ? served.newBytes : 0), 0);
    // Asked again: the reads took time, and from here to the commit nothing can come between.
    if (this.#ended || this.#obstacle(newBytes) !== null) return;
    this.#queue.splice(0, group.length);
    this.#channel?.serve(
      newBytes,
      group
        .filter((_, i) => loaded[i])
        .map(({ request, file, resend }) => ({
          key: keyOf(request),
          bytes: pieceLength(file.sizeBytes, request.pieceIndex),
          resend,
        })),
    );
    const book = () => {
      group.forEach(({ request }, i) => {
        const piece = loaded[i];
        if (piece) store.contents.addUpBytes(request.contentId, piece.bytes.byteLength);
        // The disk lost it or changed it: never sent, never charged.
        else store.contents.removePiece(request.contentId, request.pieceIndex);
      });
    };
    if (this.#channel) this.#channel.commit(book);
    else store.commit(book);

    this.#loader.paid((this.#channel?.books.paidUnits ?? 0) * PIECE_BYTES);
    let servedBytes = (this.#channel?.books.servedBytes ?? 0) - newBytes;
    for (const [i, { newBytes }] of group.entries()) {
      const piece = loaded[i];
      if (!piece) continue;
      servedBytes += newBytes;
      if (this.#channel && newBytes > 0) this.#loader.sending(piece, servedBytes);
    }
    this.#readAhead();
    for (const [i, { request }] of group.entries()) {
      const piece = loaded[i];
      if (piece) await this.#sendPiece(request.id, piece);
      else this.#peer.send({ type: 'refused', id: request.id, code: 'PieceUnknown' });
    }
    meter.add({ upBytes: totalBytes });
    this.#context.onChange();
  }

  /** `null` when the disk could not be read: the first request is refused, and nothing is forgotten for it. */
  async #takeAll(group: readonly Served[]): Promise<(LoadedPiece | null)[] | null> {
    try {
      return await Promise.all(group.map(({ request, file }) => this.#loader.take(request, file)));
    } catch (error) {
      if (!isAceError(error, 'FileUnreadable')) throw error;
      this.#context.log.error({ err: error }, 'a piece could not be read; its viewer was refused');
      const first = group[0];
      if (first && !this.#ended) await this.#refuse(first.request, error.code);
      return null;
    }
  }

  /** Reads the next few pieces while those before them go out. */
  #readAhead(): void {
    for (const request of this.#queue.slice(0, MAX_GROUP_PIECES)) {
      const file = this.#fileOf(request);
      if (file && request.pieceIndex < file.pieceHashes.length) this.#loader.readAhead(request, file);
    }
  }

  async #sendPiece(id: number, { bytes, chunkHashes }: LoadedPiece): Promise<void> {
    const ackedUnits = this.#channel?.books.paidUnits ?? 0;
    this.#peer.send({ type: 'piece', id, ackedUnits, chunkHashes });
    for (let offset = 0; offset < bytes.byteLength; offset += SEND_BYTES) {
      this.#peer.send(...chunksOf(bytes.subarray(offset, offset + SEND_BYTES)));
      await this.#peer.writable();
    }
  }

  async #refuse(request: Request, code: string): Promise<void> {
    this.#queue.shift();
    this.#loader.forget(request);
    this.#peer.send({ type: 'refused', id: request.id, code });
    await this.#peer.writable();
  }

  /** Makes ticks durable that no piece carries an acknowledgement for, and says so. */
  #acknowledge(): void {
    if (!this.#channel?.dirty) return;
    this.#channel.commit();
    this.#peer.send({ type: 'ack', units: this.#channel.books.paidUnits });
    this.#context.onChange();
  }

  #fileOf(request: Request): TransportFile | null {
    const known = this.#files.get(request.contentId);
    if (known) return known;
    const row = this.#context.store.contents.get(request.contentId);
    if (!row) return null;
    const file = readTransportFile(request.contentId, row.transport);
    // A stream is for one content, or a few: asking for many must not cost memory.
    if (this.#files.size >= MAX_FILES) this.#files.clear();
    this.#files.set(request.contentId, file);
    return file;
  }

  #woken(timeoutMs?: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = timeoutMs === undefined ? undefined : setTimeout(resolve, timeoutMs);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

function keyOf({ contentId, pieceIndex }: Request): string {
  return `${contentId}/${pieceIndex}`;
}

function unexpected(message: Message | null): AceError {
  return new AceError('MessageUnexpected', `The viewer sent ${message?.type ?? 'nothing'} out of turn`, {
    reaction: 'drop-peer',
  });
}

function chunksOf(bytes: Uint8Array): Message[] {
  const chunks: Message[] = [];
  for (let offset = 0; offset < bytes.byteLength; offset += CHUNK_BYTES) {
    chunks.push({ type: 'chunk', data: bytes.subarray(offset, offset + CHUNK_BYTES) });
  }
  return chunks;
}
