/**
 * Pieces on disk: one file per content, each piece at its place; for what was imported by reference, the user's own
 * file; for what does not fit below the limit of the disk, a file per piece (`loose-pieces.ts`). Which pieces are there
 * and verified stands in SQLite.
 *
 * Bytes are written first, then the piece is committed, so a committed piece is always readable after a kill; before
 * bytes go, their rows do. Against a power cut, pieces are flushed in groups and marked `synced`. A file that is closed
 * with everything flushed leaves its stamp, and needs no check at the next start (`piece-recovery.ts`).
 */
import { randomUUID } from 'node:crypto';
import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { open, rename, rm, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { PIECE_BYTES, pieceLength } from '../../shared/economy/units.ts';
import { AceError } from '../../shared/errors.ts';
import type { ContentSource } from '../db/node/contents.ts';
import type { NodeStore } from '../db/node/store.ts';
import { storeError } from '../db/open.ts';
import { stampOf } from './file-stamp.ts';
import { LoosePieces } from './loose-pieces.ts';
import { PieceCache } from './piece-cache.ts';
import { PieceFiles, writeAll } from './piece-files.ts';
import { type Recovered, recoverPieces } from './piece-recovery.ts';
import { PlacedPieces } from './placed-pieces.ts';
import { ReferencedFiles } from './referenced-files.ts';

/** Pieces written between two flushes of a content's file. */
const SYNC_EVERY_PIECES = 256;
const TEMPORARY = '.importing';
const PIECES = '.pieces';

/** A write that the disk refused: it is tried again, with nothing of worth, before anybody is asked for more. */
interface FailedWrite {
  readonly contentId: string;
  readonly pieceIndex: number;
  readonly lengthBytes: number;
}

export class PieceStore {
  readonly cache: PieceCache;
  readonly referenced: ReferencedFiles;
  readonly #dir: string;
  readonly #store: NodeStore;
  readonly #files: PieceFiles;
  readonly #loose: LoosePieces;
  readonly #placed = new PlacedPieces();
  /** Pieces that were booked and not flushed, by content. */
  readonly #unsynced = new Map<string, number[]>();
  /** Contents whose stored stamp is known to be `null`: their file is, or was, being written. */
  readonly #written = new Set<string>();
  #failedWrite: FailedWrite | null = null;
  /** Writes under way, by content and piece: nothing else is put in their place. */
  readonly #writing = new Map<string, Promise<void>>();
  #probing: Promise<void> | null = null;
  /** Pieces that are being flushed. One that is dropped meanwhile may come again, and is not flushed then. */
  readonly #flushing = new Set<{ readonly contentId: string; readonly pieces: Set<number> }>();

  constructor(dir: string, store: NodeStore, nowMs: () => number = () => Date.now()) {
    mkdirSync(dir, { recursive: true, mode: 0o700 });
    for (const name of readdirSync(dir)) if (isLeftOver(name, store)) rmSync(join(dir, name));
    this.#dir = dir;
    this.#store = store;
    this.referenced = new ReferencedFiles(store);
    this.#files = new PieceFiles({
      dir,
      sourceOf: (contentId) => this.referenced.pathOf(contentId),
      onNone: (contentId) => this.#lost(contentId),
    });
    this.#loose = new LoosePieces(
      dir,
      nowMs,
      (contentId, index) =>
        this.referenced.pathOf(contentId) === null && store.contents.hasPiece(contentId, index),
    );
    this.cache = new PieceCache({
      store,
      nowMs,
      pathOf: (contentId) => this.#files.path(contentId),
      loose: this.#loose,
      drop: (contentId, pieces) => this.#drop(contentId, pieces),
    });
  }

  /** Checks what the last run left open; pieces that are wrong are forgotten and fetched again. */
  async recover(): Promise<Recovered> {
    const recovered = await recoverPieces(this.#store, this);
    for (const { contentId, fileStamp } of this.#store.contents.stored()) {
      if (fileStamp === null) this.#written.add(contentId); // it gets one when it is closed
      await this.cache.measure(contentId);
    }
    return recovered;
  }

  /**
   * Writes a piece. It counts as there once `bookPiece` was committed.
   * @throws AceError `StoreFailed`; `ensureWritable` says when the disk takes pieces again
   */
  async write(contentId: string, pieceIndex: number, bytes: Uint8Array): Promise<void> {
    const key = `${contentId} ${pieceIndex}`;
    for (let other = this.#writing.get(key); other; other = this.#writing.get(key)) await other;
    const writing = this.#write(contentId, pieceIndex, bytes);
    const done = writing.catch(() => undefined).finally(() => this.#writing.delete(key));
    this.#writing.set(key, done);
    await writing;
  }

  async #write(contentId: string, pieceIndex: number, bytes: Uint8Array): Promise<void> {
    await this.#probing?.catch(() => undefined); // whoever probes hears of it
    try {
      this.#markWritten(contentId);
      if (this.#isLoose(contentId, pieceIndex)) {
        const newBytes = await this.#writeLoose(contentId, pieceIndex, bytes);
        this.cache.written(contentId, bytes.byteLength, newBytes);
      } else {
        await this.#writeAt(contentId, pieceIndex, bytes);
        this.cache.written(contentId, bytes.byteLength);
      }
      this.#failedWrite = null;
    } catch (error) {
      this.#failedWrite = { contentId, pieceIndex, lengthBytes: bytes.byteLength };
      throw storeError(error, this.#pathOf(contentId, pieceIndex));
    }
  }

  /** Tries the write that failed last again, if one did. @throws AceError `StoreFailed` while the disk refuses it */
  async ensureWritable(): Promise<void> {
    this.#probing ??= this.#probe().finally(() => {
      this.#probing = null;
    });
    await this.#probing;
  }

  async #probe(): Promise<void> {
    const failed = this.#failedWrite;
    if (!failed) return;
    const { contentId, pieceIndex, lengthBytes } = failed;
    // What is being written says by itself whether it can be.
    await Promise.all(this.#writing.values());
    if (this.#failedWrite !== failed) return;
    const isGone = this.#store.contents.file(contentId) === null;
    if (!isGone && !this.#isHere(contentId, pieceIndex)) {
      try {
        if (this.#isLoose(contentId, pieceIndex)) await this.#loose.probe(contentId, lengthBytes);
        else {
          await this.#files.close(contentId);
          await this.#files.write(contentId, async (file) => {
            // Nothing that is booked, or about to be, is ever written over.
            if (!this.#isHere(contentId, pieceIndex))
              await writeAll(file, new Uint8Array(lengthBytes), pieceIndex * PIECE_BYTES);
          });
        }
      } catch (error) {
        throw storeError(error, this.#pathOf(contentId, pieceIndex));
      }
    }
    this.#failedWrite = null;
  }

  /**
   * Books a whole, verified piece that was written. Call it inside a commit. `false` when its bytes were taken off the
   * disk since: it is not here, and is fetched again when it is wanted.
   */
  bookPiece(contentId: string, pieceIndex: number): boolean {
    if (!this.#isHere(contentId, pieceIndex) && !this.#loose.has(contentId, pieceIndex)) return false;
    this.#store.contents.addPiece(contentId, pieceIndex, false);
    return true;
  }

  /** After the commit of `bookPiece`: flushes the file from time to time. */
  async pieceWritten(contentId: string, pieceIndex: number): Promise<void> {
    this.#placed.booked(contentId, pieceIndex);
    const waiting = this.#unsynced.get(contentId) ?? [];
    waiting.push(pieceIndex);
    this.#unsynced.set(contentId, waiting);
    if (waiting.length >= SYNC_EVERY_PIECES) await this.sync(contentId);
  }

  /** Flushes what was written of a content and marks it as safe. */
  async sync(contentId: string): Promise<void> {
    const pieces = this.#unsynced.get(contentId);
    if (!pieces || pieces.length === 0) return;
    this.#unsynced.set(contentId, []);
    const flushing = { contentId, pieces: new Set(pieces) };
    this.#flushing.add(flushing);
    try {
      await this.flush(contentId, pieces);
    } finally {
      this.#flushing.delete(flushing);
    }
    this.#store.commit(() => {
      for (const pieceIndex of flushing.pieces) this.#store.contents.markSynced(contentId, pieceIndex);
    });
  }

  /** Flushes a content's file, and those of these pieces that have one of their own. @throws AceError `StoreFailed` */
  async flush(contentId: string, pieces: readonly number[]): Promise<void> {
    try {
      await this.#loose.flush(contentId, pieces);
      await this.#files.read(contentId, (file) => file.datasync());
    } catch (error) {
      throw storeError(error, this.#files.path(contentId));
    }
  }

  /** What tells that a content's files are as they were left, see `file-stamp.ts`; `null` when there are none. */
  async stamp(contentId: string): Promise<string | null> {
    const file = await stampOf(this.#files.path(contentId));
    const loose = await this.#loose.stamp(contentId);
    return loose === null ? file : `${file ?? 'none'} ${loose}`;
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
    const bytes = await this.#read(contentId, pieceIndex, target);
    return bytes.byteLength === target.byteLength ? bytes : null;
  }

  /** A stored piece has the wrong bytes, or none. Call it inside a commit. */
  forgetPiece(contentId: string, pieceIndex: number): void {
    if (this.referenced.pathOf(contentId) === null) this.#store.contents.removePiece(contentId, pieceIndex);
    // A user's file is not written to: with a byte wrong in it, it is another file.
    else this.referenced.isWrong(contentId);
  }

  /** The same for who has read it. @throws AceError `ContentChanged`, `FileMissing` when the file is a user's own */
  async wrong(contentId: string, pieceIndex: number): Promise<void> {
    this.#store.commit(() => this.forgetPiece(contentId, pieceIndex));
    await this.referenced.check(contentId);
  }

  /** A place to write a file that `adopt` will take. Left-overs are cleared at the next start. */
  temporaryPath(): string {
    return join(this.#dir, `${randomUUID()}${TEMPORARY}`);
  }

  /** Takes a whole, flushed file as the content's pieces. The caller books them and this source. */
  async adopt(contentId: string, temporaryPath: string): Promise<ContentSource> {
    await this.#files.alone(contentId, async (path) => {
      this.#unsynced.delete(contentId);
      this.#placed.cut(contentId, 0);
      await this.#loose.removeAll(contentId);
      await rename(temporaryPath, path);
    });
    const folder = await open(this.#dir);
    try {
      await folder.sync(); // the name is durable before the rows that rely on it
    } finally {
      await folder.close();
    }
    await this.cache.measure(contentId);
    this.#written.delete(contentId);
    return { path: null, stamp: (await stampOf(this.#files.path(contentId))) ?? '' };
  }

  /** Flushes and closes a content's file, if it is open; it is opened again when it is needed. */
  async rest(contentId: string): Promise<void> {
    if (!this.#files.isOpen(contentId)) return;
    await this.sync(contentId);
    await this.#closeFile(contentId);
  }

  /** After the commit that gave a content another source: what was open and cached of the old one goes. */
  async sourceChanged(contentId: string): Promise<void> {
    this.referenced.forget(contentId);
    this.#written.delete(contentId);
    await this.#closeFile(contentId);
    if (this.referenced.pathOf(contentId) === null) return;
    await this.#removeFiles(contentId);
  }

  /** Removes a content: its rows, then the store's own file. A user's file stays. */
  async delete(contentId: string): Promise<void> {
    this.#unsynced.delete(contentId);
    this.#store.commit(() => this.#store.contents.delete(contentId));
    this.referenced.forget(contentId);
    this.#written.delete(contentId);
    await this.#removeFiles(contentId);
  }

  async close(): Promise<void> {
    for (const contentId of this.#written) await this.#leaveStamp(contentId);
    for (const contentId of this.#files.all()) await this.#closeFile(contentId);
    this.cache.saveUse();
  }

  async #removeFiles(contentId: string): Promise<void> {
    await this.#files.remove(contentId, () => this.#placed.cut(contentId, 0));
    await this.#loose.removeAll(contentId);
    this.cache.removed(contentId);
  }

  /** Takes pieces away: out of the books first, then off the disk. Those without files of their own are the last ones. */
  async #drop(contentId: string, pieces: readonly number[]): Promise<void> {
    await this.#files.alone(contentId, async (path) => {
      const inFile = pieces.filter((pieceIndex) => !this.#loose.has(contentId, pieceIndex));
      const fromPiece = inFile.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
      // What came since, beyond the cut, goes with them: it would become a hole.
      const cut = this.#inFile(contentId, fromPiece);
      this.#unbook(contentId, [...new Set([...pieces, ...cut])]);
      this.#placed.cut(contentId, fromPiece);
      await this.#loose.remove(contentId, pieces);
      if (!this.#store.contents.hasPieces(contentId)) {
        this.#placed.cut(contentId, 0);
        await rm(path, { force: true });
      } else if (fromPiece !== Number.POSITIVE_INFINITY) await truncate(path, fromPiece * PIECE_BYTES);
    });
  }

  /** The content's file has gone while the node ran: nothing is in it, and nobody may count on what was. */
  #lost(contentId: string): void {
    const pieces = this.#inFile(contentId, 0);
    this.#placed.cut(contentId, 0);
    if (pieces.length === 0) return;
    this.#unbook(contentId, pieces);
    this.cache.lost(contentId, pieces);
  }

  /** Booked pieces without files of their own. */
  #inFile(contentId: string, fromPiece: number): number[] {
    return this.#store.contents
      .pieces(contentId)
      .filter((pieceIndex) => pieceIndex >= fromPiece && !this.#loose.has(contentId, pieceIndex));
  }

  #unbook(contentId: string, pieces: readonly number[]): void {
    this.#markWritten(contentId);
    this.#store.commit(() => {
      for (const pieceIndex of pieces) this.#store.contents.removePiece(contentId, pieceIndex);
    });
    const gone = new Set(pieces);
    const waiting = this.#unsynced.get(contentId);
    if (waiting)
      this.#unsynced.set(
        contentId,
        waiting.filter((index) => !gone.has(index)),
      );
    for (const flushing of this.#flushing) {
      if (flushing.contentId === contentId) for (const index of pieces) flushing.pieces.delete(index);
    }
  }

  /** Booked, or in its file and about to be. */
  #isHere(contentId: string, pieceIndex: number): boolean {
    return this.#placed.has(contentId, pieceIndex) || this.#store.contents.hasPiece(contentId, pieceIndex);
  }

  /** Whether a piece that comes gets a file of its own. */
  #isLoose(contentId: string, pieceIndex: number): boolean {
    if (this.#loose.has(contentId, pieceIndex) || this.cache.isWindow(contentId)) return true;
    return this.#loose.holds(contentId);
  }

  #pathOf(contentId: string, pieceIndex: number): string {
    return this.#isLoose(contentId, pieceIndex)
      ? this.#loose.path(contentId, pieceIndex)
      : this.#files.path(contentId);
  }

  /** One that is booked is right, and stays as it is. The answer is how many bytes more are on the disk. */
  async #writeLoose(contentId: string, pieceIndex: number, bytes: Uint8Array): Promise<number> {
    if (this.#store.contents.hasPiece(contentId, pieceIndex)) return 0;
    return this.#loose.write(contentId, pieceIndex, bytes);
  }

  async #writeAt(contentId: string, pieceIndex: number, bytes: Uint8Array): Promise<void> {
    await this.#files.write(contentId, async (file) => {
      await writeAll(file, bytes, pieceIndex * PIECE_BYTES);
      this.#placed.add(contentId, pieceIndex);
    });
  }

  /** From here on the file's stamp says nothing, until it is closed. */
  #markWritten(contentId: string): void {
    if (this.#written.has(contentId)) return;
    const file = this.#store.contents.file(contentId);
    if (file && file.fileStamp !== null && file.sourcePath === null)
      this.#store.commit(() => this.#store.contents.setStamp(contentId, null));
    this.#written.add(contentId);
  }

  /** Nobody writes to it any more: flushes it, and notes how it is left. */
  async #leaveStamp(contentId: string): Promise<void> {
    const file = this.#store.contents.file(contentId);
    if (file === null || file.sourcePath !== null) return;
    await this.flush(contentId, this.#store.contents.unsyncedOf(contentId));
    const stamp = await this.stamp(contentId);
    if (stamp === null) return;
    this.#store.commit(() => {
      this.#store.contents.markAllSynced(contentId);
      this.#store.contents.setStamp(contentId, stamp);
    });
  }

  /** As much of `target` as there is of the piece. */
  async #read(contentId: string, pieceIndex: number, target: Uint8Array): Promise<Uint8Array> {
    await this.referenced.check(contentId);
    try {
      if (this.#loose.has(contentId, pieceIndex))
        return await this.#loose.read(contentId, pieceIndex, target);
      const position = pieceIndex * PIECE_BYTES;
      const done = await this.#files.read(contentId, (file) =>
        file.read(target, 0, target.byteLength, position),
      );
      return target.subarray(0, done?.bytesRead ?? 0);
    } catch (cause) {
      throw new AceError('FileUnreadable', `The content file of ${contentId} cannot be read`, { cause });
    }
  }

  async #closeFile(contentId: string): Promise<void> {
    this.#unsynced.delete(contentId);
    await this.#files.close(contentId);
  }
}

/** What a killed import left, and files of contents that were deleted, or have no piece in the books, by a killed run. */
function isLeftOver(name: string, store: NodeStore): boolean {
  if (name.endsWith(TEMPORARY)) return true;
  if (!name.endsWith(PIECES)) return false;
  const contentId = name.slice(0, -PIECES.length);
  const file = store.contents.file(contentId);
  return file === null || file.sourcePath !== null || !store.contents.hasPieces(contentId);
}
