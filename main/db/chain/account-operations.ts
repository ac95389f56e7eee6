import type { Token } from '../../../shared/economy/money.ts';
import type { Database } from '../open.ts';
import { accountKey } from './account-key.ts';

/** What one record of the log did to one account. */
export interface AccountOperationRow {
  /** Of the log's record; 0 for what genesis gave. */
  readonly height: number;
  readonly atMs: number;
  /** Bytes of the record: the signed operation, or the whole genesis. */
  readonly bytes: Uint8Array;
  /** Base units gained, negative where lost. */
  readonly deltas: Readonly<Record<Token, bigint>>;
  /** Bytes of `encodePayment`, of an operation that pays for a service. */
  readonly payment: Uint8Array | null;
}

export interface AccountOperationQueries {
  /** In order of height. */
  from(address: string, height: number, limit: number): AccountOperationRow[];
  insert(
    address: string,
    height: number,
    deltas: Readonly<Record<Token, bigint>>,
    payment: Uint8Array | null,
  ): void;
}

interface RawRow {
  readonly height: bigint;
  readonly atMs: bigint;
  readonly bytes: Uint8Array;
  readonly xat: bigint;
  readonly xac: bigint;
  readonly xas: bigint;
  readonly xab: bigint;
  readonly payment: Uint8Array | null;
}

export function accountOperationQueries(db: Database): AccountOperationQueries {
  const from = db
    .prepare<[Uint8Array, number, number], RawRow>(
      `SELECT height, appended_at_ms AS atMs, bytes, xat, xac, xas, xab, payment
       FROM account_operations JOIN log USING (height)
       WHERE address = ? AND height >= ? ORDER BY height LIMIT ?`,
    )
    .safeIntegers();
  const insert = db.prepare(
    'INSERT INTO account_operations (address, height, xat, xac, xas, xab, payment) VALUES (?, ?, ?, ?, ?, ?, ?)',
  );
  return {
    from: (address, height, limit) =>
      from.all(accountKey(address), height, limit).map((row) => ({
        height: Number(row.height),
        atMs: Number(row.atMs),
        bytes: row.bytes,
        deltas: { XAT: row.xat, XAC: row.xac, XAS: row.xas, XAB: row.xab },
        payment: row.payment,
      })),
    insert: (address, height, { XAT, XAC, XAS, XAB }, payment) =>
      void insert.run(accountKey(address), height, XAT, XAC, XAS, XAB, payment),
  };
}
