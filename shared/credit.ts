/**
 * Traffic credit (sources 002 and 004; ECONOMY.md, "Credit").
 *
 * Credit counts traffic units, never money. Traffic is paid as far as the funds reach, whole units first; the rest is
 * taken on credit from the peer that served it; what neither covers is refused.
 */
import { invariant } from './errors.ts';
import { type TokenAmount, ZERO } from './money.ts';
import { type Funds, type Payment, planPayment, purchasingPowerXac } from './payment.ts';
import { type ExchangeRates, priceOfUnits } from './price.ts';
import type { Ratio } from './ratio.ts';

/** One batch's or one quote's prices: every figure in it is worked out with these. */
export interface PriceSnapshot {
  readonly rates: ExchangeRates;
  /** XAC base units per traffic unit. */
  readonly unitPriceXac: Ratio;
}

/** credit_limit = traffic_credit_limit − traffic_credit_used, in units. */
export function creditLeftUnits(creditLimitUnits: number, creditUsedUnits: number): number {
  invariant(
    Number.isSafeInteger(creditUsedUnits) && creditUsedUnits >= 0 && creditUsedUnits <= creditLimitUnits,
    '0 ≤ traffic_credit_used ≤ traffic_credit_limit',
  );
  return creditLimitUnits - creditUsedUnits;
}

/** Whole units that the funds can pay for now, at most `maxUnits`. */
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

/** How `units` of traffic are covered: funds first, then credit; the rest is refused. */
export function splitUnits(units: number, funds: Funds, creditLeft: number, price: PriceSnapshot): UnitSplit {
  const paidUnits = affordableUnits(funds, price, units);
  const creditUnits = Math.min(units - paidUnits, creditLeft);
  return { paidUnits, creditUnits, refusedUnits: units - paidUnits - creditUnits };
}

/** Pays `units` that the funds are known to cover: consumption and repayment alike. */
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

/** What is left of funds after a payment. */
export function afterPayment(funds: Funds, payment: Payment): Funds {
  return {
    XAC: (funds.XAC - payment.xacFromPayer) as TokenAmount,
    XAT: (funds.XAT - payment.xatBurned) as TokenAmount,
    XAS: (funds.XAS - payment.xasFromPayer) as TokenAmount,
  };
}

/**
 * Which loans the funds repay now: oldest first, the last one perhaps in part, each at the price of this moment.
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
