import type { Migration } from '../../open.ts';

/** What operations did to services, apart from main. Rows of before are of chains that had one place. */
export const places: Migration = {
  version: 21,
  name: 'two places of an account',
  up: (db) =>
    db.exec(`
ALTER TABLE operations ADD COLUMN services_xat INTEGER NOT NULL DEFAULT 0; -- base units gained, negative where lost
ALTER TABLE operations ADD COLUMN services_xac INTEGER NOT NULL DEFAULT 0;
ALTER TABLE operations ADD COLUMN services_xas INTEGER NOT NULL DEFAULT 0;
`),
};
