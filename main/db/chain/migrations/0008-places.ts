import type { Migration } from '../../open.ts';

/**
 * The schema that chains begin with whose accounts have two places. Chains of before (schemas 1 to 7) cannot go on: their
 * accounts had one, their operations name none, and no record says what of it was meant for services.
 */
export const places: Migration = {
  version: 8,
  name: 'places',
  up: (db) =>
    db.exec(`
      CREATE TABLE accounts (
        address BLOB PRIMARY KEY CHECK (length(address) = 20), -- EVM address
        xat INTEGER NOT NULL CHECK (xat >= 0), -- base units in main; changed by operations
        xac INTEGER NOT NULL CHECK (xac >= 0),
        xas INTEGER NOT NULL CHECK (xas >= 0),
        xab INTEGER NOT NULL CHECK (xab >= 0),
        services_xat INTEGER NOT NULL CHECK (services_xat >= 0), -- base units in services; changed by operations and batches
        services_xac INTEGER NOT NULL CHECK (services_xac >= 0),
        services_xas INTEGER NOT NULL CHECK (services_xas >= 0),
        nonce INTEGER NOT NULL CHECK (nonce >= 0), -- operations signed so far; grows by one with each
        credit_used_units INTEGER NOT NULL CHECK (credit_used_units >= 0) -- traffic units owed; changed by batches
      ) STRICT, WITHOUT ROWID;

      -- What each operation, and genesis, did to each account: what an account's journal is made of.
      CREATE TABLE account_operations (
        address BLOB NOT NULL CHECK (length(address) = 20), -- EVM address
        height INTEGER NOT NULL, -- of the log's record; 0: what genesis gave
        xat INTEGER NOT NULL, -- base units gained in main, negative where lost
        xac INTEGER NOT NULL,
        xas INTEGER NOT NULL,
        xab INTEGER NOT NULL,
        services_xat INTEGER NOT NULL, -- base units gained in services, negative where lost
        services_xac INTEGER NOT NULL,
        services_xas INTEGER NOT NULL,
        payment BLOB, -- of an operation that pays for a service, canonical bytes; NULL of others
        PRIMARY KEY (address, height)
      ) STRICT, WITHOUT ROWID;

      -- Access that an account has bought.
      CREATE TABLE access (
        address BLOB NOT NULL CHECK (length(address) = 20), -- EVM address of who bought it
        content_id TEXT NOT NULL, -- of a content, or a broadcast
        seller BLOB NOT NULL CHECK (length(seller) = 20), -- EVM address of who was paid
        price_xac INTEGER NOT NULL CHECK (price_xac > 0), -- base units, before the fee
        premium INTEGER NOT NULL CHECK (premium IN (0, 1)), -- bought out of the premium pool
        lasts_ms INTEGER NOT NULL CHECK (lasts_ms >= 0), -- what was bought last; 0: for ever
        bought_at_ms INTEGER NOT NULL, -- the first purchase on these terms without a gap, by this chain's clock
        until_ms INTEGER NOT NULL, -- this chain's clock; 0: for ever
        PRIMARY KEY (address, content_id, seller)
      ) STRICT, WITHOUT ROWID;

      CREATE TABLE pools (
        pool TEXT NOT NULL, -- name of the pool
        token TEXT NOT NULL, -- XAT, XAC, XAS or XAB
        balance INTEGER NOT NULL CHECK (balance >= 0), -- base units; changed by batches
        PRIMARY KEY (pool, token)
      ) STRICT, WITHOUT ROWID;

      CREATE TABLE supply (
        token TEXT PRIMARY KEY, -- XAT, XAC, XAS or XAB
        genesis INTEGER NOT NULL CHECK (genesis >= 0), -- base units before the first operation; never changes
        emitted INTEGER NOT NULL CHECK (emitted >= 0), -- base units created since; only grows
        burned INTEGER NOT NULL CHECK (burned >= 0) -- base units destroyed since; only grows
      ) STRICT, WITHOUT ROWID;

      CREATE TABLE totals (
        id INTEGER PRIMARY KEY CHECK (id = 1), -- there is one row
        video_units INTEGER NOT NULL CHECK (video_units > 0), -- traffic units used to view video; batches add to it
        watch_ms INTEGER NOT NULL CHECK (watch_ms > 0) -- milliseconds spent viewing; batches add to it
      ) STRICT;

      -- From where the rate may move, hour by hour (docs/decisions/0021-what-moves-the-price.md).
      CREATE TABLE rate_hours (
        hour INTEGER PRIMARY KEY, -- since 1970, by the chain's clock, of the last 24 those that have a batch
        video_units INTEGER NOT NULL CHECK (video_units >= 0), -- the totals with which it began
        watch_ms INTEGER NOT NULL CHECK (watch_ms >= 0)
      ) STRICT;

      -- What each shard's batches consumed and reported as watched: the bound on what they can report.
      CREATE TABLE shard_traffic (
        shard INTEGER PRIMARY KEY, -- shard number, from 0
        consumed_units INTEGER NOT NULL CHECK (consumed_units >= 0), -- paid at once or repaid; batches add to it
        video_units INTEGER NOT NULL CHECK (video_units BETWEEN 0 AND consumed_units), -- of these, credited as video
        watch_ms INTEGER NOT NULL CHECK (watch_ms >= 0) -- credited as watched; no more than so many units can play
      ) STRICT;

      CREATE TABLE batches (
        shard INTEGER NOT NULL, -- shard number, from 0
        number INTEGER NOT NULL, -- 1 for the shard's first batch
        hash BLOB NOT NULL, -- SHA-256 of bytes
        bytes BLOB NOT NULL, -- the batch as encoded and signed
        signature BLOB NOT NULL, -- Ed25519, by the shard's validator
        result BLOB NOT NULL, -- the answer as encoded; given again to whoever sends the batch again
        PRIMARY KEY (shard, number)
      ) STRICT;

      CREATE TABLE log (
        height INTEGER PRIMARY KEY, -- 0 is genesis; grows by one
        previous_hash BLOB NOT NULL, -- hash of the record below, 32 zero bytes for genesis
        kind TEXT NOT NULL, -- genesis, batch, or the kind of an operation
        bytes BLOB NOT NULL, -- what was applied, canonical; a batch is named by its hash
        hash BLOB NOT NULL, -- SHA-256 over height, previous hash, time, kind and bytes
        appended_at_ms INTEGER NOT NULL -- this chain's clock, which never stands still between two records
      ) STRICT;

      CREATE TABLE price_observations (
        token TEXT NOT NULL, -- the token whose price in XAC changed; one row per change
        at_ms INTEGER NOT NULL, -- this chain's clock
        cumulative TEXT NOT NULL, -- sum of log2(price) × milliseconds until then, in 2^-64 · ms; passes 64 bits
        price TEXT NOT NULL, -- XAC per token from then on, in 10^-18; may pass 64 bits
        PRIMARY KEY (token, at_ms)
      ) STRICT, WITHOUT ROWID;

      CREATE TABLE feed (
        id INTEGER PRIMARY KEY CHECK (id = 1), -- there is one row
        ace_byte_price_usd TEXT NOT NULL -- USD per XAB, exact, num/den; changed by feed operations
      ) STRICT;

      CREATE TABLE devices (
        account TEXT NOT NULL, -- EVM address, lower case hex
        device TEXT NOT NULL, -- Ed25519 public key, hex
        linked INTEGER NOT NULL CHECK (linked IN (0, 1)), -- changed by link and unlink operations
        PRIMARY KEY (account, device)
      ) STRICT, WITHOUT ROWID;

      CREATE TRIGGER log_is_not_changed BEFORE UPDATE ON log BEGIN SELECT raise(ABORT, 'the log is append-only'); END;
      CREATE TRIGGER log_is_not_cut BEFORE DELETE ON log BEGIN SELECT raise(ABORT, 'the log is append-only'); END;
    `),
};
