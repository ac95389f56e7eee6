/** What a batch adds to the totals that the traffic rate is the ratio of (docs/economy.md#price). */
import { creditableTotals, type TrafficTotals } from '../../../shared/economy/price.ts';
import { boundedGrowth } from '../../../shared/economy/rate-bounds.ts';
import { invariant } from '../../../shared/errors.ts';
import type { Batch, EntryResult } from '../../../shared/settlement/batch.ts';
import type { ChainStore } from '../../db/chain/store.ts';

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
  let units = before.consumedUnits;
  // Counted when they are paid for: at once, or as a repayment.
  for (const { paidUnits, repaidUnits } of entries) units += BigInt(paidUnits + repaidUnits);
  invariant(units <= MAX_TOTAL, 'traffic totals fit their columns');
  const creditable = creditableTotals(grown(before, watched), units);
  const added = {
    videoUnits: creditable.videoUnits - before.videoUnits,
    watchMs: creditable.watchMs - before.watchMs,
  };
  store.shardTraffic.put(shard, { ...grown(before, added), consumedUnits: units });
  store.totals.put(grown(totals, withinBounds(store, totals, added, atMs)));
}

/** The chain's time in hours since 1970. */
export function hourOf(atMs: number): bigint {
  return BigInt(Math.floor(atMs / 3_600_000));
}

function withinBounds(
  store: ChainStore,
  totals: TrafficTotals,
  added: TrafficTotals,
  atMs: number,
): TrafficTotals {
  const hour = hourOf(atMs);
  // One more than a day has, so that no 24 hours are without the moment at which they began.
  const oldest = hour - RATE_HOURS;
  store.rateHours.begin(hour, totals);
  store.rateHours.forgetBefore(oldest);
  return boundedGrowth(totals, added, store.rateHours.since(oldest));
}

function grown(totals: TrafficTotals, by: TrafficTotals): TrafficTotals {
  const videoUnits = totals.videoUnits + by.videoUnits;
  const watchMs = totals.watchMs + by.watchMs;
  invariant(videoUnits <= MAX_TOTAL && watchMs <= MAX_TOTAL, 'traffic totals fit their columns');
  return { videoUnits, watchMs };
}
