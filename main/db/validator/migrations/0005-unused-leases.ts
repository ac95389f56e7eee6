import type { Migration } from '../../open.ts';

export const unusedLeases: Migration = {
  version: 5,
  name: 'leases that nothing was ever paid on are found by their end',
  up: (db) =>
    db.exec(`
CREATE INDEX leases_unused ON leases (expires_at_ms)
  WHERE released = 1 AND claimed_units = 0 AND checkpoint_number = 0 AND watch_ms = 0;
`),
};
