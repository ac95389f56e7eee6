import type { TrafficTotals } from '../../../shared/economy/price.ts';
import type { Database } from '../open.ts';

export interface RateHourQueries {
  /** The totals with which the hours from `hour` on began that have a batch. */
  since(hour: bigint): TrafficTotals[];
  /** Notes with what totals an hour (since 1970) begins, once. */
  begin(hour: bigint, totals: TrafficTotals): void;
  /** Forgets those before `hour`. */
  forgetBefore(hour: bigint): void;
}

export function rateHourQueries(db: Database): RateHourQueries {
  const since = db
    .prepare<[bigint], TrafficTotals>(
      'SELECT video_units AS videoUnits, watch_ms AS watchMs FROM rate_hours WHERE hour >= ? ORDER BY hour',
    )
    .safeIntegers();
  const begin = db.prepare<[bigint, bigint, bigint]>(
    'INSERT INTO rate_hours (hour, video_units, watch_ms) VALUES (?, ?, ?) ON CONFLICT (hour) DO NOTHING',
  );
  const forgetBefore = db.prepare<[bigint]>('DELETE FROM rate_hours WHERE hour < ?');
  return {
    since: (hour) => since.all(hour),
    begin: (hour, { videoUnits, watchMs }) => void begin.run(hour, videoUnits, watchMs),
    forgetBefore: (hour) => void forgetBefore.run(hour),
  };
}
