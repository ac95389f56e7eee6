/**
 * How often each of many may do one thing that costs more than most: an average and a burst, by name. What is kept is
 * bounded: who has rested is as good as new, and is forgotten.
 */
import { type BucketRate, type BucketState, refilled, waitMs } from '../../shared/token-bucket.ts';

/** Names beyond this many are looked through for those that have rested. */
const SWEEP_AT = 1_024;

export class Paced {
  readonly #rate: BucketRate;
  readonly #nowMs: () => number;
  readonly #buckets = new Map<string, BucketState>();
  #sweepAt = SWEEP_AT;

  /** `nowMs` is a clock that nobody sets. */
  constructor(rate: BucketRate, nowMs: () => number) {
    this.#rate = rate;
    this.#nowMs = nowMs;
  }

  /** Names on file. */
  get size(): number {
    return this.#buckets.size;
  }

  /** Counts one; otherwise counts nothing and says after how many milliseconds to ask again. */
  take(name: string): { readonly retryAfterMs: number } {
    const bucket = this.#now(name);
    const retryAfterMs = waitMs(bucket, this.#rate);
    if (retryAfterMs > 0) return { retryAfterMs };
    this.#buckets.set(name, { ...bucket, tokens: bucket.tokens - 1 });
    if (this.#buckets.size > this.#sweepAt) this.#sweep();
    return { retryAfterMs: 0 };
  }

  #now(name: string): BucketState {
    const nowMs = this.#nowMs();
    const known = this.#buckets.get(name);
    return known ? refilled(known, this.#rate, nowMs) : { tokens: this.#rate.burst, atMs: nowMs };
  }

  #sweep(): void {
    for (const name of this.#buckets.keys()) {
      if (this.#now(name).tokens >= this.#rate.burst) this.#buckets.delete(name);
    }
    // Looking through them again waits until there are twice as many.
    this.#sweepAt = Math.max(SWEEP_AT, this.#buckets.size * 2);
  }
}
