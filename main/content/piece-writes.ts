/**
 * Writing pieces: one write of a piece at a time, and after one that the disk refused, a probe that tries it again with
 * nothing of worth before more is asked for and paid.
 */
import type { NodeStore } from '../db/node/store.ts';
import { storeError } from '../db/open.ts';
import type { PiecePlaces } from './piece-places.ts';
import type { UnsyncedPieces } from './unsynced-pieces.ts';

/** A write that the disk refused. */
interface FailedWrite {
  readonly contentId: string;
  readonly pieceIndex: number;
  readonly lengthBytes: number;
}

export interface PieceWritesContext {
  readonly store: NodeStore;
  readonly places: PiecePlaces;
  readonly unsynced: UnsyncedPieces;
  /** `newBytes` of the piece's `bytes` are more than lay on the disk before. */
  readonly onWritten: (contentId: string, bytes: number, newBytes: number) => void;
}

export class PieceWrites {
  readonly #context: PieceWritesContext;
  /** Writes under way, by content and piece: nothing else is put in their place. */
  readonly #underWay = new Map<string, Promise<void>>();
  #failed: FailedWrite | null = null;
  #probing: Promise<void> | null = null;

  constructor(context: PieceWritesContext) {
    this.#context = context;
  }

  /** @throws AceError `StoreFailed`; `ensureWritable` says when the disk takes pieces again */
  async write(contentId: string, pieceIndex: number, bytes: Uint8Array): Promise<void> {
    const key = `${contentId} ${pieceIndex}`;
    for (let other = this.#underWay.get(key); other; other = this.#underWay.get(key)) await other;
    const writing = this.#write(contentId, pieceIndex, bytes);
    const done = writing.catch(() => undefined).finally(() => this.#underWay.delete(key));
    this.#underWay.set(key, done);
    await writing;
  }

  /** Tries the write that failed last again, if one did. @throws AceError `StoreFailed` while the disk refuses it */
  async ensureWritable(): Promise<void> {
    this.#probing ??= this.#probe().finally(() => {
      this.#probing = null;
    });
    await this.#probing;
  }

  async #write(contentId: string, pieceIndex: number, bytes: Uint8Array): Promise<void> {
    const { places, unsynced, onWritten } = this.#context;
    await this.#probing?.catch(() => undefined); // its caller gets the error
    try {
      unsynced.changing(contentId);
      const newBytes = await places.write(contentId, pieceIndex, bytes);
      onWritten(contentId, bytes.byteLength, newBytes);
      this.#failed = null;
    } catch (error) {
      this.#failed = { contentId, pieceIndex, lengthBytes: bytes.byteLength };
      throw storeError(error, places.path(contentId, pieceIndex));
    }
  }

  async #probe(): Promise<void> {
    const { store, places } = this.#context;
    const failed = this.#failed;
    if (!failed) return;
    const { contentId, pieceIndex, lengthBytes } = failed;
    // What is being written says by itself whether it can be.
    await Promise.all(this.#underWay.values());
    if (this.#failed !== failed) return;
    const isGone = store.contents.file(contentId) === null;
    if (!isGone && !places.isHere(contentId, pieceIndex)) {
      try {
        await places.probe(contentId, pieceIndex, lengthBytes);
      } catch (error) {
        throw storeError(error, places.path(contentId, pieceIndex));
      }
    }
    this.#failed = null;
  }
}
