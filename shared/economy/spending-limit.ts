/**
 * How much of services a person lets be spent in a day and in a month (docs/economy.md#spending-limit): everything that services pays
 * counts, before fees, with what is on its way at the current price. Amounts are base units of XAC.
 */
export interface SpendingLimits {
  /** 0 lets nothing be spent; `null` is no limit. */
  readonly perDayXac: bigint | null;
  readonly perMonthXac: bigint | null;
}

export interface Spent {
  /** Settled traffic, repaid loans and bought access; XAS at the current rate. */
  readonly dayXac: bigint;
  readonly monthXac: bigint;
  /** Revealed to providers and in no settlement yet, and owed: of this day and month, whenever it is paid. */
  readonly onItsWayXac: bigint;
}

export type SpendingPeriod = 'day' | 'month';

export interface SpendingUse {
  readonly period: SpendingPeriod;
  readonly spentXac: bigint;
  readonly limitXac: bigint;
}

/** Part of a limit from which on it is said that it comes near: 80 %. */
const WARN_PARTS = 4n;
const ALL_PARTS = 5n;

/** Why `aheadXac` more may not be spent: the month's limit before the day's, as it lasts longer. `null`: it may. */
export function spendingStop(limits: SpendingLimits, spent: Spent, aheadXac: bigint): SpendingPeriod | null {
  const over = usesOf(limits, spent).find(({ spentXac, limitXac }) => spentXac + aheadXac > limitXac);
  return over?.period ?? null;
}

/** The limit that is nearest to its end, once it is used to 80 %. */
export function spendingWarning(limits: SpendingLimits, spent: Spent): SpendingUse | null {
  const near = usesOf(limits, spent).filter(
    ({ spentXac, limitXac }) => spentXac > 0n && spentXac * ALL_PARTS >= limitXac * WARN_PARTS,
  );
  return near.reduce<SpendingUse | null>(
    (nearest, use) =>
      nearest === null || use.spentXac * nearest.limitXac > nearest.spentXac * use.limitXac ? use : nearest,
    null,
  );
}

function usesOf({ perDayXac, perMonthXac }: SpendingLimits, spent: Spent): SpendingUse[] {
  const { dayXac, monthXac, onItsWayXac } = spent;
  return [
    ...(perMonthXac === null
      ? []
      : [{ period: 'month' as const, spentXac: monthXac + onItsWayXac, limitXac: perMonthXac }]),
    ...(perDayXac === null
      ? []
      : [{ period: 'day' as const, spentXac: dayXac + onItsWayXac, limitXac: perDayXac }]),
  ];
}
