import type { Migration } from '../../open.ts';

/** Accounts by the 20 bytes of their address instead of 42 letters: a third fewer pages to read and write per batch. */
export const accountKeys: Migration = {
  version: 2,
  name: 'account-keys',
  up: (db) =>
    db.exec(`
      ALTER TABLE accounts RENAME TO accounts_by_text;

      CREATE TABLE accounts (
        address BLOB PRIMARY KEY CHECK (length(address) = 20), -- EVM address
        xat INTEGER NOT NULL CHECK (xat >= 0), -- base units; changed by operations and batches
        xac INTEGER NOT NULL CHECK (xac >= 0), -- base units; changed by operations and batches
        xas INTEGER NOT NULL CHECK (xas >= 0), -- base units; changed by operations and batches
        xab INTEGER NOT NULL CHECK (xab >= 0), -- base units; changed by operations
        nonce INTEGER NOT NULL CHECK (nonce >= 0), -- operations signed so far; grows by one with each
        credit_used_units INTEGER NOT NULL CHECK (credit_used_units >= 0) -- traffic units owed; changed by batches
      ) STRICT, WITHOUT ROWID;

      INSERT INTO accounts
      SELECT unhex(substr(address, 3)), xat, xac, xas, xab, nonce, credit_used_units
      FROM accounts_by_text ORDER BY address;

      DROP TABLE accounts_by_text;
    `),
};
