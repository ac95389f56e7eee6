import { ratio } from '../../../shared/economy/ratio.ts';
import {
  decodeDetail,
  encodeDetail,
  type StatementDetail,
  type StatementEntry,
} from '../../../shared/settlement/statement.ts';
import type { Database } from '../open.ts';
import { intact } from '../store-error.ts';

/** One batch entry as this node's account sees it. Amounts in base units. */
export interface SettlementRow extends StatementEntry {
  /** Position in this node's own history, ascending, from 1. */
  readonly seq: number;
  readonly shard: number;
  /** The shard's sequence number for the account, ascending. */
  readonly shardSeq: number;
  /** The shard's, over the statement; `null` of those told before shards signed any. */
  readonly signature: Uint8Array | null;
  /** How its sums came about; `null` until the shard has told it, of those told before shards did. */
  readonly detail: StatementDetail | null;
}

/** A row as its shard tells it. */
export type NewSettlement = Omit<SettlementRow, 'seq'>;

type Columns = Omit<SettlementRow, 'price' | 'detail'>;
type Place = Pick<NewSettlement, 'shard' | 'shardSeq' | 'batchNumber'>;

/** What {@link toRow} reads. */
export const COLUMNS = `seq, shard, shard_seq AS shardSeq, batch_number AS batchNumber, batch_hash AS batchHash, at_ms AS atMs,
  direction, counterparty, paid_units AS paidUnits, credit_units AS creditUnits, refused_units AS refusedUnits,
  repaid_units AS repaidUnits, gross_xac AS grossXac, fee_xac AS feeXac, xat_burned AS xatBurned, xas_paid AS xasPaid,
  fee_xas AS feeXas, price_num AS priceNum, price_den AS priceDen, signature, detail`;
export type RawRow = { [K in keyof Columns]: Columns[K] extends number ? bigint : Columns[K] } & {
  priceNum: string;
  priceDen: string;
  detail: Uint8Array | null;
};

/** What settlement batches did to this node's account, as the shards told. Append-only. */
export class SettlementTable {
  readonly #insert;
  readonly #page;
  readonly #near;
  readonly #lastSeq;
  readonly #count;
  readonly #earned;
  readonly #refusedPayers;
  readonly #repayments;
  readonly #complete;
  readonly #firstUndetailed;
  readonly #undetailed;
  readonly #all;
  readonly #after;

  constructor(db: Database) {
    this.#insert = db
      .prepare<[unknown], number>(
        `INSERT INTO settlements (shard, shard_seq, batch_number, batch_hash, at_ms, direction, counterparty, paid_units,
         credit_units, refused_units, repaid_units, gross_xac, fee_xac, xat_burned, xas_paid, fee_xas, price_num,
         price_den, signature, detail)
       VALUES (@shard, @shardSeq, @batchNumber, @batchHash, @atMs, @direction, @counterparty, @paidUnits, @creditUnits,
         @refusedUnits, @repaidUnits, @grossXac, @feeXac, @xatBurned, @xasPaid, @feeXas, @priceNum, @priceDen,
         @signature, @detail)
       ON CONFLICT (shard, shard_seq) DO NOTHING RETURNING seq`,
      )
      .pluck();
    this.#page = db
      .prepare<[number, number], RawRow>(
        `SELECT ${COLUMNS} FROM settlements WHERE seq < ? ORDER BY seq DESC LIMIT ?`,
      )
      .safeIntegers();
    this.#near = db
      .prepare<[Place], RawRow>(
        `SELECT ${COLUMNS} FROM settlements WHERE seq IN (
           (SELECT max(seq) FROM settlements WHERE shard = @shard AND batch_number = @batchNumber),
           (SELECT seq FROM settlements WHERE shard = @shard AND shard_seq = @shardSeq),
           (SELECT seq FROM settlements WHERE shard = @shard AND shard_seq < @shardSeq
              ORDER BY shard_seq DESC LIMIT 1)) ORDER BY seq`,
      )
      .safeIntegers();
    this.#lastSeq = db
      .prepare<[number], number>(`SELECT coalesce(max(shard_seq), 0) FROM settlements WHERE shard = ?`)
      .pluck();
    this.#count = db.prepare<[], number>(`SELECT count(*) FROM settlements`).pluck();
    this.#repayments = db
      .prepare<[number, number], RawRow>(
        `SELECT ${COLUMNS} FROM settlements WHERE direction = 'paid' AND repaid_units > 0 AND seq > ?
         ORDER BY seq DESC LIMIT ?`,
      )
      .safeIntegers();
    this.#earned = db
      .prepare<[string], number>(
        `SELECT coalesce(sum(paid_units + repaid_units), 0) FROM settlements
         WHERE counterparty = ? AND direction = 'earned'`,
      )
      .pluck();
    // Of a group's row with the greatest seq, which is what SQLite shows beside max().
    this.#refusedPayers = db.prepare<[], { counterparty: string; refusedUnits: number }>(
      `SELECT counterparty, refused_units AS refusedUnits, max(seq) FROM settlements
         WHERE direction = 'earned' GROUP BY counterparty`,
    );
    this.#complete = db
      .prepare<[unknown], number>(
        `UPDATE settlements SET detail = @detail, signature = @signature
         WHERE shard = @shard AND shard_seq = @shardSeq AND detail IS NULL RETURNING seq`,
      )
      .pluck();
    this.#firstUndetailed = db
      .prepare<[number], number | null>(
        `SELECT min(shard_seq) FROM settlements WHERE shard = ? AND detail IS NULL`,
      )
      .pluck();
    this.#undetailed = db
      .prepare<[], number>(`SELECT count(*) FROM settlements WHERE detail IS NULL`)
      .pluck();
    this.#after = db
      .prepare<[number, number], RawRow>(
        `SELECT ${COLUMNS} FROM settlements WHERE seq > ? ORDER BY seq LIMIT ?`,
      )
      .safeIntegers();
    this.#all = db.prepare<[], RawRow>(`SELECT ${COLUMNS} FROM settlements ORDER BY seq`).safeIntegers();
  }

  /** Appends a row; `null` when it is there already. */
  insert(row: NewSettlement): SettlementRow | null {
    const { price, detail, ...columns } = row;
    const seq = this.#insert.get({
      ...columns,
      detail: detail && encodeDetail(detail),
      priceNum: price.num.toString(),
      priceDen: price.den.toString(),
    });
    return seq === undefined ? null : { ...row, seq };
  }

  /**
   * Adds the detail to a row from before shards sent it, with the signature that covers it; `null` when it has one. The
   * caller has compared the two.
   */
  complete({ shard, shardSeq, detail, signature }: NewSettlement): number | null {
    if (!detail) return null;
    return this.#complete.get({ shard, shardSeq, signature, detail: encodeDetail(detail) }) ?? null;
  }

  /** The shard's number of the first row that lacks its detail. */
  firstUndetailed(shard: number): number | null {
    return this.#firstUndetailed.get(shard) ?? null;
  }

  /** Rows that lack their detail. */
  undetailedCount(): number {
    return this.#undetailed.get() ?? 0;
  }

  /** In the order in which they were told. Nothing may be written on this connection before the last one was taken. */
  *all(): Generator<SettlementRow> {
    for (const row of this.#all.iterate()) yield toRow(row);
  }

  /** In the order in which they were told, above `afterSeq`. */
  after(afterSeq: number, limit: number): SettlementRow[] {
    return this.#after.all(afterSeq, limit).map(toRow);
  }

  /** Newest first, below `beforeSeq`. */
  page(beforeSeq: number, limit: number): SettlementRow[] {
    return this.#page.all(beforeSeq, limit).map(toRow);
  }

  /**
   * What is booked of the same shard that a row may contradict: of its batch, of its number, and the one before it. Which
   * is enough: of those further back, each was held against the one before it.
   */
  near({ shard, shardSeq, batchNumber }: Place): SettlementRow[] {
    return this.#near.all({ shard, shardSeq, batchNumber }).map(toRow);
  }

  /** Rows in which this account's loans were repaid, newest first, above `afterSeq`. */
  repayments(afterSeq: number, limit: number): SettlementRow[] {
    return this.#repayments.all(afterSeq, limit).map(toRow);
  }

  /** Position of the newest row; 0 while there is none. */
  newestSeq(): number {
    return Number(this.#page.get(Number.MAX_SAFE_INTEGER, 1)?.seq ?? 0);
  }

  /** Accounts of whose units the latest settlement with this node refused some. */
  refusedPayers(): string[] {
    return this.#refusedPayers.all().flatMap((row) => (row.refusedUnits > 0 ? row.counterparty : []));
  }

  /** Units that an account has paid this node for in money, at once or by repaying its loans. */
  earnedUnits(payer: string): number {
    return this.#earned.get(payer) ?? 0;
  }

  /** The newest that this shard has told. */
  lastSeq(shard: number): number {
    return this.#lastSeq.get(shard) ?? 0;
  }

  count(): number {
    return this.#count.get() ?? 0;
  }
}

/** @throws AceError `StoreFailed` */
export function toRow({ priceNum, priceDen, detail, ...raw }: RawRow): SettlementRow {
  return intact(() => ({
    ...raw,
    seq: Number(raw.seq),
    shard: Number(raw.shard),
    shardSeq: Number(raw.shardSeq),
    batchNumber: Number(raw.batchNumber),
    atMs: Number(raw.atMs),
    paidUnits: Number(raw.paidUnits),
    creditUnits: Number(raw.creditUnits),
    refusedUnits: Number(raw.refusedUnits),
    repaidUnits: Number(raw.repaidUnits),
    price: ratio(BigInt(priceNum), BigInt(priceDen)),
    detail: detail && decodeDetail(detail),
  }));
}
