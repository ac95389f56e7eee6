import type { Migration } from '../../open.ts';

export const batchChannels: Migration = {
  version: 4,
  name: 'channels that each entry of a batch settled',
  up: (db) =>
    db.exec(`
CREATE TABLE batch_channels (                -- written when a batch is sealed
  batch_number  INTEGER NOT NULL,
  payer         TEXT NOT NULL,
  payee         TEXT NOT NULL,
  channel_id    BLOB NOT NULL,
  units         INTEGER NOT NULL,            -- of the channel, that the entry took up
  PRIMARY KEY (batch_number, payer, payee, channel_id)
) STRICT, WITHOUT ROWID;
`),
};
