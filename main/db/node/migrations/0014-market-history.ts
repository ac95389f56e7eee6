import type { Migration } from '../../open.ts';

export const marketHistory: Migration = {
  version: 14,
  name: 'prices and the traffic rate, as they were heard',
  up(db) {
    db.exec(`
CREATE TABLE market_history (                -- a row a minute at most, where something had changed
  at_ms         INTEGER PRIMARY KEY,
  xac_per_gb    TEXT NOT NULL,               -- decimals
  xat_per_gb    TEXT NOT NULL,
  xac_per_xat   TEXT NOT NULL,
  traffic_rate  TEXT NOT NULL                -- GB per hour
) STRICT;
`);
  },
};
