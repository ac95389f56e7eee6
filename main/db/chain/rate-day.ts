import type { TrafficTotals } from '../../../shared/economy/price.ts';
import type { Database } from '../open.ts';

/** The totals with which the newest day (UTC) began that has a batch. */
export interface RateDay extends TrafficTotals {
  /** Days since 1970. */
  readonly day: bigint;
}

export interface RateDayQueries {
  /** `undefined` on a chain that has not taken up rules 2 (see `embedded/rules.ts`). */
  get(): RateDay | undefined;
  put(day: RateDay): void;
}

export function rateDayQueries(db: Database): RateDayQueries {
  const get = db
    .prepare<[], RateDay>('SELECT day, video_units AS videoUnits, watch_ms AS watchMs FROM rate_day')
    .safeIntegers();
  const put = db.prepare<[RateDay]>(
    'REPLACE INTO rate_day (id, day, video_units, watch_ms) VALUES (1, @day, @videoUnits, @watchMs)',
  );
  return { get: () => get.get(), put: (day) => void put.run(day) };
}
