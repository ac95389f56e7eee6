/**
 * What is wanted of one content, and in which order: what lies ahead of its readers, nearest first and no more than
 * that, so that nobody pays for a video they stop watching; then everything else, for a download, or for as long as
 * somebody takes all of it.
 */
import { PIECE_BYTES, pieceCount, pieceLength } from '../../shared/economy/units.ts';
import { isMedia, type TransportFile } from '../content/transport-file.ts';
import type { Want } from './picker.ts';

/** Where a player reads, or where bytes are taken to be kept. */
export interface Reader {
  pieceIndex: number;
  /** Somebody watches what is read here. */
  readonly watches: boolean;
  /** All up to its end is taken, as fast as it comes: it is wanted at once, and no longer than somebody reads. */
  readonly takesAll: boolean;
}

const AHEAD_MIN_PIECES = 12;
const AHEAD_MS = 30_000;

export class Demand {
  readonly #file: TransportFile;
  readonly #count: number;
  readonly #readers = new Set<Reader>();
  #downloading = false;
  /** See `limitAhead`. */
  #mostAhead: number | null = null;
  /** Nothing below is missing, as far as was looked: a download goes on from here. */
  #firstMissing = 0;
  /** The order of a download when some providers lack something. */
  #rarest: { readonly key: string; readonly order: readonly number[] } | null = null;

  constructor(file: TransportFile) {
    this.#file = file;
    this.#count = pieceCount(file.sizeBytes);
  }

  get hasReaders(): boolean {
    return this.#readers.size > 0;
  }

  /** Whether anybody wants more than what lies ahead of a reader. */
  get wantsAll(): boolean {
    return this.#downloading || [...this.#readers].some(({ takesAll }) => takesAll);
  }

  download(): void {
    this.#downloading = true;
  }

  /** The pieces at which readers are. */
  get readerPieces(): number[] {
    return [...this.#readers].map(({ pieceIndex }) => pieceIndex);
  }

  get isLimited(): boolean {
    return this.#mostAhead !== null;
  }

  /** No more pieces than these ahead of each reader, and none for a download; `null` takes that back. */
  limitAhead(pieces: number | null): void {
    this.#mostAhead = pieces;
  }

  addReader(pieceIndex: number, watches: boolean, takesAll = false): Reader {
    const reader = { pieceIndex, watches: watches && isMedia(this.#file), takesAll };
    this.#readers.add(reader);
    return reader;
  }

  removeReader(reader: Reader): void {
    this.#readers.delete(reader);
  }

  /** A piece is missing again. */
  forget(pieceIndex: number): void {
    this.#firstMissing = Math.min(this.#firstMissing, pieceIndex);
  }

  /**
   * Pieces to ask for, in the order of need.
   * @param isMissing neither here nor on its way
   * @param bytesPerMs how fast all providers are together: a reader of what has no duration takes it as it comes
   */
  *wants(isMissing: (index: number) => boolean, bytesPerMs: number): Generator<Want> {
    const given = new Set<number>();
    for (let distance = 0; distance < this.#aheadPieces(); distance++) {
      // Who watches comes first, so that a piece which somebody watches and somebody keeps is one that is watched.
      for (const watches of [true, false]) {
        for (const reader of this.#readers) {
          const index = reader.pieceIndex + distance;
          const wanted = reader.watches === watches && index < this.#count && !given.has(index);
          if (!wanted || !isMissing(index)) continue;
          given.add(index);
          yield this.#want(index, distance * this.#playMs(bytesPerMs), watches);
        }
      }
    }
    const from = this.#allFrom();
    if (from === null) return;
    for (const index of this.#downloadOrder()) {
      if (index >= from && !given.has(index) && isMissing(index))
        yield this.#want(index, Number.POSITIVE_INFINITY, false);
    }
  }

  /** When a player needs the piece, from now: 0 or less when one waits for it, `Infinity` when none will. */
  deadlineMs(pieceIndex: number, bytesPerMs: number): number {
    let deadline = Number.POSITIVE_INFINITY;
    for (const reader of this.#readers) {
      const distance = pieceIndex - reader.pieceIndex;
      if (distance < 0 || distance >= this.#aheadPieces()) continue;
      deadline = Math.min(deadline, distance * this.#playMs(bytesPerMs));
    }
    return deadline;
  }

  /** Whether anybody still wants the piece. */
  wanted(pieceIndex: number): boolean {
    const from = this.#allFrom();
    return (
      (from !== null && pieceIndex >= from) || this.deadlineMs(pieceIndex, 1) !== Number.POSITIVE_INFINITY
    );
  }

  /** Everything from this piece on is wanted, however far it is from a reader; `null`: nothing is. */
  #allFrom(): number | null {
    if (this.#mostAhead !== null) return null;
    if (this.#downloading) return 0;
    const taken = [...this.#readers].filter(({ takesAll }) => takesAll);
    return taken.length === 0 ? null : Math.min(...taken.map(({ pieceIndex }) => pieceIndex));
  }

  /**
   * A download takes first what the fewest providers have, and among those in the order that `salt` gives: two that fetch the same from
   * each other do not fetch it in the same order. While all have everything the order is that of the content.
   * @param holders providers that have the piece
   */
  preferRare(key: string, holders: ((index: number) => number) | null, salt: number): void {
    if (holders === null) {
      this.#rarest = null;
      return;
    }
    if (this.#rarest?.key === key) return;
    const rank = Array.from({ length: this.#count }, (_, index) => holders(index) * 2 + mixed(index, salt));
    const order = Array.from({ length: this.#count }, (_, index) => index).sort(
      (a, b) => (rank[a] ?? 0) - (rank[b] ?? 0),
    );
    this.#rarest = { key, order };
  }

  /** Pieces that are here need not be looked at again. */
  passOver(has: (index: number) => boolean): void {
    while (this.#firstMissing < this.#count && has(this.#firstMissing)) this.#firstMissing += 1;
  }

  *#downloadOrder(): Generator<number> {
    if (this.#rarest) {
      yield* this.#rarest.order;
      return;
    }
    for (let index = this.#firstMissing; index < this.#count; index++) yield index;
  }

  #want(pieceIndex: number, deadlineMs: number, video: boolean): Want {
    return { pieceIndex, bytes: pieceLength(this.#file.sizeBytes, pieceIndex), deadlineMs, video };
  }

  /** How long a piece plays, or, of what has no duration, takes to come. */
  #playMs(bytesPerMs: number): number {
    const { sizeBytes, durationMs } = this.#file;
    return durationMs === 0
      ? PIECE_BYTES / Math.max(1, bytesPerMs)
      : Math.min(PIECE_BYTES, sizeBytes) * (durationMs / sizeBytes);
  }

  #aheadPieces(): number {
    return Math.min(this.#wishedPieces(), this.#mostAhead ?? Number.POSITIVE_INFINITY);
  }

  #wishedPieces(): number {
    const { sizeBytes, durationMs } = this.#file;
    if (durationMs === 0) return AHEAD_MIN_PIECES;
    return Math.max(AHEAD_MIN_PIECES, Math.ceil((sizeBytes / durationMs) * (AHEAD_MS / PIECE_BYTES)));
  }
}

/** Between 0 and 1, apparently at random, the same for the same. */
function mixed(index: number, salt: number): number {
  let x = Math.imul(index + 1, 0x9e3779b1) ^ salt;
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
  return ((x ^ (x >>> 16)) >>> 0) / 2 ** 32;
}
