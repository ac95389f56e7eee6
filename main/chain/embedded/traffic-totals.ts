/** What a batch adds to the totals that the traffic rate is the ratio of (docs/economy.md#price). */
import { creditableTotals, type TrafficTotals } from '../../../shared/economy/price.ts';
import { boundedGrowth } from '../../../shared/economy/rate-bounds.ts';
import { invariant } from '../../../shared/errors.ts';
import type { Batch, EntryResult } from '../../../shared/settlement/batch.ts';
import type { ChainStore } from '../../db/chain/store.ts';
import { dayOf, hourOf, rulesOf } from './rules.ts';

/** Largest SQLite INTEGER. */
const MAX_TOTAL = 2n ** 63n - 1n;
/** Hours that the rate's bound of a day looks back. */
const RATE_HOURS = 24n;

/** Counts what a batch reports, as far as the rules let it. Belongs in the transaction of the batch. */
export function countWatched(
  store: ChainStore,
  { shard, watched }: Batch,
  entries: readonly EntryResult[],
  atMs: number,
): void {
  const totals = store.totals.get();
  const before = store.shardTraffic.get(shard);
  const rules = rulesOf(store);
  let units = before.consumedUnits;
  for (const entry of entries) units += BigInt(countingUnits(entry, rules === 1));
  invariant(units <= MAX_TOTAL, 'traffic totals fit their columns');
  const creditable = creditableTotals(grown(before, watched), units, rules === 1 ? 0 : undefined);
  // What was counted stays: rules 1 counted units without their time.
  const added = {
    videoUnits: atLeast0(creditable.videoUnits - before.videoUnits),
    watchMs: atLeast0(creditable.watchMs - before.watchMs),
  };
  store.shardTraffic.put(shard, { ...grown(before, added), consumedUnits: units });
  store.totals.put(grown(totals, rules === 1 ? added : withinBounds(store, totals, added, atMs)));
}

/** Of what an entry moved, the units that can count now: paid from funds, at once or as a repayment. */
function countingUnits(entry: EntryResult, creditCounts: boolean): number {
  return entry.paidUnits + (creditCounts ? entry.creditUnits : entry.repaidUnits);
}

function withinBounds(
  store: ChainStore,
  totals: TrafficTotals,
  added: TrafficTotals,
  atMs: number,
): TrafficTotals {
  if (rulesOf(store) === 2) return withinDay(store, totals, added, atMs);
  const hour = hourOf(atMs);
  // One more than a day has, so that no 24 hours are without the moment at which they began.
  const oldest = hour - RATE_HOURS;
  store.rateHours.begin(hour, totals);
  store.rateHours.forgetBefore(oldest);
  return boundedGrowth(totals, added, store.rateHours.since(oldest));
}

/** Of rules 2: from the totals with which the newest day began. */
function withinDay(
  store: ChainStore,
  totals: TrafficTotals,
  added: TrafficTotals,
  atMs: number,
): TrafficTotals {
  const day = dayOf(atMs);
  const last = store.rateDay.get();
  if (last && last.day >= day) return boundedGrowth(totals, added, [last]);
  store.rateDay.put({ day, ...totals });
  return boundedGrowth(totals, added, [totals]);
}

function grown(totals: TrafficTotals, by: TrafficTotals): TrafficTotals {
  const videoUnits = totals.videoUnits + by.videoUnits;
  const watchMs = totals.watchMs + by.watchMs;
  invariant(videoUnits <= MAX_TOTAL && watchMs <= MAX_TOTAL, 'traffic totals fit their columns');
  return { videoUnits, watchMs };
}

function atLeast0(part: bigint): bigint {
  return part > 0n ? part : 0n;
}
