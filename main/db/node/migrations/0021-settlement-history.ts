import type { Migration } from '../../open.ts';

/**
 * Indexes for pages of a long history, each with the row's place in the order of time, so that a filter is walked
 * newest first without sorting; and which channels' units the shard said the main chain had answered for, and when.
 */
export const settlementHistory: Migration = {
  version: 11,
  name: 'pages of the settlement history, and the channels behind it',
  up: (db) =>
    db.exec(`
CREATE INDEX settlements_by_time ON settlements (at_ms, seq);
CREATE INDEX settlements_by_counterparty ON settlements (counterparty, direction, at_ms, seq);
CREATE INDEX settlements_by_direction ON settlements (direction, at_ms, seq);
CREATE INDEX settlements_repaid ON settlements (at_ms, seq) WHERE repaid_units > 0;
CREATE INDEX settlements_on_credit ON settlements (at_ms, seq) WHERE credit_units > 0;

CREATE TABLE channel_settlings (             -- append-only; one row each time settled_units of a channel grew
  id            INTEGER PRIMARY KEY,
  direction     TEXT NOT NULL CHECK (direction IN ('paid', 'earned')),
  counterparty  TEXT NOT NULL,
  channel_id    BLOB NOT NULL,
  from_units    INTEGER NOT NULL,            -- settled_units before; the ticks behind the growth come after it
  to_units      INTEGER NOT NULL,            -- settled_units since
  pair_units    INTEGER NOT NULL,            -- all such growth with this counterparty, this row's included
  round_ms      INTEGER NOT NULL             -- when the shard was asked; rows of one round were told together
) STRICT;
CREATE INDEX channel_settlings_of_pair ON channel_settlings (direction, counterparty, pair_units);
CREATE INDEX channel_settlings_of_round ON channel_settlings (direction, counterparty, round_ms, pair_units);
-- What was settled before this was written down: in the order in which the channels were opened.
INSERT INTO channel_settlings (direction, counterparty, channel_id, from_units, to_units, pair_units, round_ms)
SELECT direction, counterparty, channel_id, 0, settled_units,
  sum(settled_units) OVER (PARTITION BY direction, counterparty ORDER BY opened_at_ms, channel_id), 0
FROM (
  SELECT 'paid' AS direction, payee AS counterparty, channel_id, settled_units, opened_at_ms FROM payer_channels
  UNION ALL
  SELECT 'earned', payer, channel_id, settled_units, opened_at_ms FROM payee_channels
) WHERE settled_units > 0;
`),
};
