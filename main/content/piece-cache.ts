/**
 * Keeps the bytes of the piece store below the user's limit. Room is reserved before a piece is asked for, so the disk
 * never holds more than the limit; when it was lowered, or a piece came unasked, by what is in flight at most.
 *
 * The least recently used content goes first, from its end. What is held (played, fetched), pinned, or a user's own file
 * never goes. The order is that of `content-use.ts`.
 *
 * Of a content that does not fit, and so is played through a window (`admissions.ts`), the pieces that no player needs
 * next go, least recently used first, once there is nothing else to remove.
 */
import { stat } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { PIECE_BYTES, pieceLength } from '../../shared/economy/units.ts';
import { AceError, isAceError } from '../../shared/errors.ts';
import { formatBytes } from '../../shared/format-bytes.ts';
import type { StoredContent } from '../db/node/contents.ts';
import type { NodeStore } from '../db/node/store.ts';
import { Admissions } from './admissions.ts';
import { ContentUse } from './content-use.ts';
import { isMissing } from './file-stamp.ts';
import type { LoosePieces } from './loose-pieces.ts';

export interface PieceCacheContext {
  readonly store: NodeStore;
  readonly nowMs: () => number;
  readonly pathOf: (contentId: string) => string;
  readonly loose: LoosePieces;
  /** Takes these pieces off the disk and out of the books; of a content's file, those at its end. */
  readonly drop: (contentId: string, pieces: readonly number[]) => Promise<void>;
}

/** What keeps a content here, and who counts on its pieces. */
export interface CacheUsers {
  /** Pieces of it are on their way. */
  isFetching(contentId: string): boolean;
  /** It is about to lose pieces: they must not be counted on any more. */
  leave(contentId: string): Promise<void>;
  /** The pieces at which players, or others who take it as it comes, read it now. */
  readers(contentId: string): readonly number[];
  /** It has lost these pieces, and goes on being fetched. */
  lost(contentId: string, pieces: readonly number[]): void;
}

/** Removed at a time, so that not every piece that comes costs a commit and a truncation. */
const STEP_BYTES = 32 * PIECE_BYTES;
const STEP_OF_LIMIT = 50;
/** A file that is not in the books may be about to get there for so long after it was written. */
const BOOKING_MS = 30_000;
/** A wait for room in a window looks again this often. */
const LOOK_MS = 50;
/** With nothing on its way, and nothing that may go, this long: there is no room. */
const NO_ROOM_MS = 1_500;
/** A list of what is pinned is good for so long. */
const PINNED_MS = 1_000;

export class PieceCache {
  readonly #context: PieceCacheContext;
  /** Bytes on the disk by content; at least what is there. */
  readonly #bytes = new Map<string, number>();
  /** Bytes asked for and not written, by content. */
  readonly #reserved = new Map<string, number>();
  readonly #use: ContentUse;
  readonly #admissions: Admissions;
  #pinned: { readonly ids: ReadonlySet<string>; readonly atMs: number } | null = null;
  #limitBytes: number | null = null;
  #evicting: Promise<unknown> = Promise.resolve();
  #users: CacheUsers = {
    isFetching: () => false,
    leave: async () => undefined,
    readers: () => [],
    lost: () => undefined,
  };

  constructor(context: PieceCacheContext) {
    this.#context = context;
    this.#use = new ContentUse(context.store, context.nowMs);
    this.#admissions = new Admissions({
      keptBytes: (except) => this.#keptBytes(except),
      isPinned: (contentId) => this.#pinnedIds().has(contentId),
      isFetching: (contentId) => this.#users.isFetching(contentId),
      readers: (contentId) => this.#users.readers(contentId).length,
    });
  }

  usedBy(users: CacheUsers): void {
    this.#users = users;
  }

  /** Bytes on the disk. */
  get usedBytes(): number {
    return total(this.#bytes);
  }

  get limitBytes(): number | null {
    return this.#limitBytes;
  }

  /** `null` is no limit. What is above it goes now, as far as it may. */
  async setLimit(limitBytes: number | null): Promise<void> {
    this.#limitBytes = limitBytes;
    this.#admissions.clear();
    await this.#alone(() => this.#fit(0));
  }

  /** What a content takes up now. */
  async measure(contentId: string): Promise<void> {
    const path = this.#context.pathOf(contentId);
    const found = await stat(path).catch((error: unknown) => {
      if (isMissing(error)) return null;
      throw error;
    });
    // Holes take nothing up. The part of a block at the end does.
    const fileBytes = found ? Math.min(found.blocks * 512, Math.ceil(found.size / 4_096) * 4_096) : 0;
    const bytes = fileBytes + this.#context.loose.bytes(contentId);
    if (bytes > 0) this.#bytes.set(contentId, bytes);
    else this.#bytes.delete(contentId);
  }

  /** Nothing of the content is removed until the answer is called: with `false` when it came to no use. */
  hold(contentId: string): (isUsed?: boolean) => void {
    return this.#use.hold(contentId);
  }

  isHeld(contentId: string): boolean {
    return this.#use.isHeld(contentId);
  }

  /** It is used now. */
  touch(contentId: string): void {
    this.#use.touch(contentId);
  }

  saveUse(): void {
    this.#use.save();
  }

  /**
   * Makes room for bytes of a content before they are asked for. The answer gives back what was not written.
   * @throws AceError `CacheFull` when the content does not fit, or nothing that may go is left; what `signal` says
   */
  async reserve(
    contentId: string,
    bytes: number,
    signal?: AbortSignal,
  ): Promise<(writtenBytes: number) => void> {
    const take = () => this.#reserved.set(contentId, (this.#reserved.get(contentId) ?? 0) + bytes);
    if (this.#excess(bytes) <= 0) take();
    else {
      const tryToTake = () =>
        this.#alone(async () => {
          await this.#fit(bytes, contentId);
          const fits = this.#excess(bytes) <= 0;
          if (fits) take();
          return fits;
        });
      let stuckAtMs = performance.now();
      while (!(await tryToTake())) {
        // What a window's players need next has room in it, once what was asked for before has come.
        if (this.#reserved.has(contentId)) stuckAtMs = performance.now();
        const isStuck = performance.now() - stuckAtMs >= NO_ROOM_MS;
        if (isStuck || !this.#admissions.isWindow(contentId)) throw this.#full(contentId);
        await delay(LOOK_MS, undefined, signal && { signal });
      }
    }
    let isTaken = true;
    return (writtenBytes) => {
      if (isTaken) this.#unreserve(contentId, bytes - writtenBytes);
      isTaken = false;
    };
  }

  /**
   * Makes room for a file that is copied in. The answer gives the reservation back.
   * @throws AceError `CacheFull`
   */
  async reserveImport(name: string, sizeBytes: number): Promise<() => void> {
    const key = `import ${name}`;
    if (this.#limitBytes !== null && sizeBytes > this.#limitBytes) throw this.#tooLarge(name, sizeBytes);
    try {
      const release = await this.reserve(key, sizeBytes);
      return () => release(0);
    } catch (error) {
      throw isAceError(error, 'CacheFull') ? this.#tooLarge(name, sizeBytes) : error;
    }
  }

  /** A piece was written: what was reserved for it is on the disk now, or was before (`newBytes`). */
  written(contentId: string, bytes: number, newBytes = bytes): void {
    this.#unreserve(contentId, bytes);
    this.#bytes.set(contentId, (this.#bytes.get(contentId) ?? 0) + newBytes);
  }

  /** These pieces went from under those who use them. */
  lost(contentId: string, pieces: readonly number[]): void {
    this.#bytes.set(contentId, this.#context.loose.bytes(contentId));
    this.#users.lost(contentId, pieces);
  }

  /** Its files are gone. */
  removed(contentId: string): void {
    this.#bytes.delete(contentId);
    this.#use.forget(contentId);
  }

  /** A content is fetched once it was let in, see `admissions.ts`. @throws AceError `CacheFull` */
  admit(contentId: string): void {
    const file = this.#context.store.contents.file(contentId);
    if (this.#limitBytes === null || !file) return;
    if (!this.#admissions.has(contentId)) this.#pinned = null;
    if (!this.#admissions.admit(contentId, file.sizeBytes, this.#limitBytes)) throw this.#full(contentId);
  }

  /** Whether all of it can be kept, beside what stays now. */
  fits(contentId: string): boolean {
    const file = this.#context.store.contents.file(contentId);
    if (this.#limitBytes === null || !file) return true;
    this.#pinned = null;
    return this.#admissions.fitsWhole(contentId, file.sizeBytes, this.#limitBytes);
  }

  /** Whether pieces of it that come are kept in files of their own, so that each can go alone. */
  isWindow(contentId: string): boolean {
    return this.#admissions.isWindow(contentId);
  }

  /**
   * Pieces that may be fetched ahead of each of a content's readers; `null` when all of it may. It is let in for that,
   * when it can be.
   */
  aheadPieces(contentId: string, sizeBytes: number): number | null {
    if (this.#limitBytes === null) return null;
    this.#admissions.admit(contentId, sizeBytes, this.#limitBytes);
    return this.#admissions.aheadPieces(contentId, this.#limitBytes);
  }

  #unreserve(contentId: string, bytes: number): void {
    const left = (this.#reserved.get(contentId) ?? 0) - bytes;
    if (left > 0) this.#reserved.set(contentId, left);
    else this.#reserved.delete(contentId);
  }

  /** Bytes above the limit, were so many more there. */
  #excess(moreBytes: number): number {
    if (this.#limitBytes === null) return Number.NEGATIVE_INFINITY;
    return this.usedBytes + total(this.#reserved) + moreBytes - this.#limitBytes;
  }

  #alone<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#evicting.then(work);
    this.#evicting = result.catch(() => undefined); // the caller gets the error
    return result;
  }

  /** Removes what may go until so many bytes more fit, or nothing is left that may. */
  async #fit(moreBytes: number, forContent?: string): Promise<void> {
    while (this.#excess(moreBytes) > 0) {
      const bytes = Math.max(this.#excess(moreBytes), this.#stepBytes);
      const least = this.#leastUsed(forContent);
      if (!least) {
        if (await this.#shrinkWindows(bytes, forContent)) continue;
        return;
      }
      await this.#users.leave(least.contentId);
      // It may have been taken up again meanwhile.
      if (this.#isNeeded(least.contentId)) continue;
      const fromPiece = firstToGo(least, bytes);
      const { contents } = this.#context.store;
      const pieces = contents.pieces.of(least.contentId).filter((index) => index >= fromPiece);
      await this.#context.drop(least.contentId, pieces);
      await this.measure(least.contentId);
    }
  }

  get #stepBytes(): number {
    return Math.min(STEP_BYTES, Math.floor((this.#limitBytes ?? 0) / STEP_OF_LIMIT));
  }

  /** Removes pieces that no reader of a window needs next, the content's own first. Whether there were any. */
  async #shrinkWindows(bytes: number, forContent: string | undefined): Promise<boolean> {
    const windows = this.#admissions.windows();
    const ordered = forContent ? [forContent, ...windows.filter((other) => other !== forContent)] : windows;
    for (const contentId of ordered) {
      const file = windows.includes(contentId) && this.#context.store.contents.file(contentId);
      if (!file || file.pinned) continue;
      const pieces = this.#behind(contentId, file.sizeBytes, bytes);
      if (pieces.length === 0) continue;
      this.#users.lost(contentId, pieces);
      await this.#context.drop(contentId, pieces);
      await this.measure(contentId);
      return true;
    }
    return false;
  }

  /** Pieces of so many bytes that no reader needs next, least recently used first; fewer when there are not as many. */
  #behind(contentId: string, sizeBytes: number, bytes: number): number[] {
    const { loose, store, nowMs } = this.#context;
    const ahead = this.#admissions.aheadPieces(contentId, this.#limitBytes ?? 0) ?? 0;
    const readers = this.#users.readers(contentId);
    const isNeeded = (index: number) => readers.some((at) => index >= at && index < at + ahead);
    const pieces: number[] = [];
    let goneBytes = 0;
    const add = (index: number) => {
      pieces.push(index);
      goneBytes += pieceLength(sizeBytes, index);
    };
    for (const [index, usedAtMs] of loose.byUse(contentId)) {
      if (goneBytes >= bytes) return pieces;
      const isBooked = store.contents.pieces.has(contentId, index);
      if (!isNeeded(index) && (isBooked || nowMs() - usedAtMs > BOOKING_MS)) add(index);
    }
    // What came before it was a window lies in one file, and that can only be cut.
    for (const index of store.contents.pieces.of(contentId).toReversed()) {
      if (loose.has(contentId, index)) continue;
      if (goneBytes >= bytes || isNeeded(index)) break;
      add(index);
    }
    return pieces;
  }

  #leastUsed(forContent: string | undefined): StoredContent | undefined {
    const usedAtMs = (content: StoredContent) => this.#use.usedAtMs(content.contentId) ?? content.usedAtMs;
    return this.#context.store.contents
      .stored()
      .filter((c) => !c.pinned && c.contentId !== forContent && !this.#isNeeded(c.contentId))
      .toSorted((a, b) => usedAtMs(a) - usedAtMs(b))[0];
  }

  #isNeeded(contentId: string): boolean {
    return this.isHeld(contentId) || this.#admissions.has(contentId);
  }

  /** Bytes of what is pinned or played, without `except`. */
  #keptBytes(except: (contentId: string) => boolean): number {
    const pinned = this.#pinnedIds();
    let sum = 0;
    for (const [contentId, bytes] of this.#bytes) {
      if ((pinned.has(contentId) || this.isHeld(contentId)) && !except(contentId)) sum += bytes;
    }
    return sum;
  }

  #pinnedIds(): ReadonlySet<string> {
    const atMs = performance.now();
    if (!this.#pinned || atMs - this.#pinned.atMs > PINNED_MS)
      this.#pinned = { ids: new Set(this.#context.store.contents.pinned()), atMs };
    return this.#pinned.ids;
  }

  #full(contentId: string): AceError {
    const file = this.#context.store.contents.file(contentId);
    return this.#tooLarge(file?.name ?? contentId, file?.sizeBytes ?? 0);
  }

  #tooLarge(name: string, sizeBytes: number): AceError {
    const limitBytes = this.#limitBytes ?? 0;
    return new AceError(
      'CacheFull',
      `"${name}" (${formatBytes(sizeBytes)}) does not fit: the limit is ${formatBytes(limitBytes)}, and what is played, fetched or pinned stays. Raise the limit, or delete or unpin something`,
      { reaction: 'pause-channel', details: { name, sizeBytes, limitBytes } },
    );
  }
}

/** The first of the pieces at the end that weigh so much together. */
function firstToGo({ lastPiece, sizeBytes }: StoredContent, bytes: number): number {
  let goneBytes = 0;
  for (let index = lastPiece; index > 0; index--) {
    goneBytes += pieceLength(sizeBytes, index);
    if (goneBytes >= bytes) return index;
  }
  return 0;
}

function total(values: ReadonlyMap<string, number>): number {
  let sum = 0;
  for (const value of values.values()) sum += value;
  return sum;
}
