import { formatRatio, parseRatio, type Ratio } from '../../../shared/economy/ratio.ts';
import type { Database } from '../open.ts';

export interface FeedQueries {
  /** USD per XAB. */
  get(): Ratio;
  put(aceBytePriceUsd: Ratio): void;
}

export function feedQueries(db: Database): FeedQueries {
  const get = db.prepare<[], string>('SELECT ace_byte_price_usd FROM feed').pluck();
  const put = db.prepare(`
    INSERT INTO feed (id, ace_byte_price_usd) VALUES (1, ?)
    ON CONFLICT (id) DO UPDATE SET ace_byte_price_usd = excluded.ace_byte_price_usd
  `);
  return {
    get: () => parseRatio(get.get()),
    put: (price) => void put.run(formatRatio(price)),
  };
}
