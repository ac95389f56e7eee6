/**
 * Where the bytes of pieces lie on the disk: at their place in the content's file, in a file of their own
 * (`loose-pieces.ts`), or in a user's own file. It knows files; what is booked it only reads.
 */
import { PIECE_BYTES } from '../../shared/economy/units.ts';
import { AceError } from '../../shared/errors.ts';
import type { NodeStore } from '../db/node/store.ts';
import { storeError } from '../db/open.ts';
import { stampOf } from './file-stamp.ts';
import { LoosePieces } from './loose-pieces.ts';
import { PieceFiles, writeAll } from './piece-files.ts';
import { PlacedPieces } from './placed-pieces.ts';

export interface PiecePlacesContext {
  readonly dir: string;
  readonly store: NodeStore;
  readonly nowMs: () => number;
  /** Path of a user's own file, `null` for contents whose bytes are here. */
  readonly referencedPathOf: (contentId: string) => string | null;
  /** Whether only a window of the content is kept, so that each of its pieces must be able to go alone. */
  readonly isWindow: (contentId: string) => boolean;
  /** A content's file is gone while the node runs, and a new one is about to be made. */
  readonly onFileGone: (contentId: string) => void;
}

export class PiecePlaces {
  readonly files: PieceFiles;
  readonly loose: LoosePieces;
  readonly #context: PiecePlacesContext;
  readonly #placed = new PlacedPieces();

  constructor(context: PiecePlacesContext) {
    const { dir, store, nowMs, referencedPathOf, onFileGone } = context;
    this.#context = context;
    this.files = new PieceFiles({ dir, referencedPathOf, onNone: onFileGone });
    this.loose = new LoosePieces(
      dir,
      nowMs,
      (contentId, index) =>
        referencedPathOf(contentId) === null && store.contents.pieces.has(contentId, index),
    );
  }

  /** Booked, or in its content's file and about to be. */
  isHere(contentId: string, pieceIndex: number): boolean {
    return (
      this.#placed.has(contentId, pieceIndex) ||
      this.#context.store.contents.pieces.has(contentId, pieceIndex)
    );
  }

  /** Whether a piece that was written still has its bytes on the disk, and so may be booked. */
  isBookable(contentId: string, pieceIndex: number): boolean {
    return this.isHere(contentId, pieceIndex) || this.loose.has(contentId, pieceIndex);
  }

  /** It is booked now. */
  booked(contentId: string, pieceIndex: number): void {
    this.#placed.booked(contentId, pieceIndex);
  }

  /** From this piece on, nothing lies in the content's file any more. */
  cut(contentId: string, fromPiece: number): void {
    this.#placed.cut(contentId, fromPiece);
  }

  /** Booked pieces that lie in the content's file, from this one on. */
  inFile(contentId: string, fromPiece: number): number[] {
    return this.#context.store.contents.pieces
      .of(contentId)
      .filter((pieceIndex) => pieceIndex >= fromPiece && !this.loose.has(contentId, pieceIndex));
  }

  /** The file that a piece lies, or would lie, in. */
  path(contentId: string, pieceIndex: number): string {
    return this.#isLoose(contentId, pieceIndex)
      ? this.loose.path(contentId, pieceIndex)
      : this.files.path(contentId);
  }

  /** The answer is how many bytes more are on the disk. A loose piece that is booked is right, and stays as it is. */
  async write(contentId: string, pieceIndex: number, bytes: Uint8Array): Promise<number> {
    if (this.#isLoose(contentId, pieceIndex)) {
      if (this.#context.store.contents.pieces.has(contentId, pieceIndex)) return 0;
      return this.loose.write(contentId, pieceIndex, bytes);
    }
    await this.files.write(contentId, async (file) => {
      await writeAll(file, bytes, pieceIndex * PIECE_BYTES);
      this.#placed.add(contentId, pieceIndex);
    });
    return bytes.byteLength;
  }

  /** Tries whether the disk takes a piece of this length, where the piece would lie. @throws what the disk says */
  async probe(contentId: string, pieceIndex: number, lengthBytes: number): Promise<void> {
    if (this.#isLoose(contentId, pieceIndex)) return this.loose.probe(contentId, lengthBytes);
    await this.files.close(contentId);
    await this.files.write(contentId, async (file) => {
      // Nothing that is booked, or about to be, is ever written over.
      if (!this.isHere(contentId, pieceIndex))
        await writeAll(file, new Uint8Array(lengthBytes), pieceIndex * PIECE_BYTES);
    });
  }

  /** The piece in `target`, which has its length; `null` when the disk has less. @throws AceError `FileUnreadable` */
  async read(contentId: string, pieceIndex: number, target: Uint8Array): Promise<Uint8Array | null> {
    try {
      const bytesRead = this.loose.has(contentId, pieceIndex)
        ? (await this.loose.read(contentId, pieceIndex, target)).byteLength
        : await this.#readInFile(contentId, pieceIndex, target);
      return bytesRead === target.byteLength ? target : null;
    } catch (cause) {
      throw new AceError('FileUnreadable', `The content file of ${contentId} cannot be read`, { cause });
    }
  }

  /** Flushes a content's file, and those of these pieces that have one of their own. @throws AceError `StoreFailed` */
  async flush(contentId: string, pieces: readonly number[]): Promise<void> {
    try {
      await this.loose.flush(contentId, pieces);
      await this.files.read(contentId, (file) => file.datasync());
    } catch (error) {
      throw storeError(error, this.files.path(contentId));
    }
  }

  /** What tells that a content's files are as they were left, see `file-stamp.ts`; `null` when there are none. */
  async stamp(contentId: string): Promise<string | null> {
    const file = await stampOf(this.files.path(contentId));
    const loose = await this.loose.stamp(contentId);
    return loose === null ? file : `${file ?? 'none'} ${loose}`;
  }

  /** Removes the store's own files of a content; a user's file stays. */
  async remove(contentId: string): Promise<void> {
    await this.files.remove(contentId, () => this.cut(contentId, 0));
    await this.loose.removeAll(contentId);
  }

  /** Whether a piece has, or gets when it comes, a file of its own. */
  #isLoose(contentId: string, pieceIndex: number): boolean {
    return (
      this.loose.has(contentId, pieceIndex) ||
      this.#context.isWindow(contentId) ||
      this.loose.holds(contentId)
    );
  }

  async #readInFile(contentId: string, pieceIndex: number, target: Uint8Array): Promise<number> {
    const position = pieceIndex * PIECE_BYTES;
    const done = await this.files.read(contentId, (file) =>
      file.read(target, 0, target.byteLength, position),
    );
    return done?.bytesRead ?? 0;
  }
}
