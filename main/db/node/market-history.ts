import type { Database } from '../open.ts';

export interface MarketRow {
  readonly atMs: number;
  readonly xacPerGb: string;
  readonly xatPerGb: string;
  readonly xacPerXat: string;
  readonly trafficRateGbPerHour: string;
}

const HOUR_MS = 3_600_000;

/** Prices as this node heard them. */
export class MarketHistoryTable {
  readonly #add;
  readonly #since;
  readonly #thin;

  constructor(db: Database) {
    this.#add = db.prepare<[MarketRow]>(
      `INSERT INTO market_history (at_ms, xac_per_gb, xat_per_gb, xac_per_xat, traffic_rate)
       VALUES (@atMs, @xacPerGb, @xatPerGb, @xacPerXat, @trafficRateGbPerHour) ON CONFLICT DO NOTHING`,
    );
    this.#since = db.prepare<[number], MarketRow>(
      `SELECT at_ms AS atMs, xac_per_gb AS xacPerGb, xat_per_gb AS xatPerGb, xac_per_xat AS xacPerXat,
         traffic_rate AS trafficRateGbPerHour
       FROM market_history WHERE at_ms >= ? ORDER BY at_ms`,
    );
    this.#thin = db.prepare<{ before: number }>(
      `DELETE FROM market_history WHERE at_ms < @before AND at_ms NOT IN
         (SELECT min(at_ms) FROM market_history WHERE at_ms < @before GROUP BY at_ms / ${HOUR_MS})`,
    );
  }

  add(row: MarketRow): void {
    this.#add.run(row);
  }

  /** Oldest first. */
  since(atMs: number): MarketRow[] {
    return this.#since.all(atMs);
  }

  /** Leaves one row an hour of what is older. */
  thin(beforeMs: number): void {
    this.#thin.run({ before: beforeMs });
  }
}
