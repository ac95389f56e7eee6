import type { PriceObservation, TradedToken } from '../../../shared/economy/exchange.ts';
import type { Database } from '../open.ts';

interface ObservationRow {
  readonly atMs: number;
  readonly cumulative: string;
  readonly price: string;
}

export interface ObservationQueries {
  put(token: TradedToken, observation: PriceObservation): void;
  /** The latest; `undefined` while the token has no market. */
  last(token: TradedToken): PriceObservation | undefined;
  /** The last one at or before a moment, or else the first there is. */
  before(token: TradedToken, atMs: number): PriceObservation | undefined;
}

export function observationQueries(db: Database): ObservationQueries {
  const columns = 'at_ms AS atMs, cumulative, price';
  const put = db.prepare(
    'INSERT INTO price_observations (token, at_ms, cumulative, price) VALUES (?, ?, ?, ?)',
  );
  const last = db.prepare<[string], ObservationRow>(
    `SELECT ${columns} FROM price_observations WHERE token = ? ORDER BY at_ms DESC LIMIT 1`,
  );
  const before = db.prepare<[string, number], ObservationRow>(
    `SELECT ${columns} FROM price_observations WHERE token = ? AND at_ms <= ? ORDER BY at_ms DESC LIMIT 1`,
  );
  const first = db.prepare<[string], ObservationRow>(
    `SELECT ${columns} FROM price_observations WHERE token = ? ORDER BY at_ms LIMIT 1`,
  );
  return {
    put: (token, { atMs, cumulative, price }) =>
      void put.run(token, atMs, cumulative.toString(), price.toString()),
    last: (token) => fromRow(last.get(token)),
    before: (token, atMs) => fromRow(before.get(token, atMs) ?? first.get(token)),
  };
}

function fromRow(row: ObservationRow | undefined): PriceObservation | undefined {
  return row && { atMs: row.atMs, cumulative: BigInt(row.cumulative), price: BigInt(row.price) };
}
