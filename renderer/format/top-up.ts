/**
 * What a top-up would do, worked out by the rules in shared/ before it is made: the sums worth suggesting, and step by
 * step where one goes.
 */

import { amount, BASE_UNITS_PER_TOKEN, type TokenAmount } from '../../shared/economy/money.ts';
import type { Funds, Payment } from '../../shared/economy/payment.ts';
import { quoteTopUp, topUpThatPays } from '../../shared/economy/quote.ts';
import { ceilDiv } from '../../shared/economy/ratio.ts';
import { m } from '../../shared/i18n/compiled/messages.js';
import type { NodeSnapshot } from '../../shared/rpc/rpc.ts';
import { quoteBasisOf } from './quote-basis.ts';

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
  /** Of all loans from there. */
  readonly units: number;
  /** Units of these loans that stay owed. */
  readonly unitsStillOwed: number;
  /** What the step takes, or what is left. */
  readonly tokens: Funds;
}

/** Two sums: what is owed, and that with an evening on top. With nothing owed: an evening, and three. */
export function suggestTopUps(snapshot: NodeSnapshot): readonly Suggestion[] {
  const need = missingXat(snapshot);
  const evening = EVENING_HOURS * BASE_UNITS_PER_TOKEN;
  if (need === 0n) {
    return [
      { amountXat: amount(evening), purpose: m.topup_evening() },
      { amountXat: amount(evening * 3n), purpose: m.topup_evenings() },
    ];
  }
  return [
    { amountXat: amount(need), purpose: m.topup_repays() },
    { amountXat: amount(roundUp(need + evening)), purpose: m.topup_repays_evening() },
  ];
}

export function planTopUp(snapshot: NodeSnapshot, topUpXat: TokenAmount): readonly PlanStep[] {
  const basis = quoteBasisOf(snapshot);
  if (basis === null) return [];
  const { repayments, pending, left } = quoteTopUp(
    topUpXat,
    oldestFirst(snapshot),
    snapshot.pending.owedUnits,
    basis,
  );
  const steps: PlanStep[] = [...Map.groupBy(repayments, ({ creditor }) => creditor)].map(
    ([creditor, loans]) => ({
      kind: 'repay',
      creditor,
      units: loans.reduce((sum, { units }) => sum + units, 0),
      unitsStillOwed: loans.reduce((sum, { stillOwedUnits }) => sum + stillOwedUnits, 0),
      tokens: loans.map(({ payment }) => takenBy(payment)).reduce(together),
    }),
  );
  if (pending) {
    const tokens = takenBy(pending.payment);
    steps.push({ kind: 'settle', creditor: null, units: pending.units, unitsStillOwed: 0, tokens });
  }
  return [...steps, { kind: 'left', creditor: null, units: 0, unitsStillOwed: 0, tokens: left }];
}

/** XAT that is missing to cover loans and unsettled traffic. One percent on top: the price may move until then. */
function missingXat(snapshot: NodeSnapshot): bigint {
  const basis = quoteBasisOf(snapshot);
  if (basis === null) return 0n;
  const missing = topUpThatPays(oldestFirst(snapshot), snapshot.pending.owedUnits, basis);
  return missing === 0n ? 0n : roundUp(missing + ceilDiv(missing, 100n));
}

function oldestFirst({ credit }: NodeSnapshot): NodeSnapshot['credit']['loans'] {
  return [...credit.loans].sort((a, b) => a.sinceMs - b.sinceMs);
}

function together(a: Funds, b: Funds): Funds {
  return { XAC: amount(a.XAC + b.XAC), XAT: amount(a.XAT + b.XAT), XAS: amount(a.XAS + b.XAS) };
}

function takenBy({ xacFromPayer, xatBurned, xasFromPayer }: Payment): Funds {
  return { XAC: xacFromPayer, XAT: xatBurned, XAS: xasFromPayer };
}

/** To a sum that reads well: 0.01 from one token on, 0.0001 below. */
function roundUp(baseUnits: bigint): bigint {
  const step =
    baseUnits >= BASE_UNITS_PER_TOKEN ? BASE_UNITS_PER_TOKEN / 100n : BASE_UNITS_PER_TOKEN / 10_000n;
  return ceilDiv(baseUnits, step) * step;
}
