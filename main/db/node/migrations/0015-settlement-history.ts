import type { Migration } from '../../open.ts';

/**
 * Indexes for pages of a long history, each with the row's place in the order of time, so that a filter is walked
 * newest first without sorting.
 */
export const settlementHistory: Migration = {
  version: 15,
  name: 'pages of the settlement history',
  up: (db) =>
    db.exec(`
CREATE INDEX settlements_by_time ON settlements (at_ms, seq);
CREATE INDEX settlements_by_counterparty ON settlements (counterparty, at_ms, seq);
CREATE INDEX settlements_by_direction ON settlements (direction, at_ms, seq);
CREATE INDEX settlements_repaid ON settlements (at_ms, seq) WHERE repaid_units > 0;
CREATE INDEX settlements_on_credit ON settlements (at_ms, seq) WHERE credit_units > 0;
`),
};
