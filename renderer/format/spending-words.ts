/** What a day or a month may cost, and how much of it is used. */
import { parseAmount } from '../../shared/economy/money.ts';
import { type SpendingUse, spendingWarning } from '../../shared/economy/spending-limit.ts';
import { spendingLimits } from '../../shared/limits.ts';
import type { NodeSnapshot } from '../../shared/rpc/rpc.ts';
import { formatPercent } from './percent.ts';

/** The limit that is used to 80 % or more; `null` while none is. */
export function nearSpendingLimit({ limits: { settings, spent } }: NodeSnapshot): SpendingUse | null {
  return spendingWarning(spendingLimits(settings), {
    dayXac: parseAmount(spent.dayXac),
    monthXac: parseAmount(spent.monthXac),
    onItsWayXac: parseAmount(spent.onItsWayXac),
  });
}

/** "83 %"; rounded down, so that it is not all before all is used. */
export function usedPercent({ spentXac, limitXac }: SpendingUse): string {
  return formatPercent(limitXac === 0n ? 1 : Number((spentXac * 100n) / limitXac) / 100);
}
