import type { ChainAccount } from '../../../shared/chain.ts';
import { amount } from '../../../shared/economy/money.ts';
import type { Database } from '../open.ts';
import { accountKey, addressOfKey } from './account-key.ts';
import { holdingValues } from './holding-values.ts';

interface AccountRow {
  readonly xat: bigint;
  readonly xac: bigint;
  readonly xas: bigint;
  readonly xab: bigint;
  readonly services_xat: bigint;
  readonly services_xac: bigint;
  readonly services_xas: bigint;
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
  const columns = 'xat, xac, xas, xab, services_xat, services_xac, services_xas, nonce, credit_used_units';
  const get = db
    .prepare<[Uint8Array], AccountRow>(`SELECT ${columns} FROM accounts WHERE address = ?`)
    .safeIntegers();
  const all = db
    .prepare<[], AccountRow & { address: Uint8Array }>(
      `SELECT address, ${columns} FROM accounts ORDER BY address`,
    )
    .safeIntegers();
  const put = db.prepare(`REPLACE INTO accounts (address, ${columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`);
  return {
    get: (address) => {
      const row = get.get(accountKey(address));
      return row && fromRow(address, row);
    },
    all: () => all.all().map((row) => fromRow(addressOfKey(row.address), row)),
    put: ({ address, main, services, nonce, creditUsedUnits }) =>
      void put.run(accountKey(address), ...holdingValues({ main, services }), nonce, creditUsedUnits),
  };
}

function fromRow(address: string, row: AccountRow): ChainAccount {
  return {
    address,
    main: { XAT: amount(row.xat), XAC: amount(row.xac), XAS: amount(row.xas), XAB: amount(row.xab) },
    services: {
      XAT: amount(row.services_xat),
      XAC: amount(row.services_xac),
      XAS: amount(row.services_xas),
    },
    nonce: Number(row.nonce),
    creditUsedUnits: Number(row.credit_used_units),
  };
}
