import type { Migration } from '../../open.ts';

const STATUSES = `'opening', 'open', 'paused', 'closing', 'claimed', 'settled', 'expired', 'disputed'`;
const REASONS = `'payment-overdue', 'store-failed'`;

/**
 * What every tick changes has a narrow table of its own, found by a small integer and in no index: a tick rewrites
 * some 70 bytes, and channels that are paid together share pages. The rest changes with a checkpoint, or less often.
 */
export const payeeProgress: Migration = {
  version: 7,
  name: 'what ticks change, apart',
  up: (db) =>
    db.exec(`
ALTER TABLE payee_channels RENAME TO payee_channels_5;
CREATE TABLE payee_channels (                -- channels on which this node is paid
  id                  INTEGER PRIMARY KEY,
  channel_id          BLOB NOT NULL UNIQUE,  -- SHA-256 of the terms
  payer               TEXT NOT NULL,
  payer_device        BLOB NOT NULL,
  terms               BLOB NOT NULL,         -- canonical bytes
  terms_signature     BLOB NOT NULL,
  lease_signature     BLOB NOT NULL,
  capacity_units      INTEGER NOT NULL,
  expires_at_ms       INTEGER NOT NULL,
  checkpoint_number   INTEGER NOT NULL,
  checkpoint_units    INTEGER NOT NULL,
  checkpoint          BLOB,                  -- latest checkpoint signed, canonical bytes
  payer_signature     BLOB,
  payee_signature     BLOB,
  claimed_units       INTEGER NOT NULL DEFAULT 0,  -- units that the shard has confirmed to hold a claim for
  status              TEXT NOT NULL CHECK (status IN (${STATUSES})),
  paused_by           TEXT CHECK (paused_by IN (${REASONS})),  -- NULL unless paused
  opened_at_ms        INTEGER NOT NULL,
  shard_units         INTEGER NOT NULL DEFAULT 0,  -- units that the shard holds proof for
  settled_units       INTEGER NOT NULL DEFAULT 0,  -- part of them that the main chain answered for
  released            INTEGER NOT NULL DEFAULT 0,  -- 1 once the shard gave the unused rest back
  told_at_ms          INTEGER NOT NULL DEFAULT 0   -- when the shard said so last
) STRICT;
CREATE TABLE payee_progress (                -- one row for each of them: how far it has come
  id                  INTEGER PRIMARY KEY REFERENCES payee_channels (id),
  paid_units          INTEGER NOT NULL,      -- index of the deepest tick held
  tick                BLOB NOT NULL,         -- that tick; the anchor while nothing is paid
  served_bytes        INTEGER NOT NULL,      -- committed before they are sent
  served_at_ms        INTEGER NOT NULL       -- when they last grew: what is unpaid is a debt from then on
) STRICT;
INSERT INTO payee_channels
SELECT rowid, channel_id, payer, payer_device, terms, terms_signature, lease_signature, capacity_units, expires_at_ms,
  checkpoint_number, checkpoint_units, checkpoint, payer_signature, payee_signature, claimed_units, status, paused_by,
  opened_at_ms, shard_units, settled_units, released, told_at_ms
FROM payee_channels_5;
INSERT INTO payee_progress SELECT rowid, paid_units, tick, served_bytes, served_at_ms FROM payee_channels_5;
DROP TABLE payee_channels_5;
CREATE VIEW payee_books AS                   -- both together, for reading
SELECT c.*, p.paid_units, p.tick, p.served_bytes, p.served_at_ms
FROM payee_channels c JOIN payee_progress p ON p.id = c.id;
CREATE INDEX payee_channels_by_payer ON payee_channels (payer);
-- What can still be claimed; which of it has news the progress says.
CREATE INDEX payee_channels_claimable ON payee_channels (opened_at_ms) WHERE status NOT IN ('claimed', 'settled');
CREATE INDEX payee_channels_live ON payee_channels (expires_at_ms) WHERE status IN ('opening', 'open', 'paused');
CREATE INDEX payee_channels_unsettled ON payee_channels (told_at_ms) WHERE released = 0 OR settled_units < shard_units;
CREATE INDEX payee_channels_by_time ON payee_channels (opened_at_ms, channel_id);
`),
};
