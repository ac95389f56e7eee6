import type { Migration } from '../../open.ts';

export const first: Migration = {
  version: 1,
  name: 'leases, batches, loans, statements',
  up(db) {
    db.exec(`
CREATE TABLE leases (                        -- one row per channel that this shard reserved capacity for
  channel_id        BLOB PRIMARY KEY,
  anchor            BLOB NOT NULL UNIQUE,    -- a chain never serves two channels
  payer             TEXT NOT NULL,
  payee             TEXT NOT NULL,
  payer_device      BLOB NOT NULL,
  payee_device      BLOB NOT NULL,
  terms             BLOB NOT NULL,
  signature         BLOB NOT NULL,           -- the lease's, by this validator
  capacity_units    INTEGER NOT NULL,
  leased_at_ms      INTEGER NOT NULL,
  expires_at_ms     INTEGER NOT NULL,
  claimed_units     INTEGER NOT NULL DEFAULT 0,  -- proven by ticks or checkpoints; ascends
  claimed_tick      BLOB NOT NULL,               -- the tick that proves it; the anchor at first
  sealed_units      INTEGER NOT NULL DEFAULT 0,  -- part of claimed_units that went into a batch
  applied_units     INTEGER NOT NULL DEFAULT 0,  -- part of sealed_units that the main chain has answered for
  checkpoint_number INTEGER NOT NULL DEFAULT 0,
  video_bytes       INTEGER NOT NULL DEFAULT 0,  -- most that both sides signed, as far as it can ever count
  watch_ms          INTEGER NOT NULL DEFAULT 0,
  sealed_video_units INTEGER NOT NULL DEFAULT 0, -- part of these that went into the totals of a batch
  sealed_watch_ms   INTEGER NOT NULL DEFAULT 0,
  released          INTEGER NOT NULL DEFAULT 0   -- 1 once the unclaimed rest went back to the payer
) STRICT;
CREATE INDEX leases_open ON leases (payer) WHERE max(1 - released, claimed_units - applied_units) > 0;
-- Leases are history and never deleted: what runs often reads an index that the finished ones are not in. It uses a
-- partial index only when it repeats its condition, and that is one term: max(…) > 0 instead of OR.
CREATE INDEX leases_to_seal ON leases (channel_id)
  WHERE max(claimed_units - sealed_units, watch_ms - sealed_watch_ms, video_bytes / 1048576 - sealed_video_units) > 0;
CREATE INDEX leases_to_apply ON leases (channel_id) WHERE applied_units < sealed_units;
CREATE INDEX leases_to_release ON leases (expires_at_ms) WHERE released = 0;
CREATE INDEX leases_by_time ON leases (payer, leased_at_ms);

CREATE TABLE watchers (                      -- one row per account that has ever leased
  account           TEXT PRIMARY KEY,
  watched_until_ms  INTEGER NOT NULL         -- its wall clock is used up by credited watch time until here
) STRICT, WITHOUT ROWID;

CREATE TABLE loans (                         -- who owes whom; never deleted, units_left falls to 0
  id            INTEGER PRIMARY KEY,
  debtor        TEXT NOT NULL,
  creditor      TEXT NOT NULL,
  units         INTEGER NOT NULL,
  units_left    INTEGER NOT NULL CHECK (units_left BETWEEN 0 AND units),
  batch_number  INTEGER NOT NULL,            -- batch that made it
  at_ms         INTEGER NOT NULL
) STRICT;
CREATE INDEX loans_open ON loans (debtor, id) WHERE units_left > 0;
CREATE INDEX loans_of_pair ON loans (debtor, creditor, id) WHERE units_left > 0;

CREATE TABLE batches (
  number        INTEGER PRIMARY KEY,
  hash          BLOB NOT NULL,
  bytes         BLOB NOT NULL,               -- canonical bytes, as signed
  signature     BLOB NOT NULL,
  created_at_ms INTEGER NOT NULL,
  result        BLOB                         -- the main chain's answer; NULL while it is under way
) STRICT;

CREATE TABLE statements (                    -- what each account is told of the batches, in order
  account       TEXT NOT NULL,
  seq           INTEGER NOT NULL,            -- 1, 2, 3 … per account
  batch_number  INTEGER NOT NULL,
  direction     TEXT NOT NULL CHECK (direction IN ('paid', 'earned')),
  entry_index   INTEGER NOT NULL,            -- position in the batch's result
  PRIMARY KEY (account, seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
`);
  },
};
