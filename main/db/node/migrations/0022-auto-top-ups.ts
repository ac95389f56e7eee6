import type { Migration } from '../../open.ts';

/** Deposits that the node signs by itself. */
export const autoTopUps: Migration = {
  version: 22,
  name: 'automatic top-ups',
  up: (db) =>
    db.exec(`
CREATE TABLE auto_top_ups (                  -- written before it is sent
  nonce         INTEGER PRIMARY KEY,         -- of the signed deposit: the chain books one operation for each number
  at_ms         INTEGER NOT NULL,            -- when it was signed, by the computer's clock
  amount_xat    INTEGER NOT NULL,            -- base units
  hash          BLOB NOT NULL,               -- EIP-712, 32 bytes
  state         TEXT NOT NULL CHECK (state IN ('sent', 'booked', 'refused')) -- sent: its answer is not known
) STRICT;
CREATE INDEX auto_top_ups_by_time ON auto_top_ups (at_ms);
`),
};
