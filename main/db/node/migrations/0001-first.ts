import type { Migration } from '../../open.ts';

export const first: Migration = {
  version: 1,
  name: 'contents, channels of both sides, settlements',
  up(db) {
    db.exec(`
CREATE TABLE contents (
  content_id    TEXT PRIMARY KEY,            -- CID of the transport file, base32
  transport     BLOB NOT NULL,               -- the transport file's bytes
  name          TEXT NOT NULL,
  mime_type     TEXT NOT NULL,
  size_bytes    INTEGER NOT NULL,
  duration_ms   INTEGER NOT NULL,            -- 0 when unknown
  origin        TEXT NOT NULL CHECK (origin IN ('imported', 'fetched', 'offered')),
  added_at_ms   INTEGER NOT NULL,
  down_bytes    INTEGER NOT NULL DEFAULT 0,  -- verified bytes received from others
  up_bytes      INTEGER NOT NULL DEFAULT 0   -- bytes sent to others
) STRICT;

CREATE TABLE pieces (                        -- one row per piece that is stored and verified
  content_id    TEXT NOT NULL REFERENCES contents (content_id) ON DELETE CASCADE,
  piece_index   INTEGER NOT NULL,
  synced        INTEGER NOT NULL,            -- 1 once its bytes were flushed to the disk; 0 is checked again at the start
  PRIMARY KEY (content_id, piece_index)
) STRICT, WITHOUT ROWID;
CREATE INDEX pieces_unsynced ON pieces (content_id) WHERE synced = 0;

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
  status              TEXT NOT NULL CHECK (status IN ('open', 'closing', 'closed')),
  opened_at_ms        INTEGER NOT NULL
) STRICT;
CREATE INDEX payer_channels_by_payee ON payer_channels (payee_device, status);
CREATE INDEX payer_channels_lost ON payer_channels (payee) WHERE lost_bytes > 0;

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
  final_claimed       INTEGER NOT NULL DEFAULT 0,  -- 1 once the shard has the final checkpoint and freed the rest
  status              TEXT NOT NULL CHECK (status IN ('open', 'closed')),
  opened_at_ms        INTEGER NOT NULL
) STRICT;
CREATE INDEX payee_channels_by_payer ON payee_channels (payer);
CREATE INDEX payee_channels_unclaimed ON payee_channels (channel_id) 
  WHERE paid_units > claimed_units OR (status = 'closed' AND final_claimed = 0);

CREATE TABLE settlements (                   -- what batches did to this node's account, as its shard told
  seq             INTEGER PRIMARY KEY,       -- the shard's sequence number for the account
  shard           INTEGER NOT NULL,
  batch_number    INTEGER NOT NULL,
  batch_hash      BLOB NOT NULL,
  at_ms           INTEGER NOT NULL,
  direction       TEXT NOT NULL CHECK (direction IN ('paid', 'earned')),
  counterparty    TEXT NOT NULL,
  paid_units      INTEGER NOT NULL,
  credit_units    INTEGER NOT NULL,
  refused_units   INTEGER NOT NULL,
  repaid_units    INTEGER NOT NULL,
  gross_xac       INTEGER NOT NULL,          -- base units, before the fee
  fee_xac         INTEGER NOT NULL,
  xat_burned      INTEGER NOT NULL,          -- base units
  xas_paid        INTEGER NOT NULL,          -- base units
  fee_xas         INTEGER NOT NULL,
  price_num       TEXT NOT NULL,             -- XAC base units per traffic unit, numerator
  price_den       TEXT NOT NULL
) STRICT;

CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
`);
  },
};
