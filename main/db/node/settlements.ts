import type { Database } from '../open.ts';

/** One batch entry as this node's account sees it. Amounts in base units. */
export interface SettlementRow {
  /** The shard's sequence number for the account, ascending. */
  readonly seq: number;
  readonly shard: number;
  readonly batchNumber: number;
  readonly batchHash: Uint8Array;
  readonly atMs: number;
  readonly direction: 'paid' | 'earned';
  readonly counterparty: string;
  readonly paidUnits: number;
  readonly creditUnits: number;
  readonly refusedUnits: number;
  readonly repaidUnits: number;
  readonly grossXac: bigint;
  readonly feeXac: bigint;
  readonly xatBurned: bigint;
  readonly xasPaid: bigint;
  readonly feeXas: bigint;
  /** XAC base units per traffic unit, exact. */
  readonly priceNum: bigint;
  readonly priceDen: bigint;
}

type RawRow = { [K in keyof SettlementRow]: SettlementRow[K] extends number ? bigint : SettlementRow[K] } & {
  priceNum: string;
  priceDen: string;
};

/** What settlement batches did to this node's account, as its shard told. Append-only. */
export class SettlementTable {
  readonly #insert;
  readonly #page;
  readonly #lastSeq;
  readonly #count;
  readonly #settled;

  constructor(db: Database) {
    this.#insert = db.prepare(
      `INSERT INTO settlements (seq, shard, batch_number, batch_hash, at_ms, direction, counterparty, paid_units,
         credit_units, refused_units, repaid_units, gross_xac, fee_xac, xat_burned, xas_paid, fee_xas, price_num,
         price_den)
       VALUES (@seq, @shard, @batchNumber, @batchHash, @atMs, @direction, @counterparty, @paidUnits, @creditUnits,
         @refusedUnits, @repaidUnits, @grossXac, @feeXac, @xatBurned, @xasPaid, @feeXas, @priceNum, @priceDen)
       ON CONFLICT (seq) DO NOTHING`,
    );
    this.#page = db
      .prepare<[number, number], RawRow>(
        `SELECT seq, shard, batch_number AS batchNumber, batch_hash AS batchHash, at_ms AS atMs, direction,
           counterparty, paid_units AS paidUnits, credit_units AS creditUnits, refused_units AS refusedUnits,
           repaid_units AS repaidUnits, gross_xac AS grossXac, fee_xac AS feeXac, xat_burned AS xatBurned,
           xas_paid AS xasPaid, fee_xas AS feeXas, price_num AS priceNum, price_den AS priceDen
         FROM settlements WHERE seq < ? ORDER BY seq DESC LIMIT ?`,
      )
      .safeIntegers();
    this.#lastSeq = db.prepare<[], number>(`SELECT coalesce(max(seq), 0) FROM settlements`).pluck();
    this.#count = db.prepare<[], number>(`SELECT count(*) FROM settlements`).pluck();
    this.#settled = db
      .prepare<[string], number>(
        `SELECT coalesce(sum(paid_units + credit_units + refused_units), 0) FROM settlements WHERE direction = ?`,
      )
      .pluck();
  }

  insert(row: SettlementRow): void {
    this.#insert.run({ ...row, priceNum: row.priceNum.toString(), priceDen: row.priceDen.toString() });
  }

  /** Newest first, below `beforeSeq`. */
  page(beforeSeq: number, limit: number): SettlementRow[] {
    return this.#page.all(beforeSeq, limit).map(toRow);
  }

  lastSeq(): number {
    return this.#lastSeq.get() ?? 0;
  }

  count(): number {
    return this.#count.get() ?? 0;
  }

  /** Consumed units that batches have taken up, in one direction. */
  settledUnits(direction: SettlementRow['direction']): number {
    return this.#settled.get(direction) ?? 0;
  }
}

function toRow(raw: RawRow): SettlementRow {
  return {
    ...raw,
    seq: Number(raw.seq),
    shard: Number(raw.shard),
    batchNumber: Number(raw.batchNumber),
    atMs: Number(raw.atMs),
    paidUnits: Number(raw.paidUnits),
    creditUnits: Number(raw.creditUnits),
    refusedUnits: Number(raw.refusedUnits),
    repaidUnits: Number(raw.repaidUnits),
    priceNum: BigInt(raw.priceNum),
    priceDen: BigInt(raw.priceDen),
  };
}
