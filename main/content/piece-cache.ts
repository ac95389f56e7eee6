/**
 * Keeps the bytes of the piece store below the user's limit. Room is reserved before a piece is asked for, so the disk
 * never holds more than the limit; when it was lowered, or a piece came unasked, by what is in flight at most.
 *
 * The least recently used content goes first, from its end. What is held (played, fetched), pinned, or a user's own file
 * never goes. Use is noted in memory and saved now and then: after a kill the order is up to a minute old.
 */
import { stat } from 'node:fs/promises';
import { AceError, isAceError } from '../../shared/errors.ts';
import { formatBytes } from '../../shared/format-bytes.ts';
import { PIECE_BYTES, pieceLength } from '../../shared/units.ts';
import type { StoredContent } from '../db/node/contents.ts';
import type { NodeStore } from '../db/node/store.ts';
import { isMissing } from './file-stamp.ts';

export interface PieceCacheContext {
  readonly store: NodeStore;
  readonly nowMs: () => number;
  readonly pathOf: (contentId: string) => string;
  /** Takes the pieces from this one on off the disk and out of the books. */
  readonly drop: (contentId: string, fromPiece: number) => Promise<void>;
}

/** What keeps a content here, and who counts on its pieces. */
export interface CacheUsers {
  /** Pieces of it are on their way. */
  isFetching(contentId: string): boolean;
  /** It is about to lose pieces: nobody must count on them any more. */
  leave(contentId: string): Promise<void>;
}

/** Removed at a time, so that not every piece that comes costs a commit and a truncation. */
const STEP_BYTES = 32 * PIECE_BYTES;
const STEP_OF_LIMIT = 50;
const SAVE_USE_MS = 60_000;

export class PieceCache {
  readonly #context: PieceCacheContext;
  /** Bytes on the disk by content; at least what is there. */
  readonly #bytes = new Map<string, number>();
  /** Bytes asked for and not written, by content. */
  readonly #reserved = new Map<string, number>();
  readonly #held = new Map<string, number>();
  /** Contents that are being fetched, with what they will weigh. */
  readonly #admitted = new Map<string, number>();
  readonly #used = new Map<string, number>();
  #savedUseAtMs: number;
  #limitBytes: number | null = null;
  #evicting: Promise<unknown> = Promise.resolve();
  #users: CacheUsers = { isFetching: () => false, leave: async () => undefined };

  constructor(context: PieceCacheContext) {
    this.#context = context;
    this.#savedUseAtMs = context.nowMs();
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
    await this.#alone(() => this.#fit(0));
  }

  /** What the file of a content takes up now. */
  async measure(contentId: string): Promise<void> {
    const path = this.#context.pathOf(contentId);
    const found = await stat(path).catch((error: unknown) => {
      if (isMissing(error)) return null;
      throw error;
    });
    // Holes take nothing up. The part of a block at the end does.
    if (found)
      this.#bytes.set(contentId, Math.min(found.blocks * 512, Math.ceil(found.size / 4_096) * 4_096));
    else this.#bytes.delete(contentId);
  }

  /** Nothing of the content is removed until the answer is called. */
  hold(contentId: string): () => void {
    this.touch(contentId);
    this.#held.set(contentId, (this.#held.get(contentId) ?? 0) + 1);
    let isHeld = true;
    return () => {
      if (!isHeld) return;
      isHeld = false;
      const left = (this.#held.get(contentId) ?? 1) - 1;
      if (left > 0) this.#held.set(contentId, left);
      else this.#held.delete(contentId);
      this.touch(contentId);
    };
  }

  isHeld(contentId: string): boolean {
    return this.#held.has(contentId);
  }

  /** It is used now. */
  touch(contentId: string): void {
    const nowMs = this.#context.nowMs();
    this.#used.set(contentId, nowMs);
    if (nowMs - this.#savedUseAtMs >= SAVE_USE_MS) this.saveUse();
  }

  saveUse(): void {
    this.#savedUseAtMs = this.#context.nowMs();
    if (this.#used.size === 0) return;
    const { store } = this.#context;
    store.commit(() => {
      for (const [contentId, atMs] of this.#used) store.contents.touch(contentId, atMs);
    });
    this.#used.clear();
  }

  /**
   * Makes room for bytes of a content before they are asked for. The answer gives back what was not written.
   * @throws AceError `CacheFull` when the content does not fit, or nothing that may go is left
   */
  async reserve(contentId: string, bytes: number): Promise<(writtenBytes: number) => void> {
    const take = () => this.#reserved.set(contentId, (this.#reserved.get(contentId) ?? 0) + bytes);
    if (this.#excess(bytes) <= 0) take();
    else {
      await this.#alone(async () => {
        await this.#fit(bytes, contentId);
        if (this.#excess(bytes) > 0) throw this.#full(contentId);
        take();
      });
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

  /** A piece was written: what was reserved for it is on the disk now. */
  written(contentId: string, bytes: number): void {
    this.#unreserve(contentId, bytes);
    this.#bytes.set(contentId, (this.#bytes.get(contentId) ?? 0) + bytes);
  }

  /** Its file is gone. */
  removed(contentId: string): void {
    this.#bytes.delete(contentId);
    this.#used.delete(contentId);
  }

  /**
   * A content is fetched once all of it fits beside what is pinned, played, and was let in before: so several that do
   * not fit together come one after the other, instead of standing in each other's way. @throws AceError `CacheFull`
   */
  admit(contentId: string): void {
    const file = this.#context.store.contents.file(contentId);
    if (this.#limitBytes === null || !file || this.#isAdmitted(contentId)) return;
    let keptBytes = file.sizeBytes;
    for (const content of this.#context.store.contents.stored()) {
      const isOther = content.contentId !== contentId && !this.#isAdmitted(content.contentId);
      if (isOther && (content.pinned || this.isHeld(content.contentId)))
        keptBytes += this.#bytes.get(content.contentId) ?? 0;
    }
    for (const [admitted, sizeBytes] of this.#admitted)
      if (this.#isAdmitted(admitted)) keptBytes += sizeBytes;
    if (keptBytes > this.#limitBytes) throw this.#full(contentId);
    this.#admitted.set(contentId, file.sizeBytes);
  }

  /** It was let in, and is still being fetched. */
  #isAdmitted(contentId: string): boolean {
    if (!this.#admitted.has(contentId)) return false;
    if (this.#users.isFetching(contentId)) return true;
    this.#admitted.delete(contentId);
    return false;
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
    this.#evicting = result.catch(() => undefined); // whoever asked hears of it
    return result;
  }

  /** Removes what may go until so many bytes more fit, or nothing is left that may. */
  async #fit(moreBytes: number, forContent?: string): Promise<void> {
    while (this.#excess(moreBytes) > 0) {
      const least = this.#leastUsed(forContent);
      if (!least) return;
      await this.#users.leave(least.contentId);
      // It may have been taken up again meanwhile.
      if (this.#isNeeded(least.contentId)) continue;
      const step = Math.min(STEP_BYTES, Math.floor((this.#limitBytes ?? 0) / STEP_OF_LIMIT));
      const fromPiece = firstToGo(least, Math.max(this.#excess(moreBytes), step));
      await this.#context.drop(least.contentId, fromPiece);
      await this.measure(least.contentId);
    }
  }

  #leastUsed(forContent: string | undefined): StoredContent | undefined {
    const usedAtMs = (content: StoredContent) => this.#used.get(content.contentId) ?? content.usedAtMs;
    return this.#context.store.contents
      .stored()
      .filter((c) => !c.pinned && c.contentId !== forContent && !this.#isNeeded(c.contentId))
      .toSorted((a, b) => usedAtMs(a) - usedAtMs(b))[0];
  }

  #isNeeded(contentId: string): boolean {
    return this.isHeld(contentId) || this.#isAdmitted(contentId);
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
