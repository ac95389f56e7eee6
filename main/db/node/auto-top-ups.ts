import type { Database } from '../open.ts';

export interface AutoTopUpRow {
  /** Of the signed deposit. */
  readonly nonce: number;
  /** When it was signed. */
  readonly atMs: number;
  readonly amountXat: bigint;
  /** EIP-712, 32 bytes. */
  readonly hash: Uint8Array;
  /** `sent`: its answer is not known, so it counts as done. */
  readonly state: 'sent' | 'booked' | 'refused';
}

type RawRow = { [K in keyof AutoTopUpRow]: AutoTopUpRow[K] extends number ? bigint : AutoTopUpRow[K] };

/** Deposits that this node signed by itself. One for each number: of two with the same, the chain books one at most. */
export class AutoTopUpTable {
  readonly #put;
  readonly #get;
  readonly #setState;
  readonly #bookTold;
  readonly #sum;
  readonly #last;
  readonly #has;

  constructor(db: Database) {
    const columns = 'nonce, at_ms AS atMs, amount_xat AS amountXat, hash, state';
    this.#put = db.prepare<[AutoTopUpRow]>(
      `INSERT INTO auto_top_ups (nonce, at_ms, amount_xat, hash, state)
       VALUES (@nonce, @atMs, @amountXat, @hash, @state)
       ON CONFLICT (nonce) DO UPDATE SET at_ms = excluded.at_ms, amount_xat = excluded.amount_xat,
         hash = excluded.hash, state = excluded.state`,
    );
    this.#get = db
      .prepare<[number], RawRow>(`SELECT ${columns} FROM auto_top_ups WHERE nonce = ?`)
      .safeIntegers();
    this.#setState = db.prepare<[AutoTopUpRow['state'], number]>(
      `UPDATE auto_top_ups SET state = ? WHERE nonce = ?`,
    );
    this.#bookTold = db.prepare<[]>(
      `UPDATE auto_top_ups SET state = 'booked' WHERE state = 'sent' AND hash IN (SELECT hash FROM operations)`,
    );
    this.#sum = db
      .prepare<[number, number], bigint>(
        `SELECT coalesce(sum(amount_xat), 0) FROM auto_top_ups WHERE at_ms >= ? AND state <> 'refused' AND nonce <> ?`,
      )
      .pluck()
      .safeIntegers();
    this.#last = db
      .prepare<[], RawRow>(
        `SELECT ${columns} FROM auto_top_ups WHERE state = 'booked' ORDER BY nonce DESC LIMIT 1`,
      )
      .safeIntegers();
    this.#has = db
      .prepare<[Uint8Array], number>(`SELECT 1 FROM auto_top_ups WHERE hash = ? AND state <> 'refused'`)
      .pluck();
  }

  /** A number that was used before, for a deposit that is not booked, is this one's now. */
  put(row: AutoTopUpRow): void {
    this.#put.run(row);
  }

  get(nonce: number): AutoTopUpRow | null {
    return toRow(this.#get.get(nonce));
  }

  setState(nonce: number, state: AutoTopUpRow['state']): void {
    this.#setState.run(state, nonce);
  }

  /** Those whose answer was lost, and that the shard tells of. */
  bookTold(): void {
    this.#bookTold.run();
  }

  /**
   * What was signed from then on, and not refused. It has no end: of a clock that was set back, what comes later counts, too.
   * @param apartFrom a number whose deposit is not counted
   */
  sumSince(fromMs: number, apartFrom = -1): bigint {
    return this.#sum.get(fromMs, apartFrom) ?? 0n;
  }

  /** The newest that is booked. */
  last(): AutoTopUpRow | null {
    return toRow(this.#last.get());
  }

  has(hash: Uint8Array): boolean {
    return this.#has.get(hash) === 1;
  }
}

function toRow(row: RawRow | undefined): AutoTopUpRow | null {
  return row ? { ...row, nonce: Number(row.nonce), atMs: Number(row.atMs) } : null;
}
