import type { TrafficTotals } from '../../../shared/economy/price.ts';
import type { Database } from '../open.ts';

export interface TotalsQueries {
  get(): TrafficTotals;
  put(totals: TrafficTotals): void;
}

export function totalsQueries(db: Database): TotalsQueries {
  const get = db
    .prepare<[], TrafficTotals>('SELECT video_units AS videoUnits, watch_ms AS watchMs FROM totals')
    .safeIntegers();
  const put = db.prepare(`
    INSERT INTO totals (id, video_units, watch_ms) VALUES (1, ?, ?)
    ON CONFLICT (id) DO UPDATE SET video_units = excluded.video_units, watch_ms = excluded.watch_ms
  `);
  return {
    get: () => get.get() as TrafficTotals,
    put: ({ videoUnits, watchMs }) => void put.run(videoUnits, watchMs),
  };
}
