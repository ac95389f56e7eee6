import type { Migration } from '../../open.ts';

/** What its user has, plays and keeps, and does not share for now. */
export const pausedContents: Migration = {
  version: 19,
  name: 'contents whose sharing is paused',
  up: (db) =>
    db.exec(`
ALTER TABLE contents ADD COLUMN paused INTEGER NOT NULL DEFAULT 0;      -- 1: neither announced nor sent to anybody
`),
};
