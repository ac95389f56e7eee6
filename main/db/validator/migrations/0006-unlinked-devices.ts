import type { Migration } from '../../open.ts';

export const unlinkedDevices: Migration = {
  version: 6,
  name: 'leases that end because their device was unlinked',
  up: (db) =>
    db.exec(`
ALTER TABLE leases ADD COLUMN ended INTEGER NOT NULL DEFAULT 0; -- 1: expires_at_ms is when the device was unlinked

CREATE TABLE unlinking (                     -- operations that the chain may have taken, until its leases are ended
  account TEXT NOT NULL,
  device  BLOB NOT NULL,
  PRIMARY KEY (account, device)
) STRICT, WITHOUT ROWID;
`),
};
