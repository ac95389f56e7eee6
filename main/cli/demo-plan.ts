/** How the credit story is cut to the size of the file. Pure. */
import { TRAFFIC_UNIT_BYTES } from '../../shared/units.ts';

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
