/**
 * What traffic would cost an account and what a top-up would do, by the same rules that settle it
 * (docs/economy.md#price, docs/economy.md#credit). A quote changes and binds nothing: settlement uses the
 * price of its own moment. Rounding is that of the rules: prices up to one base unit per payment, fees down.
 */
import {
  affordableUnits,
  afterPayment,
  type Loan,
  type PriceSnapshot,
  payUnits,
  planRepayments,
  splitUnits,
} from './credit.ts';
import { amount, type TokenAmount, ZERO } from './money.ts';
import type { Funds, Payment } from './payment.ts';
import { priceOfUnits } from './price.ts';
import { overUp, type Ratio } from './ratio.ts';

/** The figures of one account and one moment that a quote is worked out from. */
export interface QuoteBasis {
  readonly funds: Funds;
  /** Units of credit that are free. */
  readonly creditLeftUnits: number;
  /** Some of the credit is used: funds belong to its loans first. */
  readonly owes: boolean;
  readonly price: PriceSnapshot;
  /** XAT base units per traffic unit. */
  readonly unitPriceXat: Ratio;
  /** traffic_user_payment_fee. */
  readonly trafficFee: Ratio;
}

export interface TrafficQuote {
  readonly units: number;
  /** Price of all of them, base units, paid with funds or credit. */
  readonly priceXac: TokenAmount;
  readonly priceXat: TokenAmount;
  /** Units that the funds pay, that go on credit, and that nothing covers: they would not be served. */
  readonly paidUnits: number;
  readonly creditUnits: number;
  readonly uncoveredUnits: number;
  /** What paying `paidUnits` moves; `null` when that is none. */
  readonly payment: Payment | null;
}

/**
 * How `units` of traffic from one peer would be covered now: XAC, XAT burned, XAS, then credit.
 * `units` are whole and not negative; amounts are base units.
 * @throws AceError `InvalidAmount` when the price is more than can exist of a token
 */
export function quoteTraffic(units: number, basis: QuoteBasis): TrafficQuote {
  const { funds, price, trafficFee } = basis;
  const { paidUnits, creditUnits, refusedUnits } = splitUnits(
    units,
    funds,
    basis.creditLeftUnits,
    basis.owes,
    price,
  );
  return {
    units,
    priceXac: priceOfUnits(units, price.unitPriceXac),
    priceXat: priceOfUnits(units, basis.unitPriceXat),
    paidUnits,
    creditUnits,
    uncoveredUnits: refusedUnits,
    payment: paidUnits > 0 ? payUnits(paidUnits, funds, price, trafficFee, ZERO) : null,
  };
}

export interface TopUpQuote {
  /** Oldest loan first; the last one perhaps in part. Loans that get nothing are left out. */
  readonly repayments: readonly {
    readonly creditor: string;
    readonly units: number;
    /** Units of this loan that stay owed. */
    readonly stillOwedUnits: number;
    readonly payment: Payment;
  }[];
  /** Used traffic that no settlement has closed yet, as far as the funds then reach; `null` for none. */
  readonly pending: { readonly units: number; readonly payment: Payment } | null;
  /** What is there after all that. */
  readonly left: Funds;
}

/**
 * What `topUpXat` base units would do, step by step (docs/economy.md#repayment): loans first, then what is pending, each payment
 * rounded up once. `loans` come oldest first, each with one creditor.
 * @throws AceError `InvalidAmount` when that would be more XAT than can exist
 */
export function quoteTopUp(
  topUpXat: TokenAmount,
  loans: readonly Loan[],
  pendingUnits: number,
  { funds, price, trafficFee }: QuoteBasis,
): TopUpQuote {
  let left: Funds = { ...funds, XAT: amount(funds.XAT + topUpXat) };
  // One for each loan from the oldest on, until the funds are used up.
  const repayments = planRepayments(loans, left, price, trafficFee).map((repayment, i) => ({
    ...repayment,
    stillOwedUnits: (loans[i]?.units ?? 0) - repayment.units,
  }));
  for (const { payment } of repayments) left = afterPayment(left, payment);
  const owes = repayments.length < loans.length || repayments.some((r) => r.stillOwedUnits > 0);
  // Funds repay loans before they pay for anything new.
  const units = owes ? 0 : affordableUnits(left, price, pendingUnits);
  if (units === 0) return { repayments, pending: null, left };
  const payment = payUnits(units, left, price, trafficFee, ZERO);
  return { repayments, pending: { units, payment }, left: afterPayment(left, payment) };
}

/**
 * The least XAT, in base units, that a top-up needs so that all loans and all pending traffic are paid at this price.
 * Each payment's XAT is rounded up to one base unit. 0 when XAC and XAT reach, or while XAT buys nothing; XAS is left out.
 * @throws AceError `InvalidAmount` when that is more than can exist
 */
export function topUpThatPays(
  loans: readonly Loan[],
  pendingUnits: number,
  { funds, price }: QuoteBasis,
): TokenAmount {
  const { unitPriceXac, rates } = price;
  if (rates.xacPerXat.num === 0n) return ZERO;
  let xacLeft: bigint = funds.XAC;
  let xat = 0n;
  for (const units of [...loans.map((loan) => loan.units), pendingUnits]) {
    const owedXac: bigint = priceOfUnits(units, unitPriceXac);
    const fromXac = owedXac < xacLeft ? owedXac : xacLeft;
    xacLeft -= fromXac;
    xat += overUp(owedXac - fromXac, rates.xacPerXat);
  }
  return xat <= funds.XAT ? ZERO : amount(xat - funds.XAT);
}
