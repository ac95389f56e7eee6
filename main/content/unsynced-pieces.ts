/**
 * What a power cut may take: pieces that are booked and not flushed yet, and contents whose files have changed since
 * their stamp was stored. Pieces are flushed in groups and marked `synced`; a content's stamp is `null` from its first
 * write until everything is flushed at the end, so a start knows which files it must check (`piece-recovery.ts`).
 */
import type { NodeStore } from '../db/node/store.ts';
import type { PiecePlaces } from './piece-places.ts';

/** Pieces booked between two flushes of a content's file. */
const SYNC_EVERY_PIECES = 256;

export class UnsyncedPieces {
  readonly #store: NodeStore;
  readonly #places: PiecePlaces;
  /** Pieces that were booked and are not in a flush yet, by content. */
  readonly #waiting = new Map<string, number[]>();
  /** Pieces that are being flushed. One that is dropped meanwhile may come again, and is not flushed then. */
  readonly #flushing = new Set<{ readonly contentId: string; readonly pieces: Set<number> }>();
  /** Contents whose stored stamp is known to be `null`: their file is, or was, being written. */
  readonly #unstamped = new Set<string>();

  constructor(store: NodeStore, places: PiecePlaces) {
    this.#store = store;
    this.#places = places;
  }

  /** Before a content's files change: from here on the stored stamp says nothing, until `stampAll`. */
  changing(contentId: string): void {
    if (this.#unstamped.has(contentId)) return;
    const file = this.#store.contents.file(contentId);
    if (file && file.fileStamp !== null && file.sourcePath === null)
      this.#store.commit(() => this.#store.contents.setStamp(contentId, null));
    this.#unstamped.add(contentId);
  }

  /** A piece was booked: flushes the content when enough of them wait. @throws AceError `StoreFailed` */
  async add(contentId: string, pieceIndex: number): Promise<void> {
    const waiting = this.#waiting.get(contentId) ?? [];
    waiting.push(pieceIndex);
    this.#waiting.set(contentId, waiting);
    if (waiting.length >= SYNC_EVERY_PIECES) await this.sync(contentId);
  }

  /** Flushes what was booked of a content and marks it as safe. @throws AceError `StoreFailed` */
  async sync(contentId: string): Promise<void> {
    const pieces = this.#waiting.get(contentId);
    if (!pieces || pieces.length === 0) return;
    this.#waiting.set(contentId, []);
    const flushing = { contentId, pieces: new Set(pieces) };
    this.#flushing.add(flushing);
    try {
      await this.#places.flush(contentId, pieces);
    } finally {
      this.#flushing.delete(flushing);
    }
    this.#store.commit(() => {
      for (const pieceIndex of flushing.pieces) this.#store.contents.pieces.markSynced(contentId, pieceIndex);
    });
  }

  /** These pieces have left the books. */
  drop(contentId: string, pieces: readonly number[]): void {
    const waiting = this.#waiting.get(contentId);
    if (waiting) {
      const gone = new Set(pieces);
      this.#waiting.set(
        contentId,
        waiting.filter((index) => !gone.has(index)),
      );
    }
    for (const flushing of this.#flushing) {
      if (flushing.contentId === contentId) for (const index of pieces) flushing.pieces.delete(index);
    }
  }

  /** Nothing of the content waits any more: its file is closed, replaced or deleted. */
  dropAll(contentId: string): void {
    this.#waiting.delete(contentId);
  }

  /** The content has another file, or none: the row that is written for that says its stamp. */
  forgetStamp(contentId: string): void {
    this.#unstamped.delete(contentId);
  }

  /** Nothing is written any more: flushes what has changed, and notes how it is left. */
  async stampAll(): Promise<void> {
    for (const contentId of this.#unstamped) await this.#stamp(contentId);
  }

  async #stamp(contentId: string): Promise<void> {
    const file = this.#store.contents.file(contentId);
    if (file === null || file.sourcePath !== null) return;
    await this.#places.flush(contentId, this.#store.contents.pieces.unsyncedOf(contentId));
    const stamp = await this.#places.stamp(contentId);
    if (stamp === null) return;
    this.#store.commit(() => {
      this.#store.contents.pieces.markAllSynced(contentId);
      this.#store.contents.setStamp(contentId, stamp);
    });
  }
}
