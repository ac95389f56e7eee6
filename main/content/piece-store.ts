/**
 * Pieces on disk: one file per content, each piece at its place. Which pieces are there and verified stands in SQLite.
 *
 * Bytes are written first, then the piece is committed, so a committed piece is always readable after a kill. Against a
 * power cut, pieces are flushed in groups and marked `synced`; what was not is checked again at the next start.
 */
import { randomUUID } from 'node:crypto';
import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { type FileHandle, open, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { AceError } from '../../shared/errors.ts';
import { PIECE_BYTES, pieceLength } from '../../shared/units.ts';
import type { NodeStore } from '../db/node/store.ts';
import { storeError } from '../db/open.ts';
import { chunkHashesOf, pieceHash, readTransportFile } from './transport-file.ts';

/** Pieces written between two flushes of a content's file. */
const SYNC_EVERY_PIECES = 256;
const TEMPORARY = '.importing';

export class PieceStore {
  readonly #dir: string;
  readonly #store: NodeStore;
  readonly #files = new Map<string, Promise<FileHandle>>();
  readonly #unsynced = new Map<string, number[]>();

  constructor(dir: string, store: NodeStore) {
    mkdirSync(dir, { recursive: true, mode: 0o700 });
    // What an import left that was killed half way.
    for (const name of readdirSync(dir)) if (name.endsWith(TEMPORARY)) rmSync(join(dir, name));
    this.#dir = dir;
    this.#store = store;
  }

  /** Checks the pieces that a power cut may have taken; those that are wrong are forgotten and fetched again. */
  async recover(): Promise<{ checked: number; lost: number }> {
    const suspects = this.#store.contents.unsyncedPieces();
    const good: typeof suspects = [];
    const lost: typeof suspects = [];
    for (const suspect of suspects) {
      const row = this.#store.contents.get(suspect.contentId);
      const file = row && readTransportFile(suspect.contentId, row.transport);
      const bytes = file && (await this.#readOrNull(suspect.contentId, suspect.pieceIndex, file.sizeBytes));
      const expected = file?.pieceHashes[suspect.pieceIndex];
      const right = bytes && expected && Buffer.compare(pieceHash(chunkHashesOf(bytes)), expected) === 0;
      (right ? good : lost).push(suspect);
    }
    for (const contentId of new Set(good.map((piece) => piece.contentId))) {
      await (await this.#file(contentId)).datasync();
    }
    this.#store.commit(() => {
      for (const { contentId, pieceIndex } of good) this.#store.contents.markSynced(contentId, pieceIndex);
      for (const { contentId, pieceIndex } of lost) this.#store.contents.removePiece(contentId, pieceIndex);
    });
    return { checked: suspects.length, lost: lost.length };
  }

  /** Writes a piece. It counts as there once `bookPiece` was committed. @throws AceError `StoreFailed` */
  async write(contentId: string, pieceIndex: number, bytes: Uint8Array): Promise<void> {
    try {
      const file = await this.#file(contentId);
      const { bytesWritten } = await file.write(bytes, 0, bytes.byteLength, pieceIndex * PIECE_BYTES);
      if (bytesWritten !== bytes.byteLength) {
        throw new AceError('StoreFailed', 'The disk is full', { reaction: 'pause-channel' });
      }
    } catch (error) {
      throw storeError(error, this.#path(contentId));
    }
  }

  /** Books a whole, verified piece. Call it inside a commit. */
  bookPiece(contentId: string, pieceIndex: number): void {
    this.#store.contents.addPiece(contentId, pieceIndex, false);
  }

  /** After the commit of `bookPiece`: flushes the file from time to time. */
  async pieceWritten(contentId: string, pieceIndex: number): Promise<void> {
    const waiting = this.#unsynced.get(contentId) ?? [];
    waiting.push(pieceIndex);
    this.#unsynced.set(contentId, waiting);
    if (waiting.length >= SYNC_EVERY_PIECES) await this.sync(contentId);
  }

  /** Flushes a content's file and marks what was written before as safe. */
  async sync(contentId: string): Promise<void> {
    const pieces = this.#unsynced.get(contentId);
    if (!pieces || pieces.length === 0) return;
    this.#unsynced.set(contentId, []);
    try {
      await (await this.#file(contentId)).datasync();
    } catch (error) {
      throw storeError(error, this.#path(contentId));
    }
    this.#store.commit(() => {
      for (const pieceIndex of pieces) this.#store.contents.markSynced(contentId, pieceIndex);
    });
  }

  /**
   * A whole piece, in `target` when it is given: that has the piece's length.
   * @throws AceError `PieceUnknown` when the file does not hold it, `FileUnreadable`
   */
  async read(
    contentId: string,
    pieceIndex: number,
    sizeBytes: number,
    target?: Uint8Array,
  ): Promise<Uint8Array> {
    const bytes = await this.#readOrNull(contentId, pieceIndex, sizeBytes, target);
    if (!bytes)
      throw new AceError('PieceUnknown', `Piece ${pieceIndex} of ${contentId} is not on this disk any more`);
    return bytes;
  }

  /** Part of a stored piece, for players. @throws AceError `PieceUnknown`, `FileUnreadable` */
  async readRange(
    contentId: string,
    pieceIndex: number,
    offset: number,
    length: number,
  ): Promise<Uint8Array> {
    const target = Buffer.allocUnsafeSlow(length);
    const bytes = await this.#readAt(contentId, pieceIndex * PIECE_BYTES + offset, target);
    if (bytes.byteLength < length) {
      throw new AceError('PieceUnknown', `Piece ${pieceIndex} of ${contentId} is not on this disk any more`);
    }
    return bytes;
  }

  /** A place to write a file that `adopt` will take. Left-overs are cleared at the next start. */
  temporaryPath(): string {
    return join(this.#dir, `${randomUUID()}${TEMPORARY}`);
  }

  /** Takes a whole, flushed file as the content's pieces. The caller then books them. */
  async adopt(contentId: string, temporaryPath: string): Promise<void> {
    await this.#closeFile(contentId);
    await rename(temporaryPath, this.#path(contentId));
    const folder = await open(this.#dir);
    try {
      await folder.sync(); // the name is durable before the rows that rely on it
    } finally {
      await folder.close();
    }
  }

  /** Removes a content's file; the caller removes its rows. */
  async delete(contentId: string): Promise<void> {
    await this.#closeFile(contentId);
    await rm(this.#path(contentId), { force: true });
  }

  async close(): Promise<void> {
    for (const contentId of [...this.#files.keys()]) {
      await this.sync(contentId);
      await this.#closeFile(contentId);
    }
  }

  async #readOrNull(
    contentId: string,
    pieceIndex: number,
    sizeBytes: number,
    target = Buffer.allocUnsafeSlow(pieceLength(sizeBytes, pieceIndex)) as Uint8Array,
  ): Promise<Uint8Array | null> {
    const bytes = await this.#readAt(contentId, pieceIndex * PIECE_BYTES, target);
    return bytes.byteLength === target.byteLength ? bytes : null;
  }

  /** As much of `target` as the file could fill. */
  async #readAt(contentId: string, position: number, target: Uint8Array): Promise<Uint8Array> {
    try {
      const file = await this.#file(contentId);
      const { bytesRead } = await file.read(target, 0, target.byteLength, position);
      return target.subarray(0, bytesRead);
    } catch (cause) {
      throw new AceError('FileUnreadable', `The content file of ${contentId} cannot be read`, { cause });
    }
  }

  #file(contentId: string): Promise<FileHandle> {
    const known = this.#files.get(contentId);
    if (known) return known;
    const opened = openOrCreate(this.#path(contentId));
    this.#files.set(contentId, opened);
    opened.catch(() => this.#files.delete(contentId));
    return opened;
  }

  async #closeFile(contentId: string): Promise<void> {
    const file = this.#files.get(contentId);
    this.#files.delete(contentId);
    this.#unsynced.delete(contentId);
    await (await file)?.close();
  }

  #path(contentId: string): string {
    return join(this.#dir, `${contentId}.pieces`);
  }
}

async function openOrCreate(path: string): Promise<FileHandle> {
  const exists = await stat(path).then(
    () => true,
    () => false,
  );
  return open(path, exists ? 'r+' : 'w+', 0o600);
}
