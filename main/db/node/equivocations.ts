import type { Database } from '../open.ts';

export interface EquivocationRow {
  readonly device: Uint8Array;
  readonly account: string;
  /** Home shard of the account. */
  readonly shard: number;
  /** Canonical bytes. */
  readonly proof: Uint8Array;
  /** `waiting` until the shard has answered. */
  readonly state: 'waiting' | 'taken' | 'refused';
}

/** Each needs a leased channel of its own device, so noise does not reach this; it bounds the file all the same. */
export const MAX_EQUIVOCATIONS = 1_000;
/** Handed in at a time, of each shard: one that is away hides nothing of the others. */
const MAX_WAITING_OF_SHARD = 100;

const COLUMNS = 'device, account, shard, proof, state';

/** Proofs that devices contradicted themselves, kept until the shard has answered, and then as what happened. */
export class EquivocationTable {
  readonly #insert;
  readonly #prune;
  readonly #waiting;
  readonly #setState;
  readonly #all;

  constructor(db: Database) {
    this.#prune = db.prepare(
      `DELETE FROM equivocations WHERE rowid = (SELECT min(rowid) FROM equivocations WHERE state <> 'waiting')
         AND (SELECT count(*) FROM equivocations) >= ?`,
    );
    this.#insert = db.prepare<[Omit<EquivocationRow, 'state'> & { most: number }]>(
      `INSERT INTO equivocations (device, account, shard, proof, state)
       SELECT @device, @account, @shard, @proof, 'waiting' WHERE (SELECT count(*) FROM equivocations) < @most
       ON CONFLICT (device) DO NOTHING`,
    );
    this.#waiting = db.prepare<[], EquivocationRow>(
      `SELECT ${COLUMNS} FROM (
         SELECT *, rowid AS place, row_number() OVER (PARTITION BY shard ORDER BY rowid) AS of_shard
         FROM equivocations WHERE state = 'waiting'
       ) WHERE of_shard <= ${MAX_WAITING_OF_SHARD} ORDER BY place`,
    );
    this.#setState = db.prepare(`UPDATE equivocations SET state = ? WHERE device = ?`);
    this.#all = db.prepare<[], EquivocationRow>(`SELECT ${COLUMNS} FROM equivocations ORDER BY rowid`);
  }

  /** Whether it was kept: not when the device has one already, or too many wait for the shard. */
  insert(row: Omit<EquivocationRow, 'state'>): boolean {
    this.#prune.run(MAX_EQUIVOCATIONS);
    return this.#insert.run({ ...row, most: MAX_EQUIVOCATIONS }).changes === 1;
  }

  /** Oldest first, no more of one shard than are handed in at a time. */
  waiting(): EquivocationRow[] {
    return this.#waiting.all();
  }

  setState(device: Uint8Array, state: EquivocationRow['state']): void {
    this.#setState.run(state, device);
  }

  all(): EquivocationRow[] {
    return this.#all.all();
  }
}
