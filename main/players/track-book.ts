/**
 * The tracks of videos. The answer costs nothing: it is read from pieces that are here, or that a player fetches for
 * itself, and never asks a peer for one.
 */

import { LRUCache } from 'lru-cache';
import { PIECE_BYTES } from '../../shared/economy/units.ts';
import type { TrackView } from '../../shared/rpc/content.ts';
import { tracksApart } from '../content/media-thread.ts';
import type { PieceStore } from '../content/piece-store.ts';
import type { ReadBytes } from '../content/tracks.ts';
import { readerPiece } from '../transfer/reader-piece.ts';
import type { Transfer } from '../transfer/transfer.ts';

/** A player asks for the part with the description before anything else. */
export const WAIT_MS = 30_000;
/** Videos whose tracks are kept: some hundred bytes each, and made anew from one piece or two. */
const MAX_KNOWN = 200;

/** The tracks of the videos that were asked for lately. */
export class TrackBook {
  readonly #pieces: PieceStore;
  readonly #known = new LRUCache<string, Promise<readonly TrackView[] | null>>({ max: MAX_KNOWN });

  constructor(pieces: PieceStore) {
    this.#pieces = pieces;
  }

  /** `null` when the file says nothing, or its description has not come in time. */
  tracks(transfer: Transfer): Promise<readonly TrackView[] | null> {
    const { contentId, file } = transfer;
    if (!file.mimeType.startsWith('video/')) return Promise.resolve(null);
    const known = this.#known.get(contentId);
    if (known) return known;
    const asked = tracksApart(this.#reader(transfer), file.sizeBytes);
    this.#known.set(contentId, asked);
    // What did not come in time may come later.
    void asked.then((tracks) => tracks === null && this.#known.delete(contentId));
    return asked;
  }

  #reader(transfer: Transfer): ReadBytes {
    const signal = AbortSignal.timeout(WAIT_MS);
    return async (start, end) => {
      const parts: Uint8Array[] = [];
      for (let position = start; position < end; ) {
        const pieceIndex = Math.floor(position / PIECE_BYTES);
        const piece = await readerPiece(this.#pieces, transfer, pieceIndex, signal);
        const offset = position - pieceIndex * PIECE_BYTES;
        const part = piece.subarray(offset, offset + end - position);
        parts.push(part);
        position += part.byteLength;
      }
      return Buffer.concat(parts);
    };
  }
}
