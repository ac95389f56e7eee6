/** How the credit story is cut to the size of the file. Pure. */
import { TRAFFIC_UNIT_BYTES } from '../../shared/economy/units.ts';
import type { DemoAccess } from './demo-access.ts';
import type { DemoBooks } from './demo-books.ts';
import type { DemoEvent } from './story.ts';

export interface DemoPlan {
  readonly units: number;
  /** Consumed on credit first, until the limit: also the devnet's `traffic_credit_limit`. */
  readonly creditUnits: number;
  /** Then paid from funds. */
  readonly paidUnits: number;
  /** And the rest on credit again. */
  readonly restUnits: number;
  /** Parts of the story that the file is too small for. */
  readonly leftOut: readonly string[];
}

const MAX_CREDIT_UNITS = 10_240;

export function planDemo(sizeBytes: number): DemoPlan {
  const units = Math.ceil(sizeBytes / TRAFFIC_UNIT_BYTES);
  const creditUnits = Math.min(MAX_CREDIT_UNITS, Math.max(1, Math.floor(units * 0.4)));
  const restUnits = Math.min(creditUnits, Math.floor((units - creditUnits) / 2));
  const paidUnits = units - creditUnits - restUnits;
  const leftOut: string[] = [];
  if (paidUnits === 0) leftOut.push('the refusal at the credit limit', 'paying from funds');
  if (restUnits === 0) leftOut.push('credit again after the funds');
  return { units, creditUnits, paidUnits, restUnits, leftOut };
}

/** What happened, of what was planned. */
export interface DemoOutcome {
  readonly refusal: string | null;
  readonly unitsRepaid: number;
  readonly creditUsed: number;
}

/** Whether the story went as planned. Balanced books do not prove it: they balance where nothing happened, too. */
export function outcomeChecks(
  plan: DemoPlan,
  outcome: DemoOutcome,
): readonly { readonly rule: string; readonly holds: boolean }[] {
  return [
    // There is nothing to refuse when the whole file was on credit.
    ...(plan.units > plan.creditUnits
      ? [{ rule: 'a provider refused the unit after the credit limit', holds: outcome.refusal !== null }]
      : []),
    {
      rule: `the top-up repaid the ${plan.creditUnits} MiB that were on credit`,
      holds: outcome.unitsRepaid === plan.creditUnits,
    },
    {
      rule: `the credit used at the end is the ${plan.restUnits} MiB after the funds`,
      holds: outcome.creditUsed === plan.restUnits,
    },
  ];
}

/** Whether what was sold was refused before, played after, and its fee reached the pool of premium titles. */
export function accessChecks(
  { refusal, played, feeXac }: DemoAccess,
  { pools }: Pick<DemoBooks, 'pools'>,
): readonly { readonly rule: string; readonly holds: boolean }[] {
  return [
    {
      rule: 'nobody plays what is sold before it is bought, and its buyer plays it',
      holds: refusal.code === 'AccessNeeded' && played,
    },
    {
      rule: `the premium pool got the fee of ${feeXac} XAC`,
      holds: pools.premiumFeePool.XAC === feeXac,
    },
  ];
}

/** Traffic, loans and access took nothing of what viewer and buyer keep. */
export function keptCheck(
  { accounts }: Pick<DemoBooks, 'accounts'>,
  keptXat: string,
): { readonly rule: string; readonly holds: boolean } {
  const kept = [accounts.viewer, accounts.providerB].map((account) => account?.main.XAT);
  return {
    rule: `each ${keptXat} XAT that were kept are untouched`,
    holds: kept.every((xat) => xat === keptXat),
  };
}

export interface DemoResult extends DemoBooks {
  readonly file: string;
  readonly contentId: string;
  readonly sizeBytes: number;
  readonly units: number;
  readonly sha256: string;
  readonly sha256Match: boolean;
  readonly story: readonly DemoEvent[];
  /** What provider A sold to provider B. */
  readonly access: DemoAccess;
  readonly leftOut: readonly string[];
  /** Code with which the first provider stopped at limit 0; `null` where the file was too small to get there. */
  readonly refusal: string | null;
  readonly throughputMiBps: number;
  readonly wireOverheadBytesPerMiB: number;
}
