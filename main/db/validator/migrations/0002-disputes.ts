import type { Migration } from '../../open.ts';

export const disputes: Migration = {
  version: 2,
  name: 'disputed devices, and the signed records that a contradiction is found by',
  up(db) {
    db.exec(`
CREATE TABLE disputes (                      -- devices that get no new lease; never deleted
  device            BLOB PRIMARY KEY,        -- raw Ed25519 key
  account           TEXT NOT NULL,           -- that it acted for
  kind              TEXT NOT NULL CHECK (kind IN ('checkpoint', 'anchor')),
  proof             BLOB NOT NULL            -- canonical bytes; the first that was handed in
) STRICT, WITHOUT ROWID;

CREATE TABLE terms_signatures (              -- the payer's, one for each lease: makes two terms with one anchor a proof
  channel_id        BLOB PRIMARY KEY REFERENCES leases (channel_id),
  signature         BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE claimed_checkpoints (           -- the latest of each channel that a claim carried: makes two of a number a proof
  channel_id        BLOB PRIMARY KEY REFERENCES leases (channel_id),
  number            INTEGER NOT NULL,
  record            BLOB NOT NULL,           -- canonical bytes
  payer_signature   BLOB NOT NULL,
  countersigned     INTEGER NOT NULL         -- 1 when the payee had signed it too
) STRICT, WITHOUT ROWID;
`);
  },
};
