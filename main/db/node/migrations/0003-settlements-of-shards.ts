import type { Migration } from '../../open.ts';

/** Statements come from many shards, each with numbers of its own: `seq` is the position in this node's history now. */
export const settlementsOfShards: Migration = {
  version: 3,
  name: 'settlements of many shards',
  up(db) {
    db.exec(`
ALTER TABLE settlements ADD COLUMN shard_seq INTEGER NOT NULL DEFAULT 0;  -- the shard's number for the account
UPDATE settlements SET shard_seq = seq;
CREATE UNIQUE INDEX settlements_by_shard ON settlements (shard, shard_seq);
`);
  },
};
