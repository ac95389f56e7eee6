import type { Migration } from '../../open.ts';

export const storeAndLimits: Migration = {
  version: 8,
  name: 'where content files are and how they were left, settings, data used by day',
  up(db) {
    db.exec(`
ALTER TABLE contents ADD COLUMN pinned INTEGER NOT NULL DEFAULT 0;      -- 1: never removed to make room
ALTER TABLE contents ADD COLUMN used_at_ms INTEGER NOT NULL DEFAULT 0;  -- when it was played, fetched or served last
ALTER TABLE contents ADD COLUMN source_path TEXT;                       -- the user's own file; NULL: a file of the piece store
ALTER TABLE contents ADD COLUMN file_stamp TEXT;                        -- size:mtime:inode as last left; NULL while written
ALTER TABLE contents ADD COLUMN trouble TEXT CHECK (trouble IN ('changed', 'missing'));  -- why it is not served
UPDATE contents SET used_at_ms = added_at_ms;

CREATE TABLE settings (                      -- what the user has chosen; a key that is not here has its default
  key    TEXT PRIMARY KEY,
  value  TEXT NOT NULL                       -- JSON
) STRICT;

CREATE TABLE data_used (                     -- one row per day of the computer's own time
  day             TEXT PRIMARY KEY,          -- 2026-11-20
  down_bytes      INTEGER NOT NULL,          -- content received
  up_bytes        INTEGER NOT NULL,          -- content sent
  overhead_bytes  INTEGER NOT NULL           -- payment and protocol, both directions
) STRICT;
`);
  },
};
