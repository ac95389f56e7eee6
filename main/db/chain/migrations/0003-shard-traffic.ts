import type { Migration } from '../../open.ts';

/** What each shard's batches consumed and reported as watched: the bound on what they can report. */
export const shardTraffic: Migration = {
  version: 3,
  name: 'shard-traffic',
  up: (db) =>
    db.exec(`
      CREATE TABLE shard_traffic (
        shard INTEGER PRIMARY KEY, -- shard number, from 0
        consumed_units INTEGER NOT NULL CHECK (consumed_units >= 0), -- paid or taken on credit; batches add to it
        video_units INTEGER NOT NULL CHECK (video_units BETWEEN 0 AND consumed_units), -- of these, credited as video
        watch_ms INTEGER NOT NULL CHECK (watch_ms >= 0) -- credited as watched; no more than so many units can play
      ) STRICT;
    `),
};
