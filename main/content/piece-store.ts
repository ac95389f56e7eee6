/**
 * Pieces on disk: one file per content, each piece at its place; for what was imported by reference, the user's own
 * file; for what does not fit below the limit of the disk, a file per piece. Which pieces are there and verified stands
 * in SQLite.
 *
 * Bytes are written first, then the piece is committed, so a committed piece is always readable after a kill; before
 * bytes go, their rows do. Against a power cut, pieces are flushed in groups.
 *
 * One class has each part: where bytes lie (`piece-places.ts`), writing them (`piece-writes.ts`), what is not flushed
 * (`unsynced-pieces.ts`), taking them away (`piece-removal.ts`), and the limit of the disk (`piece-cache.ts`).
 */
import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { pieceLength } from '../../shared/economy/units.ts';
import { AceError } from '../../shared/errors.ts';
import type { NodeStore } from '../db/node/store.ts';
import { PieceCache } from './piece-cache.ts';
import { PiecePlaces } from './piece-places.ts';
import { type Recovered, recoverPieces } from './piece-recovery.ts';
import { PieceRemoval } from './piece-removal.ts';
import { PieceWrites } from './piece-writes.ts';
import { ReferencedFiles } from './referenced-files.ts';
import { UnsyncedPieces } from './unsynced-pieces.ts';
import { isTemporary, WholeFiles } from './whole-files.ts';

const PIECES = '.pieces';

export class PieceStore {
  readonly cache: PieceCache;
  readonly referenced: ReferencedFiles;
  /** Files that are imported, recorded or uploaded whole. */
  readonly wholeFiles: WholeFiles;
  readonly #store: NodeStore;
  readonly #places: PiecePlaces;
  readonly #unsynced: UnsyncedPieces;
  readonly #writes: PieceWrites;

  constructor(dir: string, store: NodeStore, nowMs: () => number = () => Date.now()) {
    mkdirSync(dir, { recursive: true, mode: 0o700 });
    for (const name of readdirSync(dir)) if (isLeftOver(name, store)) rmSync(join(dir, name));
    const referenced = new ReferencedFiles(store);
    const places = new PiecePlaces({
      dir,
      store,
      nowMs,
      referencedPathOf: (contentId) => referenced.pathOf(contentId),
      isWindow: (contentId) => this.cache.isWindow(contentId),
      onFileGone: (contentId) => {
        const pieces = removal.unbookLost(contentId);
        if (pieces.length > 0) this.cache.lost(contentId, pieces);
      },
    });
    const unsynced = new UnsyncedPieces(store, places);
    const removal = new PieceRemoval(store, places, unsynced);
    this.cache = new PieceCache({
      store,
      nowMs,
      pathOf: (contentId) => places.files.path(contentId),
      loose: places.loose,
      drop: (contentId, pieces) => removal.drop(contentId, pieces),
    });
    this.#writes = new PieceWrites({
      store,
      places,
      unsynced,
      onWritten: (contentId, bytes, newBytes) => this.cache.written(contentId, bytes, newBytes),
    });
    this.wholeFiles = new WholeFiles({ dir, places, unsynced, cache: this.cache });
    this.referenced = referenced;
    // The file that is open may be the one that was there before.
    referenced.on('replaced', (contentId) => void this.#closeFile(contentId));
    this.#store = store;
    this.#places = places;
    this.#unsynced = unsynced;
  }

  /** Checks what the last run left open; pieces that are wrong are forgotten and fetched again. */
  async recover(): Promise<Recovered> {
    const recovered = await recoverPieces(this.#store, this.#places);
    for (const { contentId, fileStamp } of this.#store.contents.stored()) {
      if (fileStamp === null) this.#unsynced.changing(contentId); // it gets one when it is closed
      await this.cache.measure(contentId);
    }
    return recovered;
  }

  /**
   * Writes a piece. It counts as there once `bookPiece` was committed.
   * @throws AceError `StoreFailed`; `ensureWritable` says when the disk takes pieces again
   */
  write(contentId: string, pieceIndex: number, bytes: Uint8Array): Promise<void> {
    return this.#writes.write(contentId, pieceIndex, bytes);
  }

  /** Tries the write that failed last again, if one did. @throws AceError `StoreFailed` while the disk refuses it */
  ensureWritable(): Promise<void> {
    return this.#writes.ensureWritable();
  }

  /**
   * Books a whole, verified piece that was written. Call it inside a commit. `false` when its bytes were taken off the
   * disk since: it is not here, and is fetched again when it is wanted.
   */
  bookPiece(contentId: string, pieceIndex: number): boolean {
    if (!this.#places.isBookable(contentId, pieceIndex)) return false;
    this.#store.contents.pieces.add(contentId, pieceIndex, false);
    return true;
  }

  /** After the commit of `bookPiece`: flushes the file from time to time. */
  async pieceWritten(contentId: string, pieceIndex: number): Promise<void> {
    this.#places.booked(contentId, pieceIndex);
    await this.#unsynced.add(contentId, pieceIndex);
  }

  /** Flushes what was written of a content and marks it as safe. */
  sync(contentId: string): Promise<void> {
    return this.#unsynced.sync(contentId);
  }

  /**
   * A whole piece, in `target` when it is given: that has the piece's length.
   * @throws AceError `PieceUnknown` when the file does not hold it, `FileUnreadable`, `ContentChanged`, `FileMissing`
   */
  async read(
    contentId: string,
    pieceIndex: number,
    sizeBytes: number,
    target?: Uint8Array,
  ): Promise<Uint8Array> {
    const bytes = await this.readOrNull(contentId, pieceIndex, sizeBytes, target);
    if (!bytes)
      throw new AceError('PieceUnknown', `Piece ${pieceIndex} of ${contentId} is not on this disk any more`);
    return bytes;
  }

  /** The same; `null` when the file does not hold it. */
  async readOrNull(
    contentId: string,
    pieceIndex: number,
    sizeBytes: number,
    target = Buffer.allocUnsafeSlow(pieceLength(sizeBytes, pieceIndex)) as Uint8Array,
  ): Promise<Uint8Array | null> {
    await this.referenced.check(contentId);
    return this.#places.read(contentId, pieceIndex, target);
  }

  /** A stored piece has the wrong bytes, or none. Call it inside a commit. */
  forgetPiece(contentId: string, pieceIndex: number): void {
    if (this.referenced.pathOf(contentId) === null) this.#store.contents.pieces.remove(contentId, pieceIndex);
    // A user's file is not written to: with a byte wrong in it, it is another file.
    else this.referenced.isWrong(contentId);
  }

  /** The same for who has read it. @throws AceError `ContentChanged`, `FileMissing` when the file is a user's own */
  async wrong(contentId: string, pieceIndex: number): Promise<void> {
    this.#store.commit(() => this.forgetPiece(contentId, pieceIndex));
    await this.referenced.check(contentId);
  }

  /** Flushes and closes a content's file, if it is open; it is opened again when it is needed. */
  async rest(contentId: string): Promise<void> {
    if (!this.#places.files.isOpen(contentId)) return;
    await this.sync(contentId);
    await this.#closeFile(contentId);
  }

  /** After the commit that gave a content another file: what was open and cached of the old one goes. */
  async fileChanged(contentId: string): Promise<void> {
    this.referenced.forget(contentId);
    this.#unsynced.forgetStamp(contentId);
    await this.#closeFile(contentId);
    if (this.referenced.pathOf(contentId) !== null) await this.#removeFiles(contentId);
  }

  /** Removes a content: its rows, then the store's own file. A user's file stays. */
  async delete(contentId: string): Promise<void> {
    this.#unsynced.dropAll(contentId);
    this.#store.commit(() => this.#store.contents.delete(contentId));
    this.referenced.forget(contentId);
    this.#unsynced.forgetStamp(contentId);
    await this.#removeFiles(contentId);
  }

  async close(): Promise<void> {
    await this.#unsynced.stampAll();
    for (const contentId of this.#places.files.all()) await this.#closeFile(contentId);
    this.cache.saveUse();
  }

  async #removeFiles(contentId: string): Promise<void> {
    await this.#places.remove(contentId);
    this.cache.removed(contentId);
  }

  async #closeFile(contentId: string): Promise<void> {
    this.#unsynced.dropAll(contentId);
    await this.#places.files.close(contentId);
  }
}

/** What a killed import left, and files of contents that were deleted, or have no piece in the books, by a killed run. */
function isLeftOver(name: string, store: NodeStore): boolean {
  if (isTemporary(name)) return true;
  if (!name.endsWith(PIECES)) return false;
  const contentId = name.slice(0, -PIECES.length);
  const file = store.contents.file(contentId);
  return file === null || file.sourcePath !== null || !store.contents.pieces.hasAny(contentId);
}
