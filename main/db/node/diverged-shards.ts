import type { Database } from '../open.ts';

export interface DivergedShardRow {
  readonly shard: number;
  /** Canonical bytes of a proof; `null` where the older of the two statements was not signed. */
  readonly proof: Uint8Array | null;
  readonly atMs: number;
}

/** Shards that told this node two histories: the first proof against each. */
export class DivergedShardTable {
  readonly #insert;
  readonly #all;

  constructor(db: Database) {
    this.#insert = db.prepare(
      `INSERT INTO diverged_shards (shard, proof, at_ms) VALUES (@shard, @proof, @atMs) ON CONFLICT DO NOTHING`,
    );
    this.#all = db.prepare<[], DivergedShardRow>(
      `SELECT shard, proof, at_ms AS atMs FROM diverged_shards ORDER BY shard`,
    );
  }

  insert(row: DivergedShardRow): void {
    this.#insert.run(row);
  }

  all(): DivergedShardRow[] {
    return this.#all.all();
  }
}
