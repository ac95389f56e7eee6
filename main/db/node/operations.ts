import * as dagCbor from '@ipld/dag-cbor';
import type { HoldingDeltas } from '../../../shared/economy/holdings.ts';
import type { Payment } from '../../../shared/economy/payment.ts';
import { paymentFrom, plainPayment } from '../../../shared/settlement/batch-result.ts';
import type { Database } from '../open.ts';
import { intact } from '../store-error.ts';

/** What an operation, or genesis, did to this node's account. */
export interface OperationRow {
  /** Of the record in the chain's log; 0: genesis. */
  readonly height: number;
  /** The chain's time. */
  readonly atMs: number;
  /** EIP-712, 32 bytes; zeros of genesis. */
  readonly hash: Uint8Array;
  /** Signed, canonical bytes; `null` of genesis. */
  readonly operation: Uint8Array | null;
  readonly deltas: HoldingDeltas;
  /** What one that pays for a service moved. */
  readonly payment: Payment | null;
  /** A gift of a devnet's faucet. */
  readonly faucet: boolean;
}

interface RawRow {
  readonly height: bigint;
  readonly atMs: bigint;
  readonly hash: Uint8Array;
  readonly operation: Uint8Array | null;
  readonly xat: bigint;
  readonly xac: bigint;
  readonly xas: bigint;
  readonly xab: bigint;
  readonly servicesXat: bigint;
  readonly servicesXac: bigint;
  readonly servicesXas: bigint;
  readonly payment: Uint8Array | null;
  readonly faucet: bigint;
}

/** What operations did to this node's account, as its home shard told. Append-only. */
export class OperationTable {
  readonly #insert;
  readonly #nextHeight;
  readonly #all;
  readonly #at;
  readonly #payingSince;

  constructor(db: Database) {
    this.#insert = db.prepare(
      `INSERT INTO operations (height, at_ms, hash, operation, xat, xac, xas, xab,
         services_xat, services_xac, services_xas, payment, faucet)
       VALUES (@height, @atMs, @hash, @operation, @XAT, @XAC, @XAS, @XAB,
         @servicesXat, @servicesXac, @servicesXas, @payment, @faucet)
       ON CONFLICT (height) DO NOTHING`,
    );
    this.#nextHeight = db.prepare<[], number>(`SELECT coalesce(max(height) + 1, 0) FROM operations`).pluck();
    const rows = `SELECT height, at_ms AS atMs, hash, operation, xat, xac, xas, xab, services_xat AS servicesXat,
      services_xac AS servicesXac, services_xas AS servicesXas, payment, faucet FROM operations`;
    this.#all = db.prepare<[], RawRow>(`${rows} ORDER BY height`).safeIntegers();
    this.#at = db.prepare<[number], RawRow>(`${rows} WHERE height = ?`).safeIntegers();
    this.#payingSince = db
      .prepare<[number], RawRow>(`${rows} WHERE at_ms >= ? AND payment IS NOT NULL ORDER BY height`)
      .safeIntegers();
  }

  /** Appends a row; `false` when it is there already. */
  insert({ deltas, payment, faucet, ...row }: OperationRow): boolean {
    const { XAT, XAC, XAS } = deltas.services;
    const written = this.#insert.run({
      ...row,
      ...deltas.main,
      ...{ servicesXat: XAT, servicesXac: XAC, servicesXas: XAS },
      payment: payment && dagCbor.encode(plainPayment(payment)),
      faucet: faucet ? 1 : 0,
    });
    return written.changes === 1;
  }

  /** The first height that has not been told yet. */
  nextHeight(): number {
    return this.#nextHeight.get() ?? 0;
  }

  get(height: number): OperationRow | null {
    const row = this.#at.get(height);
    return row ? toRow(row) : null;
  }

  /** Those that pay for a service from then on, of any account. */
  payingSince(fromMs: number): OperationRow[] {
    return this.#payingSince.all(fromMs).map(toRow);
  }

  /** In order of height. Nothing may be written on this connection before the last one was taken. */
  *all(): Generator<OperationRow> {
    for (const row of this.#all.iterate()) yield toRow(row);
  }
}

/** @throws AceError `StoreFailed` */
function toRow(row: RawRow): OperationRow {
  return intact(() => ({
    height: Number(row.height),
    atMs: Number(row.atMs),
    hash: row.hash,
    operation: row.operation,
    deltas: {
      main: { XAT: row.xat, XAC: row.xac, XAS: row.xas, XAB: row.xab },
      services: { XAT: row.servicesXat, XAC: row.servicesXac, XAS: row.servicesXas },
    },
    payment: row.payment && paymentFrom(dagCbor.decode(row.payment)),
    faucet: row.faucet === 1n,
  }));
}
