/** For how much more traffic an account has funds and credit, and how long that lasts, by the rules that settle it. */
import { affordableUnits } from '../../shared/economy/credit.ts';
import { TRAFFIC_UNIT_BYTES, UNITS_PER_GB } from '../../shared/economy/units.ts';
import { m } from '../../shared/i18n/compiled/messages.js';
import type { NodeSnapshot } from '../../shared/rpc/rpc.ts';
import { quoteBasisOf } from './quote-basis.ts';
import { formatLong } from './time.ts';

export interface RunOut {
  /** Units that the funds still pay; none while loans are open, for funds belong to these first. */
  readonly fundsUnits: number;
  /** Units of free credit that nothing under way has taken. */
  readonly creditUnits: number;
  /** At the speed of this moment; `null` while nothing comes. */
  readonly nowMs: number | null;
  /** At the network's average of viewing. */
  readonly averageMs: number;
}

/** Below this a transfer is as good as still. */
const LEAST_BYTES_PER_SECOND = 1_000;
const MS_PER_HOUR = 3_600_000;
/** From here on nobody counts: 1,000 days. */
const YEARS_MS = 1_000 * 24 * MS_PER_HOUR;
/** Beyond this it is enough for every purpose; 1 PiB. */
const MANY_UNITS = 2 ** 30;

/** `null` while the price is not known. */
export function runOut(snapshot: NodeSnapshot): RunOut | null {
  const basis = quoteBasisOf(snapshot);
  if (basis === null || snapshot.price === null) return null;
  const affordable = basis.owes ? 0 : affordableUnits(basis.funds, basis.price, MANY_UNITS);
  // What was used and is not settled yet takes funds first, then credit.
  const owed = snapshot.pending.owedUnits;
  const fundsUnits = Math.max(0, affordable - owed);
  const creditUnits = Math.max(0, basis.creditLeftUnits - Math.max(0, owed - affordable));
  const units = fundsUnits + creditUnits;
  const { downBytesPerSecond } = snapshot.traffic;
  const gbPerHour = Number(snapshot.price.trafficRateGbPerHour);
  return {
    fundsUnits,
    creditUnits,
    nowMs:
      downBytesPerSecond < LEAST_BYTES_PER_SECOND
        ? null
        : ((units * TRAFFIC_UNIT_BYTES) / downBytesPerSecond) * 1_000,
    averageMs: gbPerHour > 0 ? (units / (gbPerHour * UNITS_PER_GB)) * MS_PER_HOUR : Number.POSITIVE_INFINITY,
  };
}

/** "About 25 min", "Less than a minute", "For years". */
export function lastsText(spanMs: number): string {
  if (spanMs < 60_000) return m.credit_lasts_less();
  return spanMs >= YEARS_MS ? m.credit_lasts_years() : m.credit_lasts_about({ time: formatLong(spanMs) });
}
