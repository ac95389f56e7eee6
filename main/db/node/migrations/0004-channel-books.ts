import type { Migration } from '../../open.ts';

const columns = (table: string) => `
ALTER TABLE ${table} ADD COLUMN shard_units INTEGER NOT NULL DEFAULT 0;   -- units that the shard holds proof for
ALTER TABLE ${table} ADD COLUMN settled_units INTEGER NOT NULL DEFAULT 0; -- part of them that the main chain answered for
ALTER TABLE ${table} ADD COLUMN released INTEGER NOT NULL DEFAULT 0;      -- 1 once the shard gave the unused rest back
ALTER TABLE ${table} ADD COLUMN told_at_ms INTEGER NOT NULL DEFAULT 0;    -- when the shard said so last
-- What the shard may still have news of. No column of it changes with a tick.
CREATE INDEX ${table}_unsettled ON ${table} (told_at_ms) WHERE released = 0 OR settled_units < shard_units;
CREATE INDEX ${table}_by_time ON ${table} (opened_at_ms, channel_id);
`;

export const channelBooks: Migration = {
  version: 4,
  name: 'what the shard has settled of each channel',
  up(db) {
    db.exec(columns('payee_channels'));
    db.exec(columns('payer_channels'));
  },
};
