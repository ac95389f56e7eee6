import type { Migration } from '../../open.ts';

/**
 * A lease that is taken back may find its anchor under another one, which was leased after the shard had forgotten it.
 * Both are the shard's word, so both stand: `grantLease` alone refuses an anchor that serves already.
 */
export const anchorsAgain: Migration = {
  version: 3,
  name: 'two leases may have one anchor, after the shard forgot the first',
  up: (db) =>
    db.exec(`
CREATE TABLE leases_3 (                      -- one row per channel that this shard reserved capacity for
  channel_id        BLOB PRIMARY KEY,
  anchor            BLOB NOT NULL,
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
INSERT INTO leases_3 SELECT channel_id, anchor, payer, payee, payer_device, payee_device, terms, signature,
  capacity_units, leased_at_ms, expires_at_ms, claimed_units, claimed_tick, sealed_units, applied_units,
  checkpoint_number, video_bytes, watch_ms, sealed_video_units, sealed_watch_ms, released
FROM leases ORDER BY rowid;
DROP TABLE leases;
ALTER TABLE leases_3 RENAME TO leases;
CREATE INDEX leases_by_anchor ON leases (anchor);
CREATE INDEX leases_open ON leases (payer) WHERE max(1 - released, claimed_units - applied_units) > 0;
CREATE INDEX leases_to_seal ON leases (channel_id)
  WHERE max(claimed_units - sealed_units, watch_ms - sealed_watch_ms, video_bytes / 1048576 - sealed_video_units) > 0;
CREATE INDEX leases_to_apply ON leases (channel_id) WHERE applied_units < sealed_units;
CREATE INDEX leases_to_release ON leases (expires_at_ms) WHERE released = 0;
CREATE INDEX leases_by_time ON leases (payer, leased_at_ms);
`),
};
