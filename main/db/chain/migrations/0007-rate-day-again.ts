import type { Migration } from '../../open.ts';

/**
 * For chains whose sixth migration, in its first form, dropped the table: they open and go on by rules 3. Their log does not say since
 * when, so they cannot be proved. Which rules use the table: `embedded/rules.ts`.
 */
export const rateDayAgain: Migration = {
  version: 7,
  name: 'rate-day-again',
  up: (db) =>
    db.exec(`
      CREATE TABLE IF NOT EXISTS rate_day (
        id INTEGER PRIMARY KEY CHECK (id = 1), -- there is one row, or none
        day INTEGER NOT NULL, -- days since 1970, UTC, by the chain's clock
        video_units INTEGER NOT NULL CHECK (video_units >= 0), -- the totals with which it began
        watch_ms INTEGER NOT NULL CHECK (watch_ms >= 0)
      ) STRICT;
    `),
};
