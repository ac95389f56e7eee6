import type { Migration } from '../../open.ts';

const STATUSES = `'opening', 'open', 'paused', 'closing', 'claimed', 'settled', 'expired', 'disputed'`;
const REASONS = `'payment-overdue', 'store-failed'`;
/** A checkpoint's record ends in: final (1 byte), head of the tick (2 bytes), tick (32 bytes). */
const IS_FINAL = `substr(checkpoint, -35, 1) IS x'f5'`;

/** Channels are in the states of `shared/channel/lifecycle.ts`; `claimed` says what `final_claimed` said. */
export const channelStates: Migration = {
  version: 2,
  name: 'channel states',
  up: (db) =>
    db.exec(`
ALTER TABLE payer_channels RENAME TO payer_channels_1;
CREATE TABLE payer_channels (                -- channels on which this node pays
  channel_id          BLOB PRIMARY KEY,      -- SHA-256 of the terms
  payee               TEXT NOT NULL,         -- account of the provider
  payee_device        BLOB NOT NULL,
  terms               BLOB NOT NULL,         -- canonical bytes
  terms_signature     BLOB NOT NULL,         -- by this device
  lease_signature     BLOB,                  -- by the shard; NULL until it leased
  pebbles             BLOB NOT NULL,         -- secret: every 64th tick of the hash chain
  capacity_units      INTEGER NOT NULL,
  expires_at_ms       INTEGER NOT NULL,
  revealed_units      INTEGER NOT NULL,      -- index of the deepest tick that may have been sent
  verified_bytes      INTEGER NOT NULL,
  video_bytes         INTEGER NOT NULL,
  lost_bytes          INTEGER NOT NULL,      -- paid though lost on the way, at most one unit for each payee
  lost_at_ms          INTEGER NOT NULL DEFAULT 0,  -- when that was paid last
  watch_ms            INTEGER NOT NULL,
  checkpoint_number   INTEGER NOT NULL,
  checkpoint_units    INTEGER NOT NULL,
  checkpoint_at_ms    INTEGER NOT NULL,
  checkpoint          BLOB,                  -- latest checkpoint made, canonical bytes
  payer_signature     BLOB,
  payee_signature     BLOB,                  -- NULL until countersigned
  status              TEXT NOT NULL CHECK (status IN (${STATUSES})),
  paused_by           TEXT CHECK (paused_by IN (${REASONS})),  -- NULL unless paused
  opened_at_ms        INTEGER NOT NULL
) STRICT;
-- 'closed' was a final checkpoint that the payee signed, or a channel left because the books were apart.
INSERT INTO payer_channels
SELECT channel_id, payee, payee_device, terms, terms_signature, lease_signature, pebbles, capacity_units,
  expires_at_ms, revealed_units, verified_bytes, video_bytes, lost_bytes, lost_at_ms, watch_ms, checkpoint_number,
  checkpoint_units, checkpoint_at_ms, checkpoint, payer_signature, payee_signature,
  CASE
    WHEN status = 'open' AND lease_signature IS NULL THEN 'opening'
    WHEN status = 'closed' THEN CASE WHEN ${IS_FINAL} THEN 'closing' ELSE 'disputed' END
    ELSE status
  END,
  NULL, opened_at_ms
FROM payer_channels_1;
DROP TABLE payer_channels_1;
CREATE INDEX payer_channels_by_payee ON payer_channels (payee_device, status);
CREATE INDEX payer_channels_lost ON payer_channels (payee) WHERE lost_bytes > 0;
CREATE INDEX payer_channels_live ON payer_channels (expires_at_ms) WHERE status IN ('opening', 'open', 'paused');
CREATE INDEX payer_channels_closing ON payer_channels (opened_at_ms) WHERE status = 'closing';

ALTER TABLE payee_channels RENAME TO payee_channels_1;
CREATE TABLE payee_channels (                -- channels on which this node is paid
  channel_id          BLOB PRIMARY KEY,
  payer               TEXT NOT NULL,
  payer_device        BLOB NOT NULL,
  terms               BLOB NOT NULL,
  terms_signature     BLOB NOT NULL,
  lease_signature     BLOB NOT NULL,
  capacity_units      INTEGER NOT NULL,
  expires_at_ms       INTEGER NOT NULL,
  paid_units          INTEGER NOT NULL,      -- index of the deepest tick held
  tick                BLOB NOT NULL,         -- that tick; the anchor while nothing is paid
  served_bytes        INTEGER NOT NULL,      -- committed before they are sent
  served_at_ms        INTEGER NOT NULL,      -- when they last grew: what is unpaid is a debt from then on
  checkpoint_number   INTEGER NOT NULL,
  checkpoint_units    INTEGER NOT NULL,
  checkpoint          BLOB,
  payer_signature     BLOB,
  payee_signature     BLOB,
  claimed_units       INTEGER NOT NULL DEFAULT 0,  -- units that the shard has confirmed to hold a claim for
  status              TEXT NOT NULL CHECK (status IN (${STATUSES})),
  paused_by           TEXT CHECK (paused_by IN (${REASONS})),  -- NULL unless paused
  opened_at_ms        INTEGER NOT NULL
) STRICT;
-- 'closed' was a final checkpoint that this node signed, or a claim that the shard refused.
INSERT INTO payee_channels
SELECT channel_id, payer, payer_device, terms, terms_signature, lease_signature, capacity_units, expires_at_ms,
  paid_units, tick, served_bytes, served_at_ms, checkpoint_number, checkpoint_units, checkpoint, payer_signature,
  payee_signature, claimed_units,
  CASE
    WHEN status = 'closed' AND ${IS_FINAL}
      THEN CASE WHEN final_claimed = 1 AND claimed_units >= paid_units THEN 'claimed' ELSE 'closing' END
    WHEN status = 'closed' THEN 'disputed'
    ELSE status
  END,
  NULL, opened_at_ms
FROM payee_channels_1;
DROP TABLE payee_channels_1;
CREATE INDEX payee_channels_by_payer ON payee_channels (payer);
CREATE INDEX payee_channels_unclaimed ON payee_channels (channel_id)
  WHERE paid_units > claimed_units OR status = 'closing';
CREATE INDEX payee_channels_live ON payee_channels (expires_at_ms) WHERE status IN ('opening', 'open', 'paused');
`),
};
