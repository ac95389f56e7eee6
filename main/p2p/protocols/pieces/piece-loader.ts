/**
 * Reads the pieces that one stream serves from the disk and checks them, a few ahead of the sender.
 *
 * Buffers are used again, because megabytes of garbage a second cost more than the reads. When a piece has left this
 * process only its viewer can tell, and does by paying for it: whoever pays early spoils what is sent to itself.
 */
import { sameBytes } from '../../../../shared/channel/tuple.ts';
import { PIECE_BYTES, pieceLength } from '../../../../shared/units.ts';
import type { PieceStore } from '../../../content/piece-store.ts';
import { chunkHashesOf, pieceHash, type TransportFile } from '../../../content/transport-file.ts';

export interface PieceAddress {
  readonly contentId: string;
  readonly pieceIndex: number;
}

export interface LoadedPiece {
  readonly bytes: Uint8Array;
  /** SHA-256 of each chunk, one after another. */
  readonly chunkHashes: Uint8Array;
}

interface Unpaid {
  readonly piece: LoadedPiece;
  /** The channel's served bytes once this piece was booked. */
  readonly servedBytes: number;
}

export class PieceLoader {
  readonly #pieces: PieceStore;
  /** By the request itself: its id is the viewer's word, and the viewer may say it again for another piece. */
  readonly #ahead = new Map<PieceAddress, Promise<LoadedPiece | null>>();
  readonly #unpaid: Unpaid[] = [];
  readonly #spare: Uint8Array[] = [];

  constructor(pieces: PieceStore) {
    this.#pieces = pieces;
  }

  /** Starts to read, if that has not begun. The caller bounds how many. */
  readAhead(request: PieceAddress, file: TransportFile): void {
    if (!this.#ahead.has(request)) this.#ahead.set(request, this.#load(request, file));
  }

  /** A piece as it lies on the disk, `null` when it is not there or not what it should be. */
  take(request: PieceAddress, file: TransportFile): Promise<LoadedPiece | null> {
    const reading = this.#ahead.get(request) ?? this.#load(request, file);
    this.#ahead.delete(request);
    return reading;
  }

  /** The request will not be served. */
  forget(request: PieceAddress): void {
    this.#ahead.delete(request);
  }

  /** The piece goes out; with its payment the channel will have paid for `servedBytes`. */
  sending(piece: LoadedPiece, servedBytes: number): void {
    this.#unpaid.push({ piece, servedBytes });
  }

  /** What the viewer paid for it has received: those buffers are free. */
  paid(paidBytes: number): void {
    while (this.#unpaid[0] && this.#unpaid[0].servedBytes <= paidBytes) {
      const { bytes } = this.#unpaid[0].piece;
      this.#unpaid.shift();
      if (bytes.byteLength === PIECE_BYTES) this.#spare.push(bytes);
    }
  }

  /** Another channel counts from zero. */
  forgetSent(): void {
    this.#unpaid.length = 0;
  }

  async #load({ contentId, pieceIndex }: PieceAddress, file: TransportFile): Promise<LoadedPiece | null> {
    const lengthBytes = pieceLength(file.sizeBytes, pieceIndex);
    const buffer = this.#spare.pop() ?? new Uint8Array(PIECE_BYTES);
    const target = buffer.subarray(0, lengthBytes);
    const bytes = await this.#pieces.read(contentId, pieceIndex, file.sizeBytes, target).catch(() => null);
    // What is booked is the length that the transport file gives: anything else is not this piece.
    if (bytes?.byteLength !== lengthBytes) return null;
    const chunkHashes = chunkHashesOf(bytes);
    const expected = file.pieceHashes[pieceIndex];
    const right = expected && sameBytes(pieceHash(chunkHashes), expected);
    return right ? { bytes, chunkHashes } : null;
  }
}
