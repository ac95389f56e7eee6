/**
 * The provider's end of a piece-exchange stream.
 *
 * Two loops share one stream. The reader takes messages and never waits for data to go out, so a tick is seen at once;
 * the sender serves requests in order, as far as the payer's window allows. What is sent was committed before.
 */
import type { Connection, Libp2p } from '@libp2p/interface';
import { AceError } from '../../../../shared/errors.ts';
import { CHUNK_BYTES, pieceLength } from '../../../../shared/units.ts';
import type { Counterparty, PayeeChannel, PayeeService } from '../../../channel/payee.ts';
import type { PieceStore } from '../../../content/piece-store.ts';
import {
  chunkHashesOf,
  pieceHash,
  readTransportFile,
  type TransportFile,
} from '../../../content/transport-file.ts';
import type { NodeStore } from '../../../db/node/store.ts';
import type { Log } from '../../../log.ts';
import type { FrameStream } from '../../frames.ts';
import { deviceKeyOf, serveProtocol } from '../../host.ts';
import type { Meter } from '../../meter.ts';
import {
  HANDSHAKE_TIMEOUT_MS,
  MAX_QUEUED_REQUESTS,
  PAYMENT_TIMEOUT_MS,
  PIECES_LIMITS,
  PIECES_PROTOCOL,
} from './constants.ts';
import type { Message } from './messages.ts';
import { type CertificateCheck, Peer } from './peer.ts';

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

class ProviderSession {
  readonly #context: ProviderContext;
  readonly #connection: Connection;
  readonly #peer: Peer;
  readonly #queue: Request[] = [];
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
  }

  async run(): Promise<void> {
    await this.#greet();
    const sender = this.#send();
    try {
      await Promise.race([this.#receive(), sender]);
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
    const hello = await this.#peer.receive(HANDSHAKE_TIMEOUT_MS);
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
          break;
        case 'request':
          if (this.#queue.length >= MAX_QUEUED_REQUESTS) {
            throw new AceError('TooManyRequests', 'More requests than a stream may have waiting', {
              reaction: 'drop-peer',
            });
          }
          this.#queue.push(message);
          break;
        case 'tick':
          if (!this.#channel) throw unexpected(message);
          this.#channel.tick(message.index, message.tick);
          break;
        case 'checkpoint': {
          if (!this.#viewer) throw unexpected(message);
          const answer = this.#context.payee.countersign(this.#viewer, message.record, message.signature);
          this.#peer.send({ type: 'countersigned', ...answer });
          if (this.#channel?.closed) {
            this.#channel.detach();
            this.#channel = null;
          }
          this.#context.onChange();
          break;
        }
        default:
          throw unexpected(message);
      }
      this.#wake();
    }
  }

  #open(message: Extract<Message, { type: 'open' }>): void {
    if (!this.#viewer || this.#free || this.#queue.length > 0) throw unexpected(message);
    this.#channel?.commit();
    this.#channel?.detach();
    this.#channel = null;
    try {
      this.#channel = this.#context.payee.open(this.#viewer, message);
    } catch (error) {
      if (error instanceof AceError) this.#peer.send({ type: 'refused', id: 0, code: error.code });
      throw error;
    }
    this.#channel.onTaken = () =>
      this.#peer.abort(new AceError('ChannelClosed', 'Another stream took the channel'));
    this.#peer.send({ type: 'opened', ...this.#channel.books });
  }

  async #send(): Promise<void> {
    while (!this.#ended) {
      const request = this.#queue[0];
      if (!request) {
        this.#acknowledge();
        await this.#woken();
        continue;
      }
      const file = this.#fileOf(request);
      const refusal = file ? await this.#refusal(request, file) : 'ContentUnknown';
      if (this.#ended) return;
      this.#queue.shift();
      if (refusal) this.#peer.send({ type: 'refused', id: request.id, code: refusal });
      else if (file) await this.#serve(request, file);
    }
  }

  /** Why the request cannot be served, after waiting for a payment that is due. */
  async #refusal(request: Request, file: TransportFile): Promise<string | null> {
    if (request.pieceIndex >= file.pieceHashes.length) return 'PieceUnknown';
    if (this.#free) return null;
    const lengthBytes = pieceLength(file.sizeBytes, request.pieceIndex);
    const deadlineMs = Date.now() + PAYMENT_TIMEOUT_MS;
    for (;;) {
      if (!this.#channel) return 'ChannelUnleased';
      const obstacle = this.#channel.obstacle(lengthBytes);
      if (obstacle !== 'PaymentOverdue') return obstacle;
      this.#acknowledge();
      if (Date.now() >= deadlineMs) return obstacle;
      await this.#woken(deadlineMs - Date.now());
      if (this.#ended) return obstacle;
    }
  }

  async #serve(request: Request, file: TransportFile): Promise<void> {
    const { pieces, store, meter } = this.#context;
    const { contentId, pieceIndex, id } = request;
    const bytes = await pieces.read(contentId, pieceIndex, file.sizeBytes).catch(() => null);
    const chunkHashes = bytes && chunkHashesOf(bytes);
    const expected = file.pieceHashes[pieceIndex];
    if (!bytes || !chunkHashes || !expected || Buffer.compare(pieceHash(chunkHashes), expected) !== 0) {
      // The disk lost it or changed it: never sent, never charged.
      store.commit(() => store.contents.removePiece(contentId, pieceIndex));
      this.#peer.send({ type: 'refused', id, code: 'PieceUnknown' });
      return;
    }
    this.#channel?.serve(bytes.byteLength);
    const book = () => store.contents.addUpBytes(contentId, bytes.byteLength);
    if (this.#channel) this.#channel.commit(book);
    else store.commit(book);

    this.#peer.send({ type: 'piece', id, ackedUnits: this.#channel?.books.paidUnits ?? 0, chunkHashes });
    for (let offset = 0; offset < bytes.byteLength; offset += CHUNK_BYTES) {
      this.#peer.send({ type: 'chunk', data: bytes.subarray(offset, offset + CHUNK_BYTES) });
      await this.#peer.writable();
    }
    meter.add({ upBytes: bytes.byteLength });
    this.#context.onChange();
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

function unexpected(message: Message | null): AceError {
  return new AceError('MessageUnexpected', `The viewer sent ${message?.type ?? 'nothing'} out of turn`, {
    reaction: 'drop-peer',
  });
}
