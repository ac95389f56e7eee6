import type { Migration } from '../../open.ts';

export const traffic: Migration = {
  version: 13,
  name: 'traffic by hour, and by day with its contents and peers',
  up(db) {
    db.exec(`
CREATE TABLE traffic_hours (
  hour_ms         INTEGER PRIMARY KEY,       -- when the hour began
  down_bytes      INTEGER NOT NULL,          -- content received
  up_bytes        INTEGER NOT NULL,          -- content sent
  payment_bytes   INTEGER NOT NULL,          -- what carried payments, both directions
  protocol_bytes  INTEGER NOT NULL           -- everything else, both directions
) STRICT;

CREATE TABLE traffic_days (                  -- content only: overhead belongs to no content
  day         TEXT NOT NULL,                 -- of the computer's own time, 2026-11-20
  content_id  TEXT NOT NULL,                 -- of a broadcast: its own, not its segments'
  account     TEXT NOT NULL,                 -- the other side
  down_bytes  INTEGER NOT NULL,
  up_bytes    INTEGER NOT NULL,
  PRIMARY KEY (day, content_id, account)
) STRICT, WITHOUT ROWID;
`);
  },
};
