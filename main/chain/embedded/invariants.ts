/**
 * What must always hold (ECONOMY.md), checked in production inside the transaction that would break it. The figures
 * come from the rows as they were read and as they will be written, not from what the payments say they moved, so a
 * mistake in applying a payment is caught too. The cost is per row touched, not per row of the chain.
 */
import { invariant } from '../../../shared/errors.ts';
import { EXCHANGE_POOLS, TRADED_TOKENS } from '../../../shared/exchange.ts';
import { type Balances, MAX_AMOUNT, TOKENS, type Token } from '../../../shared/money.ts';
import type { Payment } from '../../../shared/payment.ts';
import type { ExchangeRates } from '../../../shared/price.ts';
import { POOLS } from '../../../shared/settings.ts';
import type { PoolBalances } from '../../db/chain/pools.ts';
import type { Supply } from '../../db/chain/supply.ts';
import type { ChainAccount } from '../port.ts';

export interface Change<T> {
  readonly before: T;
  readonly after: T;
}

export interface LedgerChange {
  readonly accounts: Iterable<Change<ChainAccount>>;
  readonly pools: Change<PoolBalances>;
  readonly supply: Change<Supply>;
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
    addGrowth(held, before.balances, after.balances);
    invariant(
      after.creditUsedUnits >= 0 && after.creditUsedUnits <= creditLimitUnits,
      '0 ≤ traffic_credit_used ≤ traffic_credit_limit',
    );
  }
  for (const pool of POOLS) addGrowth(held, change.pools.before[pool], change.pools.after[pool]);
  for (const token of TOKENS) {
    const [before, after] = [change.supply.before[token], change.supply.after[token]];
    const created = after.emitted - before.emitted - (after.burned - before.burned);
    invariant(held[token] === created, `sum of ${token} = genesis + emitted − burned`);
    invariant(after.genesis + after.emitted - after.burned <= MAX_AMOUNT, `no more ${token} than can exist`);
  }
  const locked = change.pools.after.lockedPool.XAT - change.pools.before.lockedPool.XAT;
  const unlocked = change.pools.after.unlockedPool.XAT - change.pools.before.unlockedPool.XAT;
  invariant(unlocked === -locked, 'unlockedPool grew by what lockedPool shrank');
  checkExchange(change.pools);
}

/** The product of a pair's reserves never shrinks: nobody takes more out of the exchange than its rule gives. */
function checkExchange({ before, after }: Change<PoolBalances>): void {
  for (const token of TRADED_TOKENS) {
    const pool = EXCHANGE_POOLS[token];
    invariant(
      after[pool].XAC * after[pool][token] >= before[pool].XAC * before[pool][token],
      `the reserves of ${token} keep their product`,
    );
  }
}

function addGrowth(sum: Record<Token, bigint>, before: Balances, after: Balances): void {
  for (const token of TOKENS) {
    if (before[token] === after[token]) continue;
    invariant(after[token] >= 0n, `no balance of ${token} is negative`);
    sum[token] += after[token] - before[token];
  }
}
