import type { Migration } from '../../open.ts';

/** What the chain refused is owed for ever: who has paid that much has shown nothing. */
export const everRefused: Migration = {
  version: 9,
  name: 'units that were refused in all',
  up: (db) =>
    db.exec(`
ALTER TABLE watchers ADD COLUMN ever_refused_units INTEGER NOT NULL DEFAULT 0; -- by the main chain, in all
UPDATE watchers SET ever_refused_units = refused_units;
`),
};
