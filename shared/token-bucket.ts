/** A token bucket: so many a second on average, and so many at once after a time of rest. */

export interface BucketRate {
  readonly perSecond: number;
  readonly burst: number;
}

export interface BucketState {
  /** Below 0 when more was taken than there was: paid off before anything else is taken. */
  readonly tokens: number;
  readonly atMs: number;
}

/** The bucket as it is at a later moment. A clock that goes back adds nothing. */
export function refilled(state: BucketState, rate: BucketRate, nowMs: number): BucketState {
  const gained = (Math.max(0, nowMs - state.atMs) * rate.perSecond) / 1_000;
  return { tokens: Math.min(rate.burst, state.tokens + gained), atMs: nowMs };
}

/** Milliseconds until the bucket has a token to give; 0 when it has one. */
export function waitMs({ tokens }: BucketState, rate: BucketRate): number {
  return tokens >= 1 ? 0 : Math.ceil(((1 - tokens) * 1_000) / rate.perSecond);
}
