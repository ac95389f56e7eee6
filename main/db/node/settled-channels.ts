import type { Database } from '../open.ts';
import type { SettlementRow } from './settlements.ts';

/** Units of a channel of this node that its ticks have paid and no statement has settled. */
export interface PendingChannel {
  readonly channelId: Uint8Array;
  readonly counterparty: string;
  readonly units: number;
}

/** What statements of old shards do not say, the shard's word on the channel says instead. */
const inShardsWord = (column: string) =>
  `CASE WHEN EXISTS (SELECT 1 FROM settlements WHERE detail IS NULL) THEN ${column} ELSE 0 END`;

/**
 * Units of a channel that settlements have taken up, as the history of settlements has them, and no further than its
 * ticks. The one rule of what is settled and what is on its way: every figure of it is made of this.
 */
export const settledUnitsSql = (table: string, paidUnits: string): string =>
  `min(${paidUnits}, max(coalesce((SELECT s.units FROM settled_channels s WHERE s.channel_id = ${table}.channel_id), 0),
     ${inShardsWord(`${table}.settled_units`)}))`;

const SIDES = {
  earned: { books: 'payee_books', counterparty: 'payer', paidUnits: 'paid_units' },
  paid: { books: 'payer_channels', counterparty: 'payee', paidUnits: 'revealed_units' },
} as const;

/** What statements have settled of each channel of this node. */
export class SettledChannelTable {
  readonly #add;
  readonly #pending;
  readonly #units;

  constructor(db: Database) {
    this.#add = db.prepare<[{ channelId: Uint8Array; units: number }]>(
      `INSERT INTO settled_channels (channel_id, units) SELECT @channelId, @units
       WHERE EXISTS (SELECT 1 FROM payee_channels WHERE channel_id = @channelId)
         OR EXISTS (SELECT 1 FROM payer_channels WHERE channel_id = @channelId)
       ON CONFLICT (channel_id) DO UPDATE SET units = units + excluded.units`,
    );
    const prepared = (side: keyof typeof SIDES) => {
      const { books, counterparty, paidUnits } = SIDES[side];
      return `SELECT channel_id AS channelId, ${counterparty} AS counterparty,
          ${paidUnits} - ${settledUnitsSql(books, paidUnits)} AS units FROM ${books} WHERE ${paidUnits} > 0`;
    };
    const pending = (side: keyof typeof SIDES) =>
      db.prepare<[], PendingChannel>(`SELECT * FROM (${prepared(side)}) WHERE units > 0`);
    const units = (side: keyof typeof SIDES) =>
      db.prepare<[], number>(`SELECT coalesce(sum(units), 0) FROM (${prepared(side)})`).pluck();
    this.#pending = { earned: pending('earned'), paid: pending('paid') };
    this.#units = { earned: units('earned'), paid: units('paid') };
  }

  /** A statement settles so many units more. Of another device's channel nothing is kept. */
  add(channelId: Uint8Array, units: number): void {
    this.#add.run({ channelId, units });
  }

  /** On its way, channel by channel. */
  pending(direction: SettlementRow['direction']): PendingChannel[] {
    return this.#pending[direction].all();
  }

  /** On its way, altogether. */
  pendingUnits(direction: SettlementRow['direction']): number {
    return this.#units[direction].get() ?? 0;
  }
}
