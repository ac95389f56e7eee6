import type { HoldingDeltas } from '../../../shared/economy/holdings.ts';
import type { Database } from '../open.ts';
import { accountKey } from './account-key.ts';
import { holdingValues } from './holding-values.ts';

/** What one record of the log did to one account. */
export interface AccountOperationRow {
  /** Of the log's record; 0 for what genesis gave. */
  readonly height: number;
  readonly atMs: number;
  /** Bytes of the record: the signed operation, or the whole genesis. */
  readonly bytes: Uint8Array;
  readonly deltas: HoldingDeltas;
  /** Bytes of `encodePayment`, of an operation that pays for a service. */
  readonly payment: Uint8Array | null;
}

export interface AccountOperationQueries {
  /** In order of height. */
  from(address: string, height: number, limit: number): AccountOperationRow[];
  insert(address: string, height: number, deltas: HoldingDeltas, payment: Uint8Array | null): void;
}

interface RawRow {
  readonly height: bigint;
  readonly atMs: bigint;
  readonly bytes: Uint8Array;
  readonly xat: bigint;
  readonly xac: bigint;
  readonly xas: bigint;
  readonly xab: bigint;
  readonly servicesXat: bigint;
  readonly servicesXac: bigint;
  readonly servicesXas: bigint;
  readonly payment: Uint8Array | null;
}

export function accountOperationQueries(db: Database): AccountOperationQueries {
  const from = db
    .prepare<[Uint8Array, number, number], RawRow>(
      `SELECT height, appended_at_ms AS atMs, bytes, xat, xac, xas, xab, services_xat AS servicesXat,
         services_xac AS servicesXac, services_xas AS servicesXas, payment
       FROM account_operations JOIN log USING (height)
       WHERE address = ? AND height >= ? ORDER BY height LIMIT ?`,
    )
    .safeIntegers();
  const insert = db.prepare(
    `INSERT INTO account_operations (address, height, xat, xac, xas, xab, services_xat, services_xac, services_xas, payment)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  return {
    from: (address, height, limit) =>
      from.all(accountKey(address), height, limit).map((row) => ({
        height: Number(row.height),
        atMs: Number(row.atMs),
        bytes: row.bytes,
        deltas: {
          main: { XAT: row.xat, XAC: row.xac, XAS: row.xas, XAB: row.xab },
          services: { XAT: row.servicesXat, XAC: row.servicesXac, XAS: row.servicesXas },
        },
        payment: row.payment,
      })),
    insert: (address, height, { main, services }, payment) =>
      void insert.run(accountKey(address), height, ...holdingValues({ main, services }), payment),
  };
}
