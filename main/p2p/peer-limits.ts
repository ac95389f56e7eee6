/**
 * How much each peer may ask for: requests and bytes a second, over all its connections and streams. Generous: no node
 * that works as it should meets it. A peer that does is answered late, on its own streams only.
 */
import type { BucketRate } from '../../shared/token-bucket.ts';
import { KeyedRateLimiter } from '../util/rate-limiter.ts';

export interface PeerRates {
  readonly requests: BucketRate;
  /** Of requests and their answers. */
  readonly bytes: BucketRate;
}

export class PeerLimits {
  readonly #requests: KeyedRateLimiter;
  readonly #bytes: KeyedRateLimiter;

  /** `nowMs` is a clock that nobody sets. */
  constructor(rates: PeerRates, nowMs: () => number) {
    this.#requests = new KeyedRateLimiter(rates.requests, nowMs);
    this.#bytes = new KeyedRateLimiter(rates.bytes, nowMs);
  }

  /** Peers on file. */
  get peers(): number {
    return Math.max(this.#requests.size, this.#bytes.size);
  }

  /** Takes one request of so many bytes; otherwise takes nothing; the answer is after how many milliseconds to ask again. */
  take(peerId: string, sizeBytes: number): { readonly retryAfterMs: number } {
    const retryAfterMs = Math.max(this.#requests.retryAfterMs(peerId), this.#bytes.retryAfterMs(peerId));
    if (retryAfterMs === 0) {
      this.#requests.charge(peerId, 1);
      this.#bytes.charge(peerId, sizeBytes);
    }
    return { retryAfterMs };
  }

  /** An answer went out: what it weighs is paid off before the next request. */
  charge(peerId: string, sizeBytes: number): void {
    this.#bytes.charge(peerId, sizeBytes);
  }
}
