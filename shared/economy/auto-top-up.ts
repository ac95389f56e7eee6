/**
 * When an account moves XAT from main to services by itself (docs/economy.md#automatic-top-up). Counted is what services is worth in
 * XAT: its XAC pays before its XAT does, so an account that earns enough needs no top-up. XAS is left out: it is the last
 * resort, and its owner may want to keep it. Amounts are base units.
 */
import type { TokenAmount } from './money.ts';
import type { Funds } from './payment.ts';
import { overDown, type Ratio } from './ratio.ts';

export interface AutoTopUpRule {
  /** It is time for one while services is worth less than this. */
  readonly belowXat: TokenAmount;
  /** What each moves, never more and never a part of it. */
  readonly depositXat: TokenAmount;
  /** What all of a day, and of a month, may move together. */
  readonly mostPerDayXat: TokenAmount;
  readonly mostPerMonthXat: TokenAmount;
}

/** What was moved by itself already, or was signed and may have been. */
export interface AutoTopUpPast {
  readonly dayXat: bigint;
  readonly monthXat: bigint;
}

export type AutoTopUpDecision =
  /** There is enough to spend. */
  | 'enough'
  | 'deposit'
  /** One more would be above what a month, or a day, allows. */
  | 'month-used'
  | 'day-used'
  /** Main has less than one of them. */
  | 'main-empty';

/** What services is worth in XAT, rounded down. While XAT buys no XAC, its XAC counts for nothing. */
export function worthInXat({ XAC, XAT }: Pick<Funds, 'XAC' | 'XAT'>, xacPerXat: Ratio): bigint {
  return XAT + (xacPerXat.num === 0n ? 0n : overDown(XAC, xacPerXat));
}

export function decideAutoTopUp(
  rule: AutoTopUpRule,
  services: Pick<Funds, 'XAC' | 'XAT'>,
  mainXat: bigint,
  xacPerXat: Ratio,
  past: AutoTopUpPast,
): AutoTopUpDecision {
  if (worthInXat(services, xacPerXat) >= rule.belowXat) return 'enough';
  if (past.monthXat + rule.depositXat > rule.mostPerMonthXat) return 'month-used';
  if (past.dayXat + rule.depositXat > rule.mostPerDayXat) return 'day-used';
  return mainXat < rule.depositXat ? 'main-empty' : 'deposit';
}
