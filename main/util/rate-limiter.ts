/**
 * How often each of many may do something: a token bucket for each name. What is kept is bounded: a name that has rested
 * until its bucket is full is as good as a new one, and is forgotten.
 */
import { type BucketRate, type BucketState, refilled, waitMs } from '../../shared/token-bucket.ts';

/** Names beyond this many are looked through for those that have rested. */
const SWEEP_AT = 1_024;

export class KeyedRateLimiter {
  readonly #rate: BucketRate;
  readonly #nowMs: () => number;
  readonly #buckets = new Map<string, BucketState & { readonly rate: BucketRate }>();
  #sweepAt = SWEEP_AT;

  /** `nowMs` is a clock that cannot be set. */
  constructor(rate: BucketRate, nowMs: () => number) {
    this.#rate = rate;
    this.#nowMs = nowMs;
  }

  /** Names on file. */
  get size(): number {
    return this.#buckets.size;
  }

  /** Milliseconds after which to ask again; 0 when there is something to take. Takes nothing. `rate`: the name's own by now. */
  retryAfterMs(name: string, rate = this.#rate): number {
    return waitMs(this.#now(name, rate), rate);
  }

  /** Takes `cost` when there is anything to take, also more than there is; otherwise takes nothing and says how long to wait. */
  take(name: string, cost = 1): { readonly retryAfterMs: number } {
    const retryAfterMs = this.retryAfterMs(name);
    if (retryAfterMs === 0) this.charge(name, cost);
    return { retryAfterMs };
  }

  /** Takes `cost` whether there is enough or not: a debt is paid off before anything else is taken. */
  charge(name: string, cost: number, rate = this.#rate): void {
    const bucket = this.#now(name, rate);
    this.#buckets.set(name, { ...bucket, tokens: bucket.tokens - cost, rate });
    if (this.#buckets.size > this.#sweepAt) this.#sweep();
  }

  #now(name: string, rate: BucketRate): BucketState {
    const nowMs = this.#nowMs();
    const known = this.#buckets.get(name);
    if (!known) return { tokens: rate.burst, atMs: nowMs };
    const bucket = refilled(known, known.rate, nowMs);
    // What was taken stays taken, and no more: of a larger bucket, more is left.
    const grown = rate === known.rate ? 0 : rate.burst - known.rate.burst;
    return { ...bucket, tokens: bucket.tokens + grown };
  }

  #sweep(): void {
    for (const [name, { rate }] of this.#buckets) {
      if (this.#now(name, rate).tokens >= rate.burst) this.#buckets.delete(name);
    }
    // The next look waits until there are twice as many.
    this.#sweepAt = Math.max(SWEEP_AT, this.#buckets.size * 2);
  }
}
