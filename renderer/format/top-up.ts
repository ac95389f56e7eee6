/**
 * What a top-up would do, worked out before it is made: the sums worth suggesting, and step by step where one goes.
 * Loans are repaid oldest first and whole units at a time (ECONOMY.md, "Credit"), then traffic that no settlement has
 * closed yet; the rest stays.
 */

import { amount, BASE_UNITS_PER_TOKEN, parseAmount, type TokenAmount, ZERO } from '../../shared/money.ts';
import { ceilDiv, overUp, type Ratio, ratioFromDecimal } from '../../shared/ratio.ts';
import type { NodeSnapshot } from '../../shared/rpc.ts';
import { xatWorth } from './video-time.ts';

/** Hours that "another evening" stands for. 1 XAT is one hour. */
export const EVENING_HOURS = 3n;

export interface Suggestion {
  readonly amountXat: TokenAmount;
  readonly purpose: string;
}

export interface PlanStep {
  readonly kind: 'repay' | 'settle' | 'left';
  /** Account that is repaid, for `repay`. */
  readonly creditor: string | null;
  readonly units: number;
  /** Units of this loan that stay owed. */
  readonly unitsStillOwed: number;
  readonly xat: bigint;
}

/** Two sums: what is owed, and that with an evening on top. With nothing owed: an evening, and three. */
export function suggestTopUps(snapshot: NodeSnapshot): readonly Suggestion[] {
  const need = missingXat(snapshot);
  const evening = EVENING_HOURS * BASE_UNITS_PER_TOKEN;
  if (need === 0n) {
    return [
      { amountXat: amount(evening), purpose: 'an evening of video' },
      { amountXat: amount(evening * 3n), purpose: 'three evenings' },
    ];
  }
  return [
    { amountXat: amount(need), purpose: 'repays everything' },
    { amountXat: amount(roundUp(need + evening)), purpose: 'repays it and another evening' },
  ];
}

export function planTopUp(snapshot: NodeSnapshot, topUpXat: TokenAmount): readonly PlanStep[] {
  const rate = exchangeRate(snapshot);
  if (rate === null) return [];
  const steps: PlanStep[] = [];
  let left = fundsXat(snapshot) + topUpXat;
  for (const loan of [...snapshot.credit.loans].sort((a, b) => a.sinceMs - b.sinceMs)) {
    const cost = overUp(parseAmount(loan.priceXac), rate);
    const units = cost === 0n || left >= cost ? loan.units : Number((left * BigInt(loan.units)) / cost);
    if (units === 0) break;
    const xat = units === loan.units ? cost : ceilDiv(cost * BigInt(units), BigInt(loan.units));
    steps.push({ kind: 'repay', creditor: loan.creditor, units, unitsStillOwed: loan.units - units, xat });
    left -= xat;
  }
  const unsettled = overUp(parseAmount(snapshot.pending.owedXac), rate);
  if (unsettled > 0n && left > 0n) {
    let xat = unsettled;
    if (xat > left) xat = left;
    steps.push({ kind: 'settle', creditor: null, units: snapshot.pending.owedUnits, unitsStillOwed: 0, xat });
    left -= xat;
  }
  steps.push({ kind: 'left', creditor: null, units: 0, unitsStillOwed: 0, xat: left });
  return steps;
}

/** XAT that is missing to cover loans and unsettled traffic. One percent on top: the price may move until then. */
function missingXat(snapshot: NodeSnapshot): bigint {
  const rate = exchangeRate(snapshot);
  if (rate === null) return 0n;
  let owedXac: bigint = parseAmount(snapshot.pending.owedXac);
  for (const loan of snapshot.credit.loans) owedXac += parseAmount(loan.priceXac);
  const missing = overUp(owedXac, rate) - fundsXat(snapshot);
  return missing <= 0n ? 0n : roundUp(missing + ceilDiv(missing, 100n));
}

function fundsXat(snapshot: NodeSnapshot): bigint {
  const { XAT, XAC } = snapshot.balances;
  const worth = snapshot.price ? xatWorth(parseAmount(XAC), snapshot.price.xacPerXat) : ZERO;
  return parseAmount(XAT) + worth;
}

function exchangeRate(snapshot: NodeSnapshot): Ratio | null {
  const rate = snapshot.price === null ? null : ratioFromDecimal(snapshot.price.xacPerXat);
  return rate === null || rate.num === 0n ? null : rate;
}

/** To a sum that reads well: 0.01 from one token on, 0.0001 below. */
function roundUp(baseUnits: bigint): bigint {
  const step =
    baseUnits >= BASE_UNITS_PER_TOKEN ? BASE_UNITS_PER_TOKEN / 100n : BASE_UNITS_PER_TOKEN / 10_000n;
  return ceilDiv(baseUnits, step) * step;
}
