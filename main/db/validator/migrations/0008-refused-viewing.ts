import type { Migration } from '../../open.ts';

/** An account's day has 24 hours also when its viewing was paid for later, and what is refused is never paid for. */
export const refusedViewing: Migration = {
  version: 8,
  name: 'hours of a day that were counted, and units that were never paid for',
  up: (db) =>
    db.exec(`
ALTER TABLE watchers ADD COLUMN day_ms INTEGER NOT NULL DEFAULT 0;         -- watched with day_units
ALTER TABLE watchers ADD COLUMN refused_units INTEGER NOT NULL DEFAULT 0;  -- that no viewing was dropped for yet
ALTER TABLE watchers ADD COLUMN ever_paid_units INTEGER NOT NULL DEFAULT 0; -- paid or repaid in all

UPDATE watchers SET ever_paid_units = max(0,
  (SELECT coalesce(sum(applied_units), 0) FROM leases WHERE payer = account) -
  (SELECT coalesce(sum(units_left), 0) FROM loans WHERE debtor = account AND units_left > 0));

-- Viewing once counted while it was owed: repaying that counts for nothing more.
UPDATE watchers SET paid_units = paid_units -
  (SELECT coalesce(sum(units_left), 0) FROM loans WHERE debtor = account AND units_left > 0)
  WHERE waiting_units = 0;
`),
};
