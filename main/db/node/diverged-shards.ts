import type { Database } from '../open.ts';

export interface DivergedShardRow {
  readonly shard: number;
  /** It told two histories, or billed more than was revealed. */
  readonly kind: 'histories' | 'overbilled';
  /** Canonical bytes of a proof; `null` where the older of two statements was not signed. */
  readonly proof: Uint8Array | null;
  readonly atMs: number;
}

/** Shards that this node does not trust: the first proof against each. */
export class DivergedShardTable {
  readonly #insert;
  readonly #all;

  constructor(db: Database) {
    this.#insert = db.prepare(
      `INSERT INTO diverged_shards (shard, kind, proof, at_ms) VALUES (@shard, @kind, @proof, @atMs) ON CONFLICT DO NOTHING`,
    );
    this.#all = db.prepare<[], DivergedShardRow>(
      `SELECT shard, kind, proof, at_ms AS atMs FROM diverged_shards ORDER BY shard`,
    );
  }

  insert(row: DivergedShardRow): void {
    this.#insert.run(row);
  }

  all(): DivergedShardRow[] {
    return this.#all.all();
  }
}
