/** Taking pieces away: out of the books first, then off the disk, so that a kill in between leaves no booked piece without bytes. */
import { rm, truncate } from 'node:fs/promises';
import { PIECE_BYTES } from '../../shared/economy/units.ts';
import type { NodeStore } from '../db/node/store.ts';
import type { PiecePlaces } from './piece-places.ts';
import type { UnsyncedPieces } from './unsynced-pieces.ts';

export class PieceRemoval {
  readonly #store: NodeStore;
  readonly #places: PiecePlaces;
  readonly #unsynced: UnsyncedPieces;

  constructor(store: NodeStore, places: PiecePlaces, unsynced: UnsyncedPieces) {
    this.#store = store;
    this.#places = places;
    this.#unsynced = unsynced;
  }

  /** Those without files of their own must be the last ones: their file is cut. */
  async drop(contentId: string, pieces: readonly number[]): Promise<void> {
    const { files, loose } = this.#places;
    await files.alone(contentId, async (path) => {
      const inFile = pieces.filter((pieceIndex) => !loose.has(contentId, pieceIndex));
      const fromPiece = inFile.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
      // What came since, beyond the cut, goes with them: it would become a hole.
      const cut = this.#places.inFile(contentId, fromPiece);
      this.#unbook(contentId, [...new Set([...pieces, ...cut])]);
      this.#places.cut(contentId, fromPiece);
      await loose.remove(contentId, pieces);
      if (!this.#store.contents.pieces.hasAny(contentId)) {
        this.#places.cut(contentId, 0);
        await rm(path, { force: true });
      } else if (fromPiece !== Number.POSITIVE_INFINITY) await truncate(path, fromPiece * PIECE_BYTES);
    });
  }

  /** The content's file is gone while the node runs: the booked pieces that were in it leave the books. The answer is which. */
  unbookLost(contentId: string): readonly number[] {
    const pieces = this.#places.inFile(contentId, 0);
    this.#places.cut(contentId, 0);
    if (pieces.length > 0) this.#unbook(contentId, pieces);
    return pieces;
  }

  #unbook(contentId: string, pieces: readonly number[]): void {
    this.#unsynced.changing(contentId);
    this.#store.commit(() => {
      for (const pieceIndex of pieces) this.#store.contents.pieces.remove(contentId, pieceIndex);
    });
    this.#unsynced.drop(contentId, pieces);
  }
}
