import type { ChannelStatus } from '../../../shared/channel/lifecycle.ts';
import type { Checkpoint } from '../../../shared/channel/records.ts';
import { decodeCheckpoint } from '../../../shared/channel/records.ts';
import type { Database } from '../open.ts';
import { settledUnitsSql } from './settled-channels.ts';

/** One channel of either side, as its owner may want to see it. */
export interface ChannelBook {
  readonly channelId: Uint8Array;
  /** `paying`: this node is the payer. */
  readonly direction: 'paying' | 'earning';
  readonly counterparty: string;
  readonly status: ChannelStatus;
  /** Whether the shard has leased it; a payee has no other channels. */
  readonly leased: boolean;
  readonly capacityUnits: number;
  /** Verified bytes received, or bytes sent. */
  readonly servedBytes: number;
  /** Part of `servedBytes` that was for viewing, as far as this side knows; a payee knows it of the last checkpoint. */
  readonly videoBytes: number;
  /** Index of the deepest tick revealed or held. */
  readonly paidUnits: number;
  readonly shardUnits: number;
  /** Units that the main chain has answered for, by the shard's word on the channel. */
  readonly settledUnits: number;
  /** Units that settlements in this node's history have taken up: what figures of channels are made of. */
  readonly statedUnits: number;
  /** Units that statements bill beyond those that were revealed and those that the shard has shown a tick for. */
  readonly overbilledUnits: number;
  readonly released: boolean;
  readonly openedAtMs: number;
  readonly expiresAtMs: number;
  readonly checkpoint: Checkpoint | null;
  /** Whether both sides signed it. */
  readonly countersigned: boolean;
}

/** All channels of one counterparty in one direction. */
export interface CounterpartyBook {
  readonly direction: ChannelBook['direction'];
  readonly counterparty: string;
  readonly channels: number;
  readonly servedBytes: number;
  readonly paidUnits: number;
  /** Units that settlements in this node's history have taken up. */
  readonly settledUnits: number;
  /** What settlements moved, base units: what the payer gave, and the fee out of it. */
  readonly grossXac: bigint;
  readonly feeXac: bigint;
}

/** What the shard says of a channel. */
export interface ChannelProgress {
  readonly channelId: Uint8Array;
  readonly claimedUnits: number;
  readonly appliedUnits: number;
  readonly released: boolean;
  /** The payer's device was unlinked. */
  readonly ended?: boolean | undefined;
}

/** Place of a channel in the order of `page`: newest first. */
export type ChannelPlace = Pick<ChannelBook, 'openedAtMs' | 'channelId'>;

interface RawRow
  extends Omit<ChannelBook, 'leased' | 'released' | 'checkpoint' | 'countersigned' | 'direction'> {
  leased: number;
  released: number;
  checkpoint: Uint8Array | null;
  countersigned: number;
}

interface RawTotals {
  direction: ChannelBook['direction'];
  counterparty: string;
  channels: bigint;
  servedBytes: bigint;
  paidUnits: bigint;
  settledUnits: bigint;
  grossXac: bigint;
  feeXac: bigint;
}

/** Counterparties told, those with most units first. */
const MAX_COUNTERPARTIES = 1_000;

/** `table` is written to, `books` read from; `ownUnits` are the units paid where `table` is written to. */
const SIDES = {
  paying: {
    table: 'payer_channels',
    books: 'payer_channels',
    counterparty: 'payee',
    servedBytes: 'verified_bytes',
    videoBytes: 'video_bytes',
    paidUnits: 'revealed_units',
    ownUnits: 'revealed_units',
    overbilledUnits: `coalesce((SELECT max(billed_units - max(revealed_units, proven_units), 0)
      FROM billed_channels b WHERE b.channel_id = payer_channels.channel_id), 0)`,
    leased: 'lease_signature IS NOT NULL',
    settlement: 'paid',
  },
  earning: {
    table: 'payee_channels',
    books: 'payee_books',
    counterparty: 'payer',
    servedBytes: 'served_bytes',
    videoBytes: '0',
    paidUnits: 'paid_units',
    ownUnits: '(SELECT paid_units FROM payee_progress p WHERE p.id = payee_channels.id)',
    overbilledUnits: '0',
    leased: '1',
    settlement: 'earned',
  },
} as const;
const DIRECTIONS = ['paying', 'earning'] as const;

/** The channels of both sides together: what was served, paid and settled. Reads what the other two tables write. */
export class ChannelBookTable {
  readonly #pages;
  readonly #count;
  readonly #totals;
  readonly #unsettled;
  readonly #bookProgress;
  readonly #passOver;

  constructor(db: Database) {
    this.#pages = DIRECTIONS.map((direction) => {
      const side = SIDES[direction];
      const select = db.prepare<[number, Uint8Array, number], RawRow>(
        `SELECT channel_id AS channelId, ${side.counterparty} AS counterparty, status, ${side.leased} AS leased,
           capacity_units AS capacityUnits, ${side.servedBytes} AS servedBytes, ${side.videoBytes} AS videoBytes,
           ${side.paidUnits} AS paidUnits, shard_units AS shardUnits, settled_units AS settledUnits, released,
           ${settledUnitsSql(side.books, side.paidUnits)} AS statedUnits,
           ${side.overbilledUnits} AS overbilledUnits,
           opened_at_ms AS openedAtMs, expires_at_ms AS expiresAtMs, checkpoint,
           payee_signature IS NOT NULL AS countersigned
         FROM ${side.books} WHERE (opened_at_ms, channel_id) < (?, ?)
         ORDER BY opened_at_ms DESC, channel_id DESC LIMIT ?`,
      );
      return { direction, select };
    });
    this.#count = db
      .prepare<[], number>(
        `SELECT (SELECT count(*) FROM payer_channels) + (SELECT count(*) FROM payee_channels)`,
      )
      .pluck();
    const sums = DIRECTIONS.map((direction) => {
      const side = SIDES[direction];
      return `SELECT '${direction}' AS direction, '${side.settlement}' AS settlement,
          ${side.counterparty} AS counterparty, count(*) AS channels, sum(${side.servedBytes}) AS servedBytes,
          sum(${side.paidUnits}) AS paidUnits, sum(${settledUnitsSql(side.books, side.paidUnits)}) AS settledUnits
        FROM ${side.books} GROUP BY ${side.counterparty}`;
    }).join(' UNION ALL ');
    this.#totals = db
      .prepare<[], RawTotals>(
        `WITH moved AS (SELECT direction, counterparty, sum(gross_xac) AS gross, sum(fee_xac) AS fee
           FROM settlements GROUP BY direction, counterparty)
         SELECT c.direction, c.counterparty, channels, servedBytes, paidUnits, settledUnits,
           coalesce(gross, 0) AS grossXac, coalesce(fee, 0) AS feeXac
         FROM (${sums}) c LEFT JOIN moved m ON m.direction = c.settlement AND m.counterparty = c.counterparty
         ORDER BY paidUnits DESC, c.counterparty, c.direction LIMIT ${MAX_COUNTERPARTIES}`,
      )
      .safeIntegers();
    // Of an open one there is news only when it has paid for more; the others wait for their release as well.
    const unsettled = DIRECTIONS.map((direction) => {
      const { books, paidUnits, leased } = SIDES[direction];
      return `SELECT channel_id, terms, told_at_ms FROM ${books}
        WHERE (released = 0 OR settled_units < shard_units) AND told_at_ms <> @roundMs AND ${leased}
          AND (${paidUnits} > settled_units OR status <> 'open' OR expires_at_ms < @roundMs)`;
    }).join(' UNION ALL ');
    this.#unsettled = db.prepare<
      [{ roundMs: number; limit: number }],
      { channelId: Uint8Array; terms: Uint8Array }
    >(`SELECT channel_id AS channelId, terms FROM (${unsettled}) ORDER BY told_at_ms LIMIT @limit`);
    // The shard's word counts no further than our own ticks. What the main chain has answered for never goes back; what
    // the shard holds may: it was restored from an older copy, and is handed the rest again.
    this.#bookProgress = DIRECTIONS.map((direction) => {
      const { table, ownUnits } = SIDES[direction];
      return db.prepare(
        `UPDATE ${table} SET shard_units = min(@claimedUnits, ${ownUnits}),
           settled_units = max(settled_units, min(@appliedUnits, ${ownUnits})),
           released = @released, told_at_ms = @roundMs WHERE channel_id = @channelId`,
      );
    });
    this.#passOver = DIRECTIONS.map((direction) =>
      db.prepare(`UPDATE ${SIDES[direction].table} SET told_at_ms = ? WHERE channel_id = ?`),
    );
  }

  /** Newest first, after `after`. */
  page(after: ChannelPlace | null, limit: number): ChannelBook[] {
    const { openedAtMs, channelId } = after ?? {
      openedAtMs: Number.MAX_SAFE_INTEGER,
      channelId: new Uint8Array(0),
    };
    return this.#pages
      .flatMap(({ direction, select }) =>
        select.all(openedAtMs, channelId, limit).map((row) => toBook(direction, row)),
      )
      .sort((a, b) => b.openedAtMs - a.openedAtMs || Buffer.compare(b.channelId, a.channelId))
      .slice(0, limit);
  }

  count(): number {
    return this.#count.get() ?? 0;
  }

  /** Those with most units first. */
  totals(): CounterpartyBook[] {
    return this.#totals.all().map((row) => ({
      ...row,
      channels: Number(row.channels),
      servedBytes: Number(row.servedBytes),
      paidUnits: Number(row.paidUnits),
      settledUnits: Number(row.settledUnits),
    }));
  }

  /** Channels that the shard may have news of and that the round of `roundMs` has not asked for, longest ago first. */
  unsettled(roundMs: number, limit: number): { channelId: Uint8Array; terms: Uint8Array }[] {
    return this.#unsettled.all({ roundMs, limit });
  }

  /** Books what the shard said in the round that began at `roundMs`. */
  bookProgress(progress: ChannelProgress, roundMs: number): void {
    const { released, ended: _, ...rest } = progress;
    for (const tell of this.#bookProgress) tell.run({ ...rest, released: released ? 1 : 0, roundMs });
  }

  /** The round brought no answer on the channel: it is asked for again after the others. */
  passOver(channelId: Uint8Array, roundMs: number): void {
    for (const passOver of this.#passOver) passOver.run(roundMs, channelId);
  }
}

function toBook(direction: ChannelBook['direction'], row: RawRow): ChannelBook {
  const checkpoint = row.checkpoint && decodeCheckpoint(row.checkpoint);
  return {
    ...row,
    direction,
    videoBytes: direction === 'earning' ? (checkpoint?.videoBytes ?? 0) : row.videoBytes,
    leased: row.leased === 1,
    released: row.released === 1,
    checkpoint,
    countersigned: row.countersigned === 1,
  };
}
