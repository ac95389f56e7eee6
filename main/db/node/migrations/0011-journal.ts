import type { Migration } from '../../open.ts';

export const journal: Migration = {
  version: 11,
  name: 'operations of the account, and the journal',
  up(db) {
    db.exec(`
ALTER TABLE settlements ADD COLUMN detail BLOB;  -- how its sums came about, canonical bytes; NULL until the shard has told it
CREATE INDEX settlements_undetailed ON settlements (shard, shard_seq) WHERE detail IS NULL;

CREATE TABLE operations (                    -- what genesis and operations did to the account, as its home shard told
  height       INTEGER PRIMARY KEY,          -- of the record in the chain's log; 0: genesis
  at_ms        INTEGER NOT NULL,             -- the chain's time
  hash         BLOB NOT NULL,                -- EIP-712, of the signed operation; zeros of genesis
  operation    BLOB,                         -- signed, canonical bytes; NULL of genesis
  xat          INTEGER NOT NULL,             -- base units gained, negative where lost
  xac          INTEGER NOT NULL,
  xas          INTEGER NOT NULL,
  xab          INTEGER NOT NULL,
  payment      BLOB,                         -- of one that pays for a service, canonical bytes
  faucet       INTEGER NOT NULL              -- 1: a gift of a devnet's faucet
) STRICT;

CREATE TABLE journal_entries (               -- append-only; made of settlements and operations and of nothing else
  at_ms        INTEGER NOT NULL,
  source       INTEGER NOT NULL,             -- 0: operation, 1: settlement
  shard        INTEGER NOT NULL,             -- of the statement; 0 of an operation
  source_seq   INTEGER NOT NULL,             -- number of the statement; height of the operation
  part         INTEGER NOT NULL,             -- which of the entries that one record makes
  accounts     INTEGER NOT NULL,             -- a bit for each account it touches
  counterparty TEXT,
  body         BLOB NOT NULL,                -- canonical bytes of the entry
  PRIMARY KEY (at_ms, source, shard, source_seq, part)
) STRICT, WITHOUT ROWID;
-- They say which entries are meant, so that no others are read.
CREATE INDEX journal_by_account ON journal_entries (at_ms, source, shard, source_seq, part, accounts);
CREATE INDEX journal_by_counterparty ON journal_entries (counterparty, at_ms, source, shard, source_seq, part, accounts);

CREATE TABLE journal_balances (              -- sums of the postings so far
  account      TEXT NOT NULL,
  commodity    TEXT NOT NULL,
  amount       TEXT NOT NULL,                -- base units or MiB; as text, for sums of a long life pass 64 bits
  PRIMARY KEY (account, commodity)
) STRICT, WITHOUT ROWID;
`);
  },
};
