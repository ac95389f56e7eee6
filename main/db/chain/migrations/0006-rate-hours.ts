import type { Migration } from '../../open.ts';

/** From where the rate may move, hour by hour: by day, as much as for two days fitted into the minutes around midnight. `rate_day` is of chains of before. */
export const rateHours: Migration = {
  version: 6,
  name: 'rate-hours',
  up: (db) =>
    db.exec(`
      CREATE TABLE rate_hours (
        hour INTEGER PRIMARY KEY, -- since 1970, by the chain's clock, of the last 24 those that have a batch
        video_units INTEGER NOT NULL CHECK (video_units >= 0), -- the totals with which it began
        watch_ms INTEGER NOT NULL CHECK (watch_ms >= 0)
      ) STRICT;
    `),
};
