/** Reads the settlement history by a filter: pages in the order of time, sums, counterparties. Writes nothing. */
import type { Database } from '../open.ts';
import { COLUMNS, type RawRow, type SettlementRow, toRow } from './settlements.ts';

export interface HistoryFilter {
  readonly fromMs?: number | undefined;
  readonly untilMs?: number | undefined;
  readonly counterparty?: string | undefined;
  readonly kind?: 'paid' | 'received' | 'repayment' | 'loan' | undefined;
  /** '' of no title that this node knows. */
  readonly contentId?: string | undefined;
}

/** A row's place in the order of time: rows of one batch share their moment. */
export type HistoryPlace = Pick<SettlementRow, 'atMs' | 'seq'>;

/** Of one direction; amounts in base units. */
export interface HistorySums {
  readonly count: bigint;
  readonly paidUnits: bigint;
  readonly creditUnits: bigint;
  readonly refusedUnits: bigint;
  readonly repaidUnits: bigint;
  readonly grossXac: bigint;
  readonly feeXac: bigint;
  readonly xatBurned: bigint;
  readonly xasPaid: bigint;
  readonly feeXas: bigint;
}
type Direction = SettlementRow['direction'];

export const NO_SUMS: HistorySums = {
  count: 0n,
  paidUnits: 0n,
  creditUnits: 0n,
  refusedUnits: 0n,
  repaidUnits: 0n,
  grossXac: 0n,
  feeXac: 0n,
  xatBurned: 0n,
  xasPaid: 0n,
  feeXas: 0n,
};

const KINDS = {
  paid: `direction = 'paid' AND paid_units + repaid_units > 0`,
  received: `direction = 'earned' AND paid_units + repaid_units > 0`,
  repayment: 'repaid_units > 0',
  loan: 'credit_units > 0',
} as const satisfies Record<NonNullable<HistoryFilter['kind']>, string>;

export class SettlementHistory {
  readonly #db: Database;
  readonly #get;
  readonly #ofShard;
  readonly #last;
  readonly #counterparties;

  constructor(db: Database) {
    this.#db = db;
    this.#get = db
      .prepare<[number], RawRow>(`SELECT ${COLUMNS} FROM settlements WHERE seq = ?`)
      .safeIntegers();
    this.#ofShard = db
      .prepare<[number, number], RawRow>(
        `SELECT ${COLUMNS} FROM settlements WHERE shard = ? AND shard_seq = ?`,
      )
      .safeIntegers();
    this.#last = db.prepare<[], number>(`SELECT coalesce(max(seq), 0) FROM settlements`).pluck();
    this.#counterparties = db.prepare<[number], { account: string; count: number }>(
      `SELECT counterparty AS account, count(*) AS count FROM settlements GROUP BY counterparty
       ORDER BY count DESC, account LIMIT ?`,
    );
  }

  /** Newest first, after `after`, the first `skip` of those left out. */
  page(filter: HistoryFilter, after: HistoryPlace | null, skip: number, limit: number): SettlementRow[] {
    const where = [...conditions(filter), ...(after ? ['(at_ms, seq) < (@atMs, @seq)'] : [])];
    return this.#db
      .prepare<[object], RawRow>(
        `SELECT ${COLUMNS} FROM settlements ${clause(where)}
         ORDER BY at_ms DESC, seq DESC LIMIT @limit OFFSET @skip`,
      )
      .safeIntegers()
      .all({ ...filter, atMs: after?.atMs, seq: after?.seq, limit, skip })
      .map(toRow);
  }

  /** Sums of the rows after `afterSeq` and up to `untilSeq` that pass the filter. */
  sums(filter: HistoryFilter, afterSeq: number, untilSeq: number): Record<Direction, HistorySums> {
    const where = [...conditions(filter), 'seq > @afterSeq', 'seq <= @untilSeq'];
    const rows = this.#db
      .prepare<[object], HistorySums & { direction: Direction }>(
        `SELECT direction, count(*) AS count, sum(paid_units) AS paidUnits, sum(credit_units) AS creditUnits,
           sum(refused_units) AS refusedUnits, sum(repaid_units) AS repaidUnits, sum(gross_xac) AS grossXac,
           sum(fee_xac) AS feeXac, sum(xat_burned) AS xatBurned, sum(xas_paid) AS xasPaid, sum(fee_xas) AS feeXas
         FROM settlements ${clause(where)} GROUP BY direction`,
      )
      .safeIntegers()
      .all({ ...filter, afterSeq, untilSeq });
    const of = (wanted: Direction) => rows.find(({ direction }) => direction === wanted) ?? NO_SUMS;
    return { paid: of('paid'), earned: of('earned') };
  }

  get(seq: number): SettlementRow | null {
    const row = this.#get.get(seq);
    return row ? toRow(row) : null;
  }

  /** By the shard's own number of it. */
  ofShard(shard: number, shardSeq: number): SettlementRow | null {
    const row = this.#ofShard.get(shard, shardSeq);
    return row ? toRow(row) : null;
  }

  /** The newest there is; 0 for none. */
  lastSeq(): number {
    return this.#last.get() ?? 0;
  }

  /** Those with most settlements first. */
  counterparties(limit: number): { account: string; count: number }[] {
    return this.#counterparties.all(limit);
  }
}

function conditions({ fromMs, untilMs, counterparty, kind, contentId }: HistoryFilter): string[] {
  return [
    ...(fromMs === undefined ? [] : ['at_ms >= @fromMs']),
    ...(untilMs === undefined ? [] : ['at_ms < @untilMs']),
    ...(counterparty === undefined ? [] : ['counterparty = @counterparty']),
    ...(kind === undefined ? [] : [KINDS[kind]]),
    // One look-up for each row of the time, however many settlements the title has.
    ...(contentId === undefined
      ? []
      : [
          'EXISTS (SELECT 1 FROM settled_contents c WHERE c.content_id = @contentId AND c.seq = settlements.seq)',
        ]),
  ];
}

/** All of them; of none, no condition at all. */
export function clause(conditions: readonly string[]): string {
  return conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`;
}
