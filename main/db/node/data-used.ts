import type { Database } from '../open.ts';

export interface DataUsed {
  readonly downBytes: number;
  readonly upBytes: number;
  readonly overheadBytes: number;
}

/** Traffic by day of the computer's own time. */
export class DataUsedTable {
  readonly #add;
  readonly #between;
  readonly #days;

  constructor(db: Database) {
    this.#add = db.prepare<[DataUsed & { day: string }]>(
      `INSERT INTO data_used (day, down_bytes, up_bytes, overhead_bytes)
       VALUES (@day, @downBytes, @upBytes, @overheadBytes)
       ON CONFLICT (day) DO UPDATE SET down_bytes = down_bytes + excluded.down_bytes,
         up_bytes = up_bytes + excluded.up_bytes, overhead_bytes = overhead_bytes + excluded.overhead_bytes`,
    );
    this.#between = db.prepare<[string, string], DataUsed>(
      `SELECT coalesce(sum(down_bytes), 0) AS downBytes, coalesce(sum(up_bytes), 0) AS upBytes,
         coalesce(sum(overhead_bytes), 0) AS overheadBytes
       FROM data_used WHERE day BETWEEN ? AND ?`,
    );
    this.#days = db.prepare<[string], DataUsed & { day: string }>(
      `SELECT day, down_bytes AS downBytes, up_bytes AS upBytes, overhead_bytes AS overheadBytes
       FROM data_used WHERE day >= ? ORDER BY day`,
    );
  }

  /** `day` as `2026-11-20`. */
  add(day: string, used: DataUsed): void {
    this.#add.run({ day, ...used });
  }

  /** Both days included. */
  between(firstDay: string, lastDay: string): DataUsed {
    return this.#between.get(firstDay, lastDay) ?? { downBytes: 0, upBytes: 0, overheadBytes: 0 };
  }

  /** Oldest first; days without traffic are left out. */
  daysSince(day: string): (DataUsed & { readonly day: string })[] {
    return this.#days.all(day);
  }
}
