/**
 * How fast the traffic rate can move (docs/economy.md#price): the price of everybody's traffic does not jump, whatever
 * somebody pays for that. What a batch reports beyond the bounds is not counted.
 */
import type { TrafficTotals } from './price.ts';
import { ceilDiv, divide, multiply, type Ratio, ratio } from './ratio.ts';

/** Of the rate before it: what a viewer was quoted still holds, to half a percent, when it is settled. */
export const MAX_RATE_CHANGE_PER_BATCH: Ratio = ratio(1n, 200n);
/** Of the rate at any hour of the last day. The habits of a whole network change slower than this. */
export const MAX_RATE_CHANGE_PER_DAY: Ratio = ratio(1n, 50n);

/**
 * Of what was watched, as much as leaves the rate within both bounds. Units and time shrink together, so that what is
 * counted has the rate of what was reported.
 * @param totals those before the batch, with a rate within the day's bounds
 * @param hours those with which each hour of the last day began
 */
export function boundedGrowth(
  totals: TrafficTotals,
  watched: TrafficTotals,
  hours: readonly TrafficTotals[],
): TrafficTotals {
  const limits = [
    { rate: ratio(totals.videoUnits, totals.watchMs), change: MAX_RATE_CHANGE_PER_BATCH },
    ...hours.map(({ videoUnits, watchMs }) => ({
      rate: ratio(videoUnits, watchMs),
      change: MAX_RATE_CHANGE_PER_DAY,
    })),
  ];
  const most = limits
    .map(({ rate, change: { num, den } }) => multiply(rate, ratio(den + num, den)))
    .reduce(lower);
  // The same upside down: the most time per unit.
  const slowest = limits
    .map(({ rate, change: { num, den } }) => divide(ratio(den, den - num), rate))
    .reduce(lower);
  const [units, ms] = shrunk(
    [totals.videoUnits, watched.videoUnits],
    [totals.watchMs, watched.watchMs],
    most,
  );
  const [watchMs, videoUnits] = shrunk([totals.watchMs, ms], [totals.videoUnits, units], slowest);
  return { videoUnits, watchMs };
}

function lower(a: Ratio, b: Ratio): Ratio {
  return a.num * b.den < b.num * a.den ? a : b;
}

/** Of `[a, more a]` and `[b, more b]`, the parts of the more that leave all a ÷ all b at `limit`, where it is above. */
function shrunk([a, moreA]: [bigint, bigint], [b, moreB]: [bigint, bigint], limit: Ratio): [bigint, bigint] {
  const room = limit.num * b - limit.den * a;
  const wanted = limit.den * moreA - limit.num * moreB;
  if (wanted <= room) return [moreA, moreB];
  // Rounded to the safe side: a down, b up.
  return [(moreA * room) / wanted, ceilDiv(moreB * room, wanted)];
}
