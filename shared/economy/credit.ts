/**
 * Traffic credit (docs/economy.md#credit).
 *
 * Credit counts traffic units, never money. Traffic is paid as far as the funds reach, whole units first; the rest is
 * taken on credit from the peer that served it; what neither covers is refused.
 */
import { isCount } from '../count.ts';
import { invariant } from '../errors.ts';
import { type TokenAmount, ZERO } from './money.ts';
import { type Funds, type Payment, planPayment, purchasingPowerXac } from './payment.ts';
import { type ExchangeRates, priceOfUnits } from './price.ts';
import { overUp, type Ratio } from './ratio.ts';

/** One batch's or one quote's prices: every figure in it is worked out with these. */
export interface PriceSnapshot {
  readonly rates: ExchangeRates;
  /** XAC base units per traffic unit. */
  readonly unitPriceXac: Ratio;
}

/**
 * credit_limit = traffic_credit_limit − traffic_credit_used, in units (docs/economy.md#credit).
 * @throws AceError `InvariantViolated` when more is used than there is
 */
export function creditLeftUnits(creditLimitUnits: number, creditUsedUnits: number): number {
  invariant(
    isCount(creditUsedUnits) && creditUsedUnits <= creditLimitUnits,
    '0 ≤ traffic_credit_used ≤ traffic_credit_limit',
  );
  return creditLimitUnits - creditUsedUnits;
}

/** Whole units that the funds can pay for in one payment, rounded down; at most `maxUnits`, and all of them at a price of 0. */
export function affordableUnits(funds: Funds, price: PriceSnapshot, maxUnits: number): number {
  const { num, den } = price.unitPriceXac;
  if (num === 0n) return maxUnits;
  const units = (purchasingPowerXac(funds, price.rates) * den) / num;
  return units > BigInt(maxUnits) ? maxUnits : Number(units);
}

export interface UnitSplit {
  readonly paidUnits: number;
  readonly creditUnits: number;
  readonly refusedUnits: number;
}

/**
 * How `units` of traffic are covered (docs/economy.md#credit): funds first, then credit; the rest is refused. Funds of an
 * account that `owes` belong to its loans, so its traffic goes on credit first, and only what that does not hold is paid.
 */
export function splitUnits(
  units: number,
  funds: Funds,
  creditLeft: number,
  owes: boolean,
  price: PriceSnapshot,
): UnitSplit {
  const affordable = affordableUnits(funds, price, units);
  const creditUnits = Math.min(owes ? units : units - affordable, creditLeft);
  const paidUnits = Math.min(affordable, units - creditUnits);
  return { paidUnits, creditUnits, refusedUnits: units - paidUnits - creditUnits };
}

/**
 * Whole units that the funds cover however they are split into payments: each unit alone, at its price rounded up to
 * whole base units of the token that pays it. What a lease may promise.
 */
export function coveredUnits(funds: Funds, price: PriceSnapshot, maxUnits: number): number {
  if (price.unitPriceXac.num === 0n) return maxUnits;
  const eachXac = priceOfUnits(1, price.unitPriceXac);
  const { xacPerXat, xacPerXas } = price.rates;
  const whole = (balance: bigint, rate: Ratio) => (rate.num === 0n ? 0n : balance / overUp(eachXac, rate));
  const units = funds.XAC / eachXac + whole(funds.XAT, xacPerXat) + whole(funds.XAS, xacPerXas);
  return units > BigInt(maxUnits) ? maxUnits : Number(units);
}

/**
 * Pays `units` that the funds are known to cover, consumption and repayment alike: their price is rounded up once.
 * @throws AceError what {@link planPayment} throws
 */
export function payUnits(
  units: number,
  funds: Funds,
  price: PriceSnapshot,
  trafficFee: Ratio,
  lockedPoolXat: TokenAmount,
): Payment {
  const priceXac = units === 0 ? ZERO : priceOfUnits(units, price.unitPriceXac);
  return planPayment(funds, priceXac, price.rates, trafficFee, lockedPoolXat);
}

export interface Loan {
  readonly creditor: string;
  /** Units still owed. */
  readonly units: number;
}

/** What is left of funds after a payment that was planned with them, base units. */
export function afterPayment(funds: Funds, payment: Payment): Funds {
  return {
    XAC: (funds.XAC - payment.xacFromPayer) as TokenAmount,
    XAT: (funds.XAT - payment.xatBurned) as TokenAmount,
    XAS: (funds.XAS - payment.xasFromPayer) as TokenAmount,
  };
}

/**
 * Which loans the funds repay now (docs/economy.md#repayment): oldest first, the last one perhaps in part, each at the price of this
 * moment, rounded up once per loan. It plans no unlocking: what lockedPool holds is the chain's to know.
 * `loans` come oldest first; the answer has the units repaid of each, and leaves out those that get nothing.
 */
export function planRepayments(
  loans: readonly Loan[],
  funds: Funds,
  price: PriceSnapshot,
  trafficFee: Ratio,
): { readonly creditor: string; readonly units: number; readonly payment: Payment }[] {
  const repayments: { creditor: string; units: number; payment: Payment }[] = [];
  let left = funds;
  for (const loan of loans) {
    const units = affordableUnits(left, price, loan.units);
    if (units > 0) {
      const payment = payUnits(units, left, price, trafficFee, ZERO);
      repayments.push({ creditor: loan.creditor, units, payment });
      left = afterPayment(left, payment);
    }
    if (units < loan.units) break;
  }
  return repayments;
}
