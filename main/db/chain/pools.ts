import {
  amount,
  type Balances,
  NO_BALANCES,
  TOKENS,
  type Token,
  type TokenAmount,
} from '../../../shared/economy/money.ts';
import { POOLS, type Pool } from '../../../shared/economy/settings.ts';
import type { Database } from '../open.ts';

export type PoolBalances = Readonly<Record<Pool, Balances>>;

export interface PoolQueries {
  /** Every pool and token; what was never written is 0. */
  all(): PoolBalances;
  put(pools: PoolBalances): void;
}

export function poolQueries(db: Database): PoolQueries {
  const all = db
    .prepare<[], { pool: Pool; token: Token; balance: bigint }>('SELECT pool, token, balance FROM pools')
    .safeIntegers();
  const put = db.prepare(`
    INSERT INTO pools (pool, token, balance) VALUES (?, ?, ?)
    ON CONFLICT (pool, token) DO UPDATE SET balance = excluded.balance
  `);
  return {
    all: () => {
      const pools = emptyPools();
      for (const { pool, token, balance } of all.all()) pools[pool][token] = amount(balance);
      return pools;
    },
    put: (pools) => {
      for (const pool of POOLS) {
        for (const token of TOKENS) put.run(pool, token, pools[pool][token]);
      }
    },
  };
}

/** Every pool with nothing in it. */
export function emptyPools(): Record<Pool, Record<Token, TokenAmount>> {
  const pools = {} as Record<Pool, Record<Token, TokenAmount>>;
  for (const pool of POOLS) pools[pool] = { ...NO_BALANCES };
  return pools;
}
