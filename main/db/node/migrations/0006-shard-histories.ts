import type { Migration } from '../../open.ts';

export const shardHistories: Migration = {
  version: 6,
  name: 'signed statements, and shards that told two histories',
  up(db) {
    db.exec(`
ALTER TABLE settlements ADD COLUMN signature BLOB;  -- the shard's, over the statement; NULL of those told before it signed any
CREATE INDEX settlements_of_batch ON settlements (shard, batch_number);
CREATE TABLE diverged_shards (               -- never trusted again
  shard    INTEGER PRIMARY KEY,
  proof    BLOB,                             -- canonical bytes, for anyone to check; NULL where the older one is unsigned
  at_ms    INTEGER NOT NULL
) STRICT;
`);
  },
};
