import type { ChainAccount } from '../../../shared/chain.ts';
import { amount } from '../../../shared/economy/money.ts';
import type { Database } from '../open.ts';
import { accountKey, addressOfKey } from './account-key.ts';

interface AccountRow {
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
  const columns = 'xat, xac, xas, xab, nonce, credit_used_units';
  const get = db
    .prepare<[Uint8Array], AccountRow>(`SELECT ${columns} FROM accounts WHERE address = ?`)
    .safeIntegers();
  const all = db
    .prepare<[], AccountRow & { address: Uint8Array }>(
      `SELECT address, ${columns} FROM accounts ORDER BY address`,
    )
    .safeIntegers();
  const put = db.prepare(`REPLACE INTO accounts (address, ${columns}) VALUES (?, ?, ?, ?, ?, ?, ?)`);
  return {
    get: (address) => {
      const row = get.get(accountKey(address));
      return row && fromRow(address, row);
    },
    all: () => all.all().map((row) => fromRow(addressOfKey(row.address), row)),
    put: ({ address, balances, nonce, creditUsedUnits }) =>
      void put.run(
        accountKey(address),
        balances.XAT,
        balances.XAC,
        balances.XAS,
        balances.XAB,
        nonce,
        creditUsedUnits,
      ),
  };
}

function fromRow(address: string, row: AccountRow): ChainAccount {
  return {
    address,
    balances: { XAT: amount(row.xat), XAC: amount(row.xac), XAS: amount(row.xas), XAB: amount(row.xab) },
    nonce: Number(row.nonce),
    creditUsedUnits: Number(row.credit_used_units),
  };
}
