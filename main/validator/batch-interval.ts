/**
 * When a shard looks again for something to settle. Pure.
 *
 * The network's interval is the rule for a shard with some work. With much of it batches come sooner, so that none gets
 * too large and holds the shard for long; a shard that has nothing to settle looks less and less often.
 */

export interface SettlingLoad {
  /** The network's setting. */
  readonly intervalMs: number;
  /** Claims with something new since the last look. */
  readonly waitingClaims: number;
  /** How long the last look took, its batches included: nothing else runs on the shard meanwhile. */
  readonly lastTookMs: number;
  /** Looks in a row that found nothing to settle. */
  readonly idleLooks: number;
}

/** So many claims are worth a batch of their own at once. */
export const FULL_BATCH_CLAIMS = 20_000;
/** Soonest, as a part of the interval. */
const SOONEST_PART = 1 / 8;
/** Latest, as a multiple of the interval: expired leases and loans of accounts with funds wait for a look as well. */
const LATEST_TIMES = 8;

/** Milliseconds from one look to the next, at least 1. */
export function nextLookMs({ intervalMs, waitingClaims, lastTookMs, idleLooks }: SettlingLoad): number {
  const latestMs = intervalMs * LATEST_TIMES;
  // Half of the time is for leases and claims, however long the batches take.
  const soonestMs = Math.min(latestMs, Math.max(1, intervalMs * SOONEST_PART, lastTookMs));
  if (waitingClaims === 0) {
    const doublings = Math.min(idleLooks, Math.log2(LATEST_TIMES));
    return Math.ceil(Math.max(soonestMs, Math.min(latestMs, intervalMs * 2 ** doublings)));
  }
  const room = Math.max(0, 1 - waitingClaims / FULL_BATCH_CLAIMS);
  return Math.ceil(Math.max(soonestMs, intervalMs * room));
}
