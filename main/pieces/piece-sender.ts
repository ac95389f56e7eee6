/**
 * Sends the pieces at the head of a stream's queue: reads and checks as many as the window has room for, books them in
 * one commit, and only then lets them out.
 */

import { CHUNK_BYTES, PIECE_BYTES, pieceLength } from '../../shared/economy/units.ts';
import { type ErrorCode, isAceError } from '../../shared/errors.ts';
import type { PieceStore } from '../content/piece-store.ts';
import type { TransportFile } from '../content/transport-file.ts';
import type { NodeStore } from '../db/node/store.ts';
import type { QueuedUpload } from '../limits/upload-queue.ts';
import type { Meter } from '../p2p/meter.ts';
import type { Log } from '../process/log.ts';
import type { AccessVisitor } from './access-gate.ts';
import type { FileShelf } from './file-shelf.ts';
import { chunksOf, pieceKey } from './messages.ts';
import { type LoadedPiece, PieceLoader } from './piece-loader.ts';
import type { ProviderChannel } from './provider-channel.ts';
import type { Remote } from './remote.ts';
import type { Request, RequestQueue } from './request-queue.ts';

export interface PieceSenderContext {
  readonly store: NodeStore;
  readonly pieces: PieceStore;
  readonly meter: Meter;
  readonly log: Log;
  readonly nowMs: () => number;
  /** Something this node's owner may want to see has changed. */
  readonly onChange: () => void;
}

/** The stream. */
export interface SenderStream {
  /** The viewer's. */
  readonly account: string;
  readonly remote: Remote;
  readonly queue: RequestQueue;
  /** Transport files of the stream's contents. */
  readonly files: FileShelf;
  readonly channel: ProviderChannel;
  /** What the viewer may have of what is sold. */
  readonly access: AccessVisitor;
  isEnded(): boolean;
}

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

export class PieceSender {
  readonly #context: PieceSenderContext;
  readonly #stream: SenderStream;
  readonly #loader: PieceLoader;

  constructor(context: PieceSenderContext, stream: SenderStream) {
    this.#context = context;
    this.#stream = stream;
    this.#loader = new PieceLoader(context.pieces);
  }

  /** The request will not be served. */
  forget(request: Request): void {
    this.#loader.forget(request);
  }

  /** Another channel counts from zero. */
  channelChanged(): void {
    this.#loader.forgetSent();
  }

  /** What sending the piece would book: nothing when it was lost with the stream before. */
  newBytes(request: Request, file: TransportFile): number {
    return this.#served(request, file).newBytes;
  }

  /**
   * Sends what the window has room for, at least nothing: requests are left where they are when something else has used
   * up the window meanwhile. @throws AceError `StoreFailed`, `PeerClosed`, `RequestTimeout`
   */
  async serve(upload: QueuedUpload): Promise<void> {
    const { store, pieces, nowMs } = this.#context;
    const { queue, account, channel: paidOn } = this.#stream;
    // A capped provider books one piece at a time: what it cannot send yet takes up nobody's window.
    const group = this.#group(upload.isRateLimited ? 1 : MAX_GROUP_PIECES);
    queue.hold(group.length);
    const loaded = await this.#takeAll(group);
    if (!loaded) return;
    const newBytes = group.reduce((total, served, i) => total + (loaded[i] ? served.newBytes : 0), 0);
    // Asked again: the reads took time, and from here to the commit nothing can come between.
    if (this.#stream.isEnded() || paidOn.obstacle(newBytes) !== null) return;
    queue.shift(group.length);
    for (const { request } of group) pieces.cache.touch(request.contentId);
    const channel = paidOn.current;
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
      group.forEach(({ request, resend }, i) => {
        const piece = loaded[i];
        if (!piece) {
          // The disk lost it or changed it: never sent, never charged.
          pieces.forgetPiece(request.contentId, request.pieceIndex);
          return;
        }
        // What was lost on its way was sent once, as the channel has it.
        if (resend) return;
        const { contentId } = request;
        const upBytes = piece.bytes.byteLength;
        store.contents.addUpBytes(contentId, upBytes);
        store.traffic.add({ contentId, account, downBytes: 0, upBytes }, nowMs());
        if (channel) store.channelContents.add(channel.state.channelId, contentId, upBytes);
      });
    };
    if (channel) await channel.commitSoon(book);
    else store.commit(book);
    if (this.#stream.isEnded()) return;
    this.#noteSent(group, loaded, newBytes, channel);
    this.#readAhead();
    for (const [i, { request }] of group.entries()) {
      const piece = loaded[i];
      if (piece) await this.#sendPiece(request, piece, upload);
      else this.#stream.remote.send({ type: 'refused', id: request.id, code: 'PieceUnknown' });
    }
    this.#context.onChange();
  }

  /** @param forMs for how long, where that is known */
  async refuse(request: Request, code: string, forMs: number | null = null): Promise<void> {
    const { remote, queue } = this.#stream;
    queue.shift(1);
    this.#loader.forget(request);
    remote.send({ type: 'refused', id: request.id, code, ...(forMs !== null && { forMs }) });
    await remote.writable();
  }

  /** Buffers are used again once they are paid for. */
  #noteSent(
    group: readonly Served[],
    loaded: readonly (LoadedPiece | null)[],
    newBytes: number,
    channel: ProviderChannel['current'],
  ): void {
    // Unless the viewer has left the channel meanwhile: another one counts from zero.
    if (!channel || channel !== this.#stream.channel.current) return;
    this.#loader.paid(channel.books.paidUnits * PIECE_BYTES);
    let servedBytes = channel.books.servedBytes - newBytes;
    for (const [i, { newBytes }] of group.entries()) {
      const piece = loaded[i];
      if (!piece) continue;
      servedBytes += newBytes;
      if (newBytes > 0) this.#loader.sending(piece, servedBytes);
    }
  }

  #served(request: Request, file: TransportFile): Served {
    const resend = this.#stream.channel.current?.isOwed(pieceKey(request)) ?? false;
    return { request, file, resend, newBytes: resend ? 0 : pieceLength(file.sizeBytes, request.pieceIndex) };
  }

  /** Requests at the head of the queue that the window has room for together: one commit serves them all. */
  #group(mostPieces: number): Served[] {
    const group: Served[] = [];
    const keys = new Set<string>();
    let totalBytes = 0;
    for (const request of this.#stream.queue.head(mostPieces)) {
      const file = this.#stream.files.get(request.contentId);
      if (!file || request.pieceIndex >= file.pieceHashes.length) break;
      // Refused by name when its turn comes.
      if (this.#context.store.contents.isPaused(request.contentId)) break;
      if (this.#stream.access.obstacle(request.contentId)) break;
      const served = this.#served(request, file);
      // What is owed is owed once: the same piece again waits until this group has taken that.
      if (served.resend && keys.has(pieceKey(request))) break;
      if (this.#stream.channel.obstacle(totalBytes + served.newBytes) !== null) break;
      totalBytes += served.newBytes;
      keys.add(pieceKey(request));
      group.push(served);
    }
    return group;
  }

  /** `null` when the disk could not be read: the first request is refused, and nothing is forgotten for it. */
  async #takeAll(group: readonly Served[]): Promise<(LoadedPiece | null)[] | null> {
    try {
      return await Promise.all(group.map(({ request, file }) => this.#loader.take(request, file)));
    } catch (error) {
      if (!isAceError(error) || !UNREADABLE.has(error.code)) throw error;
      this.#context.log.error({ err: error }, 'a piece could not be read; its viewer was refused');
      const first = group[0];
      if (first && !this.#stream.isEnded()) await this.refuse(first.request, error.code);
      return null;
    }
  }

  /** Reads the next few pieces while those before them go out. */
  #readAhead(): void {
    for (const request of this.#stream.queue.head(MAX_GROUP_PIECES)) {
      const file = this.#stream.files.get(request.contentId);
      if (file && request.pieceIndex < file.pieceHashes.length) this.#loader.readAhead(request, file);
    }
  }

  async #sendPiece(
    { id, contentId }: Request,
    { bytes, chunkHashes }: LoadedPiece,
    upload: QueuedUpload,
  ): Promise<void> {
    const { remote, account } = this.#stream;
    remote.send({ type: 'piece', id, chunkHashes });
    for (let offset = 0; offset < bytes.byteLength; ) {
      const part = bytes.subarray(offset, offset + (upload.isRateLimited ? CHUNK_BYTES : SEND_BYTES));
      await upload.waitForRate(part.byteLength);
      if (this.#stream.isEnded()) return;
      remote.send(...chunksOf(part));
      this.#context.meter.add({ upBytes: part.byteLength }, { contentId, account });
      offset += part.byteLength;
      await remote.writable();
    }
  }
}
