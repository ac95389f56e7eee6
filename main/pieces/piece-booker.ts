/**
 * What a viewer does with a piece that is all here and right: writes it, books and pays it in one commit, and only then
 * sends the tick. What arrives meanwhile makes the next group: one commit for many.
 */
import { AceError } from '../../shared/errors.ts';
import type { PayerChannel } from '../channel/payer.ts';
import type { PieceStore } from '../content/piece-store.ts';
import type { NodeStore } from '../db/node/store.ts';
import type { Meter } from '../p2p/meter.ts';
import { Signal } from '../util/signal.ts';
import type { FetchedPiece, PieceRequest } from './fetching.ts';
import { GATHER_MS, gatheredPieces } from './gathering.ts';
import type { Message } from './messages.ts';

/** A piece that is all here and right. */
export interface ArrivedPiece {
  readonly requestId: number;
  readonly request: PieceRequest;
  readonly bytes: Uint8Array;
}

export interface BookerContext {
  readonly store: NodeStore;
  readonly pieces: PieceStore;
  readonly meter: Meter;
  readonly nowMs: () => number;
}

/** The stream that the pieces arrive on. */
export interface BookerStream {
  /** The provider's. */
  readonly account: string;
  /** What pays for them; `null` between devices of one account. */
  readonly channel: PayerChannel | null;
  readonly failed: boolean;
  /** Another piece has begun to arrive. */
  readonly arriving: boolean;
  /** From a message to its answer, as far as it is known. */
  readonly roundTripMs: number;
  send(message: Message): void;
  sendDueCheckpoint(): void;
  /** The piece is on the disk: its buffer is free. */
  written(bytes: Uint8Array): void;
  booked(requestId: number, piece: FetchedPiece): void;
  fail(error: unknown): void;
}

export class PieceBooker {
  readonly #context: BookerContext;
  readonly #stream: BookerStream;
  readonly #arrived: ArrivedPiece[] = [];
  #isRunning = false;
  /** The latest run, ended or not. */
  #run: Promise<void> = Promise.resolve();
  #lastArrivedAtMs = Number.NEGATIVE_INFINITY;
  /** Between the last two pieces. */
  #pieceMs = Number.POSITIVE_INFINITY;
  /** A piece is here, or none will come any more. */
  readonly #signal = new Signal();

  constructor(context: BookerContext, stream: BookerStream) {
    this.#context = context;
    this.#stream = stream;
  }

  add(piece: ArrivedPiece): void {
    const nowMs = performance.now();
    this.#pieceMs = nowMs - this.#lastArrivedAtMs;
    this.#lastArrivedAtMs = nowMs;
    this.#arrived.push(piece);
    this.#signal.notify();
    if (this.#isRunning) return;
    this.#isRunning = true;
    this.#run = this.#bookAll();
  }

  /** The stream has ended: nothing more arrives. */
  stopWaiting(): void {
    this.#signal.notify();
  }

  /** Resolves when nothing is being stored or booked. */
  idle(): Promise<void> {
    return this.#run;
  }

  async #bookAll(): Promise<void> {
    try {
      while (this.#arrived.length > 0 && !this.#stream.failed) await this.#book(await this.#gather());
    } catch (error) {
      this.#stream.fail(error);
    } finally {
      // Nothing can arrive between the last look and this line: a piece that comes later starts a new run.
      this.#isRunning = false;
    }
  }

  /** Writes pieces as they come, as many as are booked together; they are counted alike. */
  async #gather(): Promise<ArrivedPiece[]> {
    const stream = this.#stream;
    const group: ArrivedPiece[] = [];
    const deadlineMs = performance.now() + GATHER_MS;
    while (!stream.failed) {
      // One after the other: writes to one file wait for each other anyway, and in the kernel they do so spinning.
      for (let next = this.#nextOf(group); next && !stream.failed; next = this.#nextOf(group)) {
        const { request, bytes } = next;
        group.push(next);
        await this.#context.pieces.write(request.contentId, request.pieceIndex, bytes);
        stream.written(bytes);
      }
      const leftMs = deadlineMs - performance.now();
      const waits =
        stream.arriving && this.#arrived.length === 0 && group.length < this.#most() && leftMs > 0;
      if (!waits) break;
      await this.#signal.wait(leftMs);
    }
    return group;
  }

  /** Pieces of one commit, as things are now. */
  #most(): number {
    const { channel, roundTripMs } = this.#stream;
    const paidUnits = channel && !channel.disputed ? channel.state.revealedUnits : null;
    return gatheredPieces({ paidUnits, roundTripMs, pieceMs: this.#pieceMs });
  }

  /** The next piece, if it is counted like the others of the group. */
  #nextOf(group: readonly ArrivedPiece[]): ArrivedPiece | undefined {
    const [next] = this.#arrived;
    if (next && group[0] && next.request.video !== group[0].request.video) return undefined;
    return this.#arrived.shift();
  }

  async #book(group: readonly ArrivedPiece[]): Promise<void> {
    const { pieces, meter } = this.#context;
    const stream = this.#stream;
    if (stream.failed) return;
    const verifiedBytes = group.reduce((total, { bytes }) => total + bytes.byteLength, 0);
    let paidUnits = this.#pay(group, verifiedBytes);
    stream.sendDueCheckpoint();
    for (const { requestId, request, bytes } of group) {
      meter.add({ downBytes: bytes.byteLength }, { contentId: request.contentId, account: stream.account });
      stream.booked(requestId, { pieceIndex: request.pieceIndex, bytes: bytes.byteLength, paidUnits });
      paidUnits = 0;
    }
    for (const { request } of group) await pieces.pieceWritten(request.contentId, request.pieceIndex);
  }

  /** Books the group and its payment together, then sends the tick. The answer is the units it paid. */
  #pay(group: readonly ArrivedPiece[], verifiedBytes: number): number {
    const { store, pieces, nowMs } = this.#context;
    const { channel, account } = this.#stream;
    const book = () => {
      for (const { request, bytes } of group) {
        pieces.bookPiece(request.contentId, request.pieceIndex);
        const { contentId } = request;
        const downBytes = bytes.byteLength;
        store.contents.addDownBytes(contentId, downBytes);
        store.traffic.add({ contentId, account, downBytes, upBytes: 0 }, nowMs());
        if (channel) store.channelContents.add(channel.state.channelId, contentId, downBytes);
      }
    };
    if (!channel || channel.disputed) {
      store.commit(book);
      return 0;
    }
    // Nobody was asked for more than the channel carries. Whatever a peer found to get here, it is the peer's fault.
    if (verifiedBytes > channel.roomBytes) {
      throw new AceError('MessageUnexpected', 'The provider sent more than the channel carries', {
        reaction: 'drop-peer',
      });
    }
    const before = channel.state.revealedUnits;
    const payment = channel.pay(verifiedBytes, group[0]?.request.video === true, book);
    if (!payment) return 0;
    this.#stream.send({ type: 'tick', ...payment });
    return payment.index - before;
  }
}
