import type { Migration } from '../../open.ts';

/**
 * What shards' statements bill on each channel that this account pays on, which is held against what was revealed there.
 * What is billed on channels that were settled before is not known to it.
 *
 * A unit that is paid before it comes counts as lost until it has come, so those channels are found by the time of it.
 */
export const bills: Migration = {
  version: 16,
  name: 'what statements bill on each channel',
  up: (db) =>
    db.exec(`
CREATE TABLE billed_channels (
  channel_id   BLOB PRIMARY KEY,
  billed_units INTEGER NOT NULL,            -- of all statements that name the channel
  proven_units INTEGER NOT NULL DEFAULT 0   -- for which the shard has shown the tick
) STRICT, WITHOUT ROWID;

ALTER TABLE diverged_shards ADD COLUMN kind TEXT NOT NULL DEFAULT 'histories'
  CHECK (kind IN ('histories', 'overbilled'));

UPDATE payer_channels SET lost_at_ms = max(opened_at_ms, 1) WHERE lost_bytes > 0 AND lost_at_ms = 0;
DROP INDEX payer_channels_lost;
CREATE INDEX payer_channels_lost ON payer_channels (payee) WHERE lost_at_ms > 0;
`),
};
