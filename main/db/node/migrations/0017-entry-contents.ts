import type { Migration } from '../../open.ts';

/**
 * What each journal entry was for, as it was known when it was booked: later a channel carries other titles, and titles
 * are deleted. Of entries from before, what is known now is looked up, as it was.
 */
export const entryContents: Migration = {
  version: 17,
  name: 'what each journal entry was for',
  up: (db) =>
    db.exec(`
CREATE TABLE entry_contents (
  source       INTEGER NOT NULL,             -- the key of the entry, as in journal_entries
  shard        INTEGER NOT NULL,
  source_seq   INTEGER NOT NULL,
  part         INTEGER NOT NULL,
  contents     TEXT NOT NULL,                -- JSON: [[content id, name or null], …], most traffic first
  PRIMARY KEY (source, shard, source_seq, part)
) STRICT, WITHOUT ROWID;
`),
};
