import type { Migration } from '../../open.ts';

/** Viewing counts for the traffic rate once it is paid for: what is waiting for that, and what was paid for. */
export const paidViewing: Migration = {
  version: 7,
  name: 'viewing that waits for its payment',
  up: (db) =>
    db.exec(`
ALTER TABLE watchers ADD COLUMN paid_units INTEGER NOT NULL DEFAULT 0;    -- paid or repaid, and not counted yet
ALTER TABLE watchers ADD COLUMN waiting_units INTEGER NOT NULL DEFAULT 0; -- of video, reported and not counted yet
ALTER TABLE watchers ADD COLUMN waiting_ms INTEGER NOT NULL DEFAULT 0;    -- watched with them
ALTER TABLE watchers ADD COLUMN day INTEGER NOT NULL DEFAULT 0;           -- days since 1970
ALTER TABLE watchers ADD COLUMN day_units INTEGER NOT NULL DEFAULT 0;     -- counted on it

CREATE INDEX watchers_to_count ON watchers (account)
  WHERE waiting_ms > 0 AND (paid_units > 0 OR waiting_units = 0);

-- Video units go with their time, 64 ms at least, so what has none is not looked at again and again.
DROP INDEX leases_to_seal;
CREATE INDEX leases_to_seal ON leases (channel_id)
  WHERE max(claimed_units - sealed_units, watch_ms - sealed_watch_ms,
            min(video_bytes / 1048576, claimed_units, watch_ms / 64) - sealed_video_units) > 0;
`),
};
