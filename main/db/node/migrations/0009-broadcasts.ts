import type { Migration } from '../../open.ts';

export const broadcasts: Migration = {
  version: 9,
  name: 'live broadcasts and the records of their segments',
  up(db) {
    db.exec(`
CREATE TABLE broadcasts (
  content_id      TEXT PRIMARY KEY,          -- CID of the transport file, base32
  transport       BLOB NOT NULL,             -- the transport file's bytes
  name            TEXT NOT NULL,
  mime_type       TEXT NOT NULL,
  added_at_ms     INTEGER NOT NULL,
  push_key        TEXT,                      -- secret part of the address that its encoder pushes to; NULL: not ours
  folder          TEXT,                      -- that its encoder writes to, when it pushes nothing
  source_mark     TEXT,                      -- last file of the folder that became a segment
  next_sequence   INTEGER NOT NULL DEFAULT 0,  -- of our own; only ever goes up
  discontinuities INTEGER NOT NULL DEFAULT 0,  -- of our own, up to its last segment
  ended           INTEGER NOT NULL DEFAULT 0,  -- 1 once its broadcaster has signed its end
  down_bytes      INTEGER NOT NULL DEFAULT 0,  -- of segments that are gone: verified bytes received from others
  up_bytes        INTEGER NOT NULL DEFAULT 0   -- of segments that are gone: bytes sent to others
) STRICT;

CREATE TABLE live_records (                  -- the window of each broadcast; older ones are removed
  broadcast       TEXT NOT NULL REFERENCES broadcasts (content_id) ON DELETE CASCADE,
  sequence        INTEGER NOT NULL,
  message         BLOB NOT NULL,             -- record, signature, transport file of the segment
  content_id      TEXT,                      -- the segment; NULL for the end
  init_content_id TEXT,                      -- what it begins with
  duration_ms     INTEGER NOT NULL,
  size_bytes      INTEGER NOT NULL,
  discontinuities INTEGER NOT NULL,
  starts_at_ms    INTEGER NOT NULL,          -- by the broadcaster's clock
  heard_at_ms     INTEGER NOT NULL,          -- by ours
  PRIMARY KEY (broadcast, sequence)
) STRICT, WITHOUT ROWID;

CREATE TABLE live_contents (                 -- contents that are part of a broadcast
  content_id      TEXT PRIMARY KEY,
  broadcast       TEXT NOT NULL REFERENCES broadcasts (content_id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE TABLE live_contradictions (           -- two records that a broadcaster signed with one number
  broadcast       TEXT NOT NULL REFERENCES broadcasts (content_id) ON DELETE CASCADE,
  sequence        INTEGER NOT NULL,
  first           BLOB NOT NULL,             -- the one that counts here
  second          BLOB NOT NULL,             -- the one that was refused
  at_ms           INTEGER NOT NULL,
  PRIMARY KEY (broadcast, sequence)
) STRICT, WITHOUT ROWID;
`);
  },
};
