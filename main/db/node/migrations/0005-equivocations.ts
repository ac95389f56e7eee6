import type { Migration } from '../../open.ts';

export const equivocations: Migration = {
  version: 5,
  name: 'proofs of cheating to hand to the shard',
  up(db) {
    db.exec(`
CREATE TABLE equivocations (                 -- one proof for each device that was caught
  device   BLOB PRIMARY KEY,                 -- raw Ed25519 key
  account  TEXT NOT NULL,                    -- that it acted for
  shard    INTEGER NOT NULL,                 -- home shard of that account
  proof    BLOB NOT NULL,                    -- canonical bytes
  state    TEXT NOT NULL CHECK (state IN ('waiting', 'taken', 'refused'))  -- what the shard answered
) STRICT;
`);
  },
};
