import type { Database } from '../open.ts';

/** Which pieces of a content are here, verified, and which of those are known to have reached the disk. */
export class PieceTable {
  readonly #of;
  readonly #has;
  readonly #hasAny;
  readonly #unsynced;
  readonly #unsyncedOf;
  readonly #add;
  readonly #remove;
  readonly #markSynced;
  readonly #markAllSynced;
  /** By content, counted up whenever its pieces become others. */
  readonly #versions = new Map<string, number>();

  constructor(db: Database) {
    this.#of = db
      .prepare<[string], number>(`SELECT piece_index FROM pieces WHERE content_id = ? ORDER BY piece_index`)
      .pluck();
    this.#has = db
      .prepare<[string, number], number>(`SELECT 1 FROM pieces WHERE content_id = ? AND piece_index = ?`)
      .pluck();
    this.#hasAny = db.prepare<[string], number>(`SELECT 1 FROM pieces WHERE content_id = ? LIMIT 1`).pluck();
    this.#unsynced = db.prepare<[], { contentId: string; pieceIndex: number }>(
      `SELECT content_id AS contentId, piece_index AS pieceIndex FROM pieces WHERE synced = 0`,
    );
    this.#unsyncedOf = db
      .prepare<[string], number>(`SELECT piece_index FROM pieces WHERE content_id = ? AND synced = 0`)
      .pluck();
    this.#add = db.prepare<[string, number, number]>(
      `INSERT INTO pieces (content_id, piece_index, synced) VALUES (?, ?, ?) ON CONFLICT DO NOTHING`,
    );
    this.#remove = db.prepare<[string, number]>(
      `DELETE FROM pieces WHERE content_id = ? AND piece_index = ?`,
    );
    this.#markSynced = db.prepare<[string, number]>(
      `UPDATE pieces SET synced = 1 WHERE content_id = ? AND piece_index = ? AND synced = 0`,
    );
    this.#markAllSynced = db.prepare<[string]>(
      `UPDATE pieces SET synced = 1 WHERE content_id = ? AND synced = 0`,
    );
  }

  /** Their indices, ascending. */
  of(contentId: string): number[] {
    return this.#of.all(contentId);
  }

  has(contentId: string, pieceIndex: number): boolean {
    return this.#has.get(contentId, pieceIndex) !== undefined;
  }

  hasAny(contentId: string): boolean {
    return this.#hasAny.get(contentId) !== undefined;
  }

  unsynced(): { contentId: string; pieceIndex: number }[] {
    return this.#unsynced.all();
  }

  unsyncedOf(contentId: string): number[] {
    return this.#unsyncedOf.all(contentId);
  }

  add(contentId: string, pieceIndex: number, synced: boolean): void {
    this.#add.run(contentId, pieceIndex, synced ? 1 : 0);
    this.changed(contentId);
  }

  remove(contentId: string, pieceIndex: number): void {
    this.#remove.run(contentId, pieceIndex);
    this.changed(contentId);
  }

  markSynced(contentId: string, pieceIndex: number): void {
    this.#markSynced.run(contentId, pieceIndex);
  }

  markAllSynced(contentId: string): void {
    this.#markAllSynced.run(contentId);
  }

  /** Another number when pieces came or went since, in this run. */
  version(contentId: string): number {
    return this.#versions.get(contentId) ?? 0;
  }

  /** What others are told of its pieces is another thing now. */
  changed(contentId: string): void {
    this.#versions.set(contentId, this.version(contentId) + 1);
  }
}
