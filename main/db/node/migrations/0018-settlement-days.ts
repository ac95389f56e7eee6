import type { Migration } from '../../open.ts';

/**
 * What settlements add up to by day, peer and title, kept as they are booked: a page of a hundred thousand of them reads a
 * few rows. Those of before are added when the node starts (`journal/day-book.ts`).
 */
export const settlementDays: Migration = {
  version: 18,
  name: 'what settlements add up to by day, peer and title',
  up: (db) =>
    db.exec(`
CREATE TABLE settlement_days (
  day             TEXT NOT NULL,             -- of the computer's own time, 2026-11-20
  direction       TEXT NOT NULL CHECK (direction IN ('paid', 'earned')),
  counterparty    TEXT NOT NULL,
  content_id      TEXT NOT NULL,             -- what the traffic was; '' where this node does not know
  kinds           INTEGER NOT NULL,          -- 1: units paid, 2: on credit, 4: refused, 8: repaid; of the settlements
  count           INTEGER NOT NULL,          -- settlements, each with one of its titles only
  touched         INTEGER NOT NULL,          -- settlements that were for this title, too
  paid_units      INTEGER NOT NULL,
  credit_units    INTEGER NOT NULL,
  refused_units   INTEGER NOT NULL,
  repaid_units    INTEGER NOT NULL,
  gross_xac       INTEGER NOT NULL,          -- base units, as all that follows; before the fee
  fee_xac         INTEGER NOT NULL,
  repaid_net_xac  INTEGER NOT NULL,          -- part of gross - fee that repaid loans
  xat_burned      INTEGER NOT NULL,
  xas_paid        INTEGER NOT NULL,
  fee_xas         INTEGER NOT NULL,
  PRIMARY KEY (day, direction, counterparty, content_id, kinds)
) STRICT, WITHOUT ROWID;

CREATE TABLE settled_contents (              -- which settlements were for a title
  content_id      TEXT NOT NULL,             -- '' where this node does not know
  seq             INTEGER NOT NULL,          -- of the settlement
  PRIMARY KEY (content_id, seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE settled_channels (              -- units of each channel of this node that statements have settled
  channel_id      BLOB PRIMARY KEY,
  units           INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE credits (                       -- traffic on credit, taken and given; a peer's oldest is repaid first
  direction       TEXT NOT NULL,             -- 'paid': this account owes; 'earned': it is owed
  counterparty    TEXT NOT NULL,
  seq             INTEGER NOT NULL,          -- of the settlement
  content_id      TEXT NOT NULL,
  at_ms           INTEGER NOT NULL,
  units           INTEGER NOT NULL,
  repaid_units    INTEGER NOT NULL,
  PRIMARY KEY (direction, counterparty, seq, content_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX credits_open ON credits (direction, counterparty, seq, content_id) WHERE repaid_units < units;
CREATE INDEX credits_by_settlement ON credits (seq);

ALTER TABLE channel_contents ADD COLUMN settled_units INTEGER NOT NULL DEFAULT 0; -- of the channel's, for this content
`),
};
