import type { Migration } from '../../open.ts';

/** From where the rate may move in a day. It has its row once the chain has taken up the rules that bound it. */
export const rateDay: Migration = {
  version: 5,
  name: 'rate-day',
  up: (db) =>
    db.exec(`
      CREATE TABLE rate_day (
        id INTEGER PRIMARY KEY CHECK (id = 1), -- there is one row, or none yet
        day INTEGER NOT NULL, -- days since 1970, UTC, by the chain's clock
        video_units INTEGER NOT NULL CHECK (video_units >= 0), -- the totals with which it began
        watch_ms INTEGER NOT NULL CHECK (watch_ms >= 0)
      ) STRICT;
    `),
};
