import type { Migration } from '../../open.ts';

/** What each operation, and genesis, did to each account: what an account's journal is made of. */
export const accountOperations: Migration = {
  version: 4,
  name: 'account-operations',
  up: (db) =>
    db.exec(`
      CREATE TABLE account_operations (
        address BLOB NOT NULL CHECK (length(address) = 20), -- EVM address
        height INTEGER NOT NULL, -- of the log's record; 0: what genesis gave
        xat INTEGER NOT NULL, -- base units gained, negative where lost
        xac INTEGER NOT NULL,
        xas INTEGER NOT NULL,
        xab INTEGER NOT NULL,
        payment BLOB, -- of an operation that pays for a service, canonical bytes; NULL of others
        PRIMARY KEY (address, height)
      ) STRICT, WITHOUT ROWID;
    `),
};
