/**
 * What must always hold (docs/economy.md#invariants), checked in production inside the transaction that would break it. A payment is
 * checked in itself; then the rows as they were read are compared with the rows as they will be written, so that a
 * mistake in applying payments is caught too. The cost is per row touched, not per row of the chain.
 */

import type { ChainAccount } from '../../../shared/chain.ts';
import { EXCHANGE_POOLS, TRADED_TOKENS } from '../../../shared/economy/exchange.ts';
import { type Holdings, SERVICES_TOKENS } from '../../../shared/economy/holdings.ts';
import { MAX_AMOUNT, TOKENS, type Token } from '../../../shared/economy/money.ts';
import type { Payment } from '../../../shared/economy/payment.ts';
import type { ExchangeRates } from '../../../shared/economy/price.ts';
import { FEE_POOLS, POOLS, type Pool } from '../../../shared/economy/settings.ts';
import { invariant } from '../../../shared/errors.ts';
import type { PoolBalances } from '../../db/chain/pools.ts';
import type { Supply } from '../../db/chain/supply.ts';

export interface Change<T> {
  readonly before: T;
  readonly after: T;
}

/** Fees that payments gave to one pool, base units. */
export interface FeeSums {
  readonly XAC: bigint;
  readonly XAS: bigint;
}

type Held = Readonly<Partial<Record<Token, bigint>>>;

export interface LedgerChange {
  readonly by: 'operation' | 'batch';
  readonly accounts: Iterable<{ readonly before: Holdings; readonly after: ChainAccount }>;
  readonly pools: Change<PoolBalances>;
  readonly supply: Change<Supply>;
  readonly fees: Readonly<Partial<Record<Pool, FeeSums>>>;
}

/**
 * Rules 2 and 5, of one payment.
 * @throws AceError `InvariantViolated`
 */
export function checkPayment(payment: Payment, { xacPerXat }: ExchangeRates): void {
  const { xatBurned, xacEmitted } = payment;
  // Rule 2: the burned XAT is what the emitted XAC stands for, rounded up to one base unit.
  const worth = xatBurned * xacPerXat.num;
  const emitted = xacEmitted * xacPerXat.den;
  invariant(worth >= emitted && worth - emitted <= xacPerXat.num, 'XAC emitted × rate = XAT burned');
  // Rule 5: what the payer is charged is what the payee and the fee pool receive.
  invariant(
    payment.xacFromPayer + xacEmitted === payment.payeeXac + payment.feeXac &&
      payment.xasFromPayer === payment.payeeXas + payment.feeXas,
    'payer charged = payee received + fee',
  );
}

/**
 * Rules 1 and 3, the bounds of rule 4, and that no balance leaves its range.
 * @throws AceError `InvariantViolated`
 */
export function checkLedger(change: LedgerChange, creditLimitUnits: number): void {
  const held: Record<Token, bigint> = { XAT: 0n, XAC: 0n, XAS: 0n, XAB: 0n };
  for (const { before, after } of change.accounts) {
    addGrowth(held, TOKENS, before.main, after.main);
    addGrowth(held, SERVICES_TOKENS, before.services, after.services);
    // Rule 2: only the owner's signature moves main.
    invariant(
      change.by === 'operation' || TOKENS.every((token) => before.main[token] === after.main[token]),
      'no automatic charge touches main',
    );
    invariant(
      after.creditUsedUnits >= 0 && after.creditUsedUnits <= creditLimitUnits,
      '0 ≤ traffic_credit_used ≤ traffic_credit_limit',
    );
  }
  for (const pool of POOLS) addGrowth(held, TOKENS, change.pools.before[pool], change.pools.after[pool]);
  for (const token of TOKENS) {
    const [before, after] = [change.supply.before[token], change.supply.after[token]];
    const created = after.emitted - before.emitted - (after.burned - before.burned);
    invariant(held[token] === created, `sum of ${token} = genesis + emitted − burned`);
    invariant(after.genesis + after.emitted - after.burned <= MAX_AMOUNT, `no more ${token} than can exist`);
  }
  const locked = change.pools.after.lockedPool.XAT - change.pools.before.lockedPool.XAT;
  const unlocked = change.pools.after.unlockedPool.XAT - change.pools.before.unlockedPool.XAT;
  invariant(unlocked === -locked, 'unlockedPool grew by what lockedPool shrank');
  checkFees(change);
  checkExchange(change.pools);
}

/** A fee pool grows by the fees of the payments and by nothing else: so payees have got the rest. */
function checkFees({ pools, fees }: LedgerChange): void {
  for (const pool of FEE_POOLS) {
    for (const token of ['XAC', 'XAS'] as const) {
      const grown = pools.after[pool][token] - pools.before[pool][token];
      invariant(grown === (fees[pool]?.[token] ?? 0n), `${pool} grew by the fees in ${token}`);
    }
  }
}

/** The product of a pair's reserves never shrinks: no swap takes more out of the exchange than its rule gives. */
function checkExchange({ before, after }: Change<PoolBalances>): void {
  for (const token of TRADED_TOKENS) {
    const pool = EXCHANGE_POOLS[token];
    invariant(
      after[pool].XAC * after[pool][token] >= before[pool].XAC * before[pool][token],
      `the reserves of ${token} keep their product`,
    );
  }
}

function addGrowth(sum: Record<Token, bigint>, tokens: readonly Token[], before: Held, after: Held): void {
  for (const token of tokens) {
    const [was, is] = [before[token] ?? 0n, after[token] ?? 0n];
    if (was === is) continue;
    invariant(is >= 0n, `no ${token} below 0 anywhere`);
    sum[token] += is - was;
  }
}
