import type { Database } from '../open.ts';

/** Units of one channel that the main chain answered for between two words of the shard. */
export interface ChannelSettling {
  readonly channelId: Uint8Array;
  /** Ticks `fromUnits` + 1 to `toUnits` of the channel. */
  readonly fromUnits: number;
  readonly toUnits: number;
  /** All units settled with the counterparty in this direction up to here, this included. */
  readonly pairUnits: number;
  /** Of one round: in which order within it is not known. */
  readonly roundMs: number;
}

export type Direction = 'paid' | 'earned';

const OF_PAIR = 'direction = @direction AND counterparty = @counterparty';
/** Of the pair's newest row. Rounds ascend like units, also when the clock was set back. */
const last = (column: string) =>
  `SELECT ${column} FROM channel_settlings WHERE ${OF_PAIR} ORDER BY pair_units DESC LIMIT 1`;

/**
 * Which channels brought the units of a settlement. A batch has one entry for a pair of accounts, however many channels
 * they have, and settles a pair's units in the order of its batches: so the settlements of a pair and the growth of its
 * channels are two divisions of the same units, counted from the first on. Append-only.
 */
export class ChannelSettlingTable {
  readonly #insert;
  readonly #between;

  constructor(db: Database) {
    this.#insert = db.prepare(
      `INSERT INTO channel_settlings (direction, counterparty, channel_id, from_units, to_units, pair_units, round_ms)
       VALUES (@direction, @counterparty, @channelId, @fromUnits, @toUnits,
         coalesce((${last('pair_units')}), 0) + @toUnits - @fromUnits,
         max(@roundMs, coalesce((${last('round_ms')}), 0)))`,
    );
    // A round that reaches into the interval is told as a whole.
    this.#between = db.prepare<
      [{ direction: Direction; counterparty: string; fromUnits: number; untilUnits: number; limit: number }],
      ChannelSettling
    >(
      `SELECT channel_id AS channelId, from_units AS fromUnits, to_units AS toUnits, pair_units AS pairUnits,
         round_ms AS roundMs
       FROM channel_settlings
       WHERE ${OF_PAIR} AND round_ms BETWEEN
         (SELECT round_ms FROM channel_settlings WHERE ${OF_PAIR} AND pair_units > @fromUnits ORDER BY pair_units LIMIT 1)
         AND coalesce(
           (SELECT round_ms FROM channel_settlings WHERE ${OF_PAIR} AND pair_units >= @untilUnits ORDER BY pair_units LIMIT 1),
           9223372036854775807)
       ORDER BY pair_units LIMIT @limit`,
    );
  }

  /** Within the transaction that books the growth itself. */
  insert(
    direction: Direction,
    counterparty: string,
    { channelId, fromUnits, toUnits, roundMs }: Omit<ChannelSettling, 'pairUnits'>,
  ): void {
    this.#insert.run({ direction, counterparty, channelId, fromUnits, toUnits, roundMs });
  }

  /** Growth that reaches into units `fromUnits` + 1 to `untilUnits` of the pair, in whole rounds, oldest first. */
  between(
    direction: Direction,
    counterparty: string,
    fromUnits: number,
    untilUnits: number,
    limit: number,
  ): ChannelSettling[] {
    if (untilUnits <= fromUnits) return [];
    return this.#between.all({ direction, counterparty, fromUnits, untilUnits, limit });
  }
}
