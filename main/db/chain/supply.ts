import type { TokenSupply } from '../../../shared/chain.ts';
import { amount, TOKENS, type Token } from '../../../shared/economy/money.ts';
import type { Database } from '../open.ts';

export type Supply = Readonly<Record<Token, TokenSupply>>;

interface SupplyRow {
  readonly token: Token;
  readonly genesis: bigint;
  readonly emitted: bigint;
  readonly burned: bigint;
}

export interface SupplyQueries {
  all(): Supply;
  put(supply: Supply): void;
  /** What accounts and pools really hold per token: a full scan, to check {@link all} against. */
  held(): Readonly<Record<Token, bigint>>;
}

export function supplyQueries(db: Database): SupplyQueries {
  const all = db.prepare<[], SupplyRow>('SELECT token, genesis, emitted, burned FROM supply').safeIntegers();
  const put = db.prepare(`
    INSERT INTO supply (token, genesis, emitted, burned) VALUES (?, ?, ?, ?)
    ON CONFLICT (token) DO UPDATE SET emitted = excluded.emitted, burned = excluded.burned
  `);
  const held = db
    .prepare<[], Record<Token, bigint>>(`
      SELECT sum(xat) AS XAT, sum(xac) AS XAC, sum(xas) AS XAS, sum(xab) AS XAB FROM (
        SELECT xat + services_xat AS xat, xac + services_xac AS xac, xas + services_xas AS xas, xab FROM accounts
        UNION ALL
        SELECT iif(token = 'XAT', balance, 0), iif(token = 'XAC', balance, 0),
               iif(token = 'XAS', balance, 0), iif(token = 'XAB', balance, 0) FROM pools
        UNION ALL SELECT 0, 0, 0, 0
      )
    `)
    .safeIntegers();
  return {
    all: () => Object.fromEntries(all.all().map((row) => [row.token, fromRow(row)])) as Supply,
    put: (supply) => {
      for (const token of TOKENS)
        put.run(token, supply[token].genesis, supply[token].emitted, supply[token].burned);
    },
    held: () => held.get() as Record<Token, bigint>,
  };
}

function fromRow(row: SupplyRow): TokenSupply {
  // What was ever emitted or burned may pass MAX_AMOUNT; what exists may not.
  return {
    genesis: amount(row.genesis),
    emitted: row.emitted as TokenSupply['emitted'],
    burned: row.burned as TokenSupply['burned'],
  };
}
