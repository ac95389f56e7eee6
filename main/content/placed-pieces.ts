/**
 * Pieces that were written into their content's file and are not in the books yet. What takes bytes off the disk cannot
 * see them there: it tells here, and they are not booked then.
 */
export class PlacedPieces {
  readonly #placed = new Map<string, Set<number>>();

  add(contentId: string, pieceIndex: number): void {
    const pieces = this.#placed.get(contentId) ?? new Set();
    this.#placed.set(contentId, pieces.add(pieceIndex));
  }

  has(contentId: string, pieceIndex: number): boolean {
    return this.#placed.get(contentId)?.has(pieceIndex) ?? false;
  }

  /** It is in the books now. */
  booked(contentId: string, pieceIndex: number): void {
    const pieces = this.#placed.get(contentId);
    pieces?.delete(pieceIndex);
    if (pieces?.size === 0) this.#placed.delete(contentId);
  }

  /** From this piece on, nothing lies in the file any more. */
  cut(contentId: string, fromPiece: number): void {
    for (const pieceIndex of this.#placed.get(contentId) ?? [])
      if (pieceIndex >= fromPiece) this.booked(contentId, pieceIndex);
  }
}
