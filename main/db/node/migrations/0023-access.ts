import type { Migration } from '../../open.ts';

/** What the home shard certified of bought access, and the prices of broadcasts. */
export const access: Migration = {
  version: 23,
  name: 'access that was bought',
  up: (db) =>
    db.exec(`
CREATE TABLE access_certificates (
  content_id TEXT NOT NULL,
  seller TEXT NOT NULL,
  record BLOB NOT NULL,            -- canonical bytes
  signature BLOB NOT NULL,         -- of the home shard
  PRIMARY KEY (content_id, seller)
) STRICT;
ALTER TABLE contents ADD COLUMN sold INTEGER NOT NULL DEFAULT 0;           -- 1: its file has terms of access
ALTER TABLE broadcasts ADD COLUMN offers BLOB;                            -- dag-cbor; NULL: those of its file
ALTER TABLE broadcasts ADD COLUMN offers_sequence INTEGER NOT NULL DEFAULT -1; -- record that told them
ALTER TABLE broadcasts ADD COLUMN next_offer BLOB;                        -- dag-cbor; what the next record is to ask, NULL: the same
`),
};
