import { amount } from '../../../shared/money.ts';
import type { ChainAccount } from '../../chain/port.ts';
import type { Database } from '../open.ts';

interface AccountRow {
  readonly address: string;
  readonly xat: bigint;
  readonly xac: bigint;
  readonly xas: bigint;
  readonly xab: bigint;
  readonly nonce: bigint;
  readonly credit_used_units: bigint;
}

export interface AccountQueries {
  /** `undefined` for an account that nothing ever happened to. */
  get(address: string): ChainAccount | undefined;
  /** In order of address. */
  all(): ChainAccount[];
  /** Writes the account whole, new or not. */
  put(account: ChainAccount): void;
}

export function accountQueries(db: Database): AccountQueries {
  const get = db.prepare<[string], AccountRow>('SELECT * FROM accounts WHERE address = ?').safeIntegers();
  const all = db.prepare<[], AccountRow>('SELECT * FROM accounts ORDER BY address').safeIntegers();
  const put = db.prepare(`
    INSERT INTO accounts (address, xat, xac, xas, xab, nonce, credit_used_units) VALUES (?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (address) DO UPDATE SET
      xat = excluded.xat, xac = excluded.xac, xas = excluded.xas, xab = excluded.xab,
      nonce = excluded.nonce, credit_used_units = excluded.credit_used_units
  `);
  return {
    get: (address) => {
      const row = get.get(address);
      return row && fromRow(row);
    },
    all: () => all.all().map(fromRow),
    put: ({ address, balances, nonce, creditUsedUnits }) =>
      void put.run(address, balances.XAT, balances.XAC, balances.XAS, balances.XAB, nonce, creditUsedUnits),
  };
}

function fromRow(row: AccountRow): ChainAccount {
  return {
    address: row.address,
    balances: { XAT: amount(row.xat), XAC: amount(row.xac), XAS: amount(row.xas), XAB: amount(row.xab) },
    nonce: Number(row.nonce),
    creditUsedUnits: Number(row.credit_used_units),
  };
}
