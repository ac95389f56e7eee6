/** What of one content is here, what came for it and was paid, and who waits for more. */

import { PIECE_BYTES, pieceCount, pieceLength } from '../../shared/economy/units.ts';
import { AceError } from '../../shared/errors.ts';
import type { TransportFile } from '../content/transport-file.ts';
import { AwaitedPieces } from './awaited-pieces.ts';

export class Holdings {
  /** Pieces of the whole content. */
  readonly count: number;
  paidUnits = 0;
  receivedBytes = 0;
  /** Pieces that came a second time, because the first provider was late, and were paid. */
  doubledPieces = 0;
  readonly #file: TransportFile;
  readonly #have: Set<number>;
  readonly #awaited = new AwaitedPieces();
  #released = false;

  /** @param stored pieces that are booked as stored */
  constructor(file: TransportFile, stored: Iterable<number>) {
    this.#file = file;
    this.count = pieceCount(file.sizeBytes);
    this.#have = new Set(stored);
  }

  get size(): number {
    return this.#have.size;
  }

  get missing(): number {
    return this.count - this.#have.size;
  }

  get complete(): boolean {
    return this.#have.size === this.count;
  }

  get bytes(): number {
    const last = this.count - 1;
    const missingOfLast = this.#have.has(last) ? PIECE_BYTES - pieceLength(this.#file.sizeBytes, last) : 0;
    return this.#have.size * PIECE_BYTES - missingOfLast;
  }

  has(pieceIndex: number): boolean {
    return this.#have.has(pieceIndex);
  }

  /** A piece is stored, after so much came and was paid for it. `false` when it was here before. */
  add(pieceIndex: number, receivedBytes: number, paidUnits: number): boolean {
    this.came(receivedBytes, paidUnits);
    if (this.#have.has(pieceIndex)) {
      this.doubledPieces += 1;
      return false;
    }
    this.#have.add(pieceIndex);
    this.#awaited.arrived(pieceIndex);
    return true;
  }

  /** So much came and was paid, whatever became of it. */
  came(receivedBytes: number, paidUnits: number): void {
    this.paidUnits += paidUnits;
    this.receivedBytes += receivedBytes;
  }

  /** It is lost from the disk. */
  forget(pieceIndex: number): void {
    this.#have.delete(pieceIndex);
  }

  /** Resolves when the piece is here. @throws AceError `PeerClosed` after `release`; what `signal` was aborted with */
  async piece(pieceIndex: number, signal: AbortSignal): Promise<void> {
    while (!this.#have.has(pieceIndex)) {
      if (this.#released) throw new AceError('PeerClosed', 'The transfer was stopped');
      signal.throwIfAborted();
      await this.#awaited.next(pieceIndex, signal);
    }
  }

  /** Nothing more comes: nobody waits any longer. */
  release(): void {
    this.#released = true;
    this.#awaited.release();
  }
}
