/**
 * How much each peer may ask for: requests and bytes a second, over all its connections and streams. Generous: no node
 * that works as it should meets it. A peer that does is answered late, on its own streams only.
 */
import { type BucketRate, type BucketState, refilled, waitMs } from '../../shared/token-bucket.ts';

export interface PeerRates {
  readonly requests: BucketRate;
  /** Of requests and their answers. */
  readonly bytes: BucketRate;
}

interface Buckets {
  readonly requests: BucketState;
  readonly bytes: BucketState;
}

/** Peers beyond this many are looked through for those that have rested: they are as good as new ones. */
const SWEEP_AT_PEERS = 1_024;

export class PeerLimits {
  readonly #rates: PeerRates;
  readonly #nowMs: () => number;
  readonly #peers = new Map<string, Buckets>();
  #sweepAt = SWEEP_AT_PEERS;

  /** `nowMs` is a clock that nobody sets. */
  constructor(rates: PeerRates, nowMs: () => number) {
    this.#rates = rates;
    this.#nowMs = nowMs;
  }

  /** Peers on file. */
  get peers(): number {
    return this.#peers.size;
  }

  /** Takes one request of so many bytes; otherwise takes nothing and says after how many milliseconds to ask again. */
  take(peerId: string, sizeBytes: number): { readonly retryAfterMs: number } {
    const { requests, bytes } = this.#now(peerId);
    const retryAfterMs = Math.max(waitMs(requests, this.#rates.requests), waitMs(bytes, this.#rates.bytes));
    if (retryAfterMs === 0) {
      this.#peers.set(peerId, {
        requests: { ...requests, tokens: requests.tokens - 1 },
        bytes: { ...bytes, tokens: bytes.tokens - sizeBytes },
      });
      if (this.#peers.size > this.#sweepAt) this.#sweep();
    }
    return { retryAfterMs };
  }

  /** An answer went out: what it weighs is paid off before the next request. */
  charge(peerId: string, sizeBytes: number): void {
    const { requests, bytes } = this.#now(peerId);
    this.#peers.set(peerId, { requests, bytes: { ...bytes, tokens: bytes.tokens - sizeBytes } });
  }

  #now(peerId: string): Buckets {
    const nowMs = this.#nowMs();
    const known = this.#peers.get(peerId);
    const { requests, bytes } = this.#rates;
    return {
      requests: known ? refilled(known.requests, requests, nowMs) : { tokens: requests.burst, atMs: nowMs },
      bytes: known ? refilled(known.bytes, bytes, nowMs) : { tokens: bytes.burst, atMs: nowMs },
    };
  }

  #sweep(): void {
    for (const peerId of this.#peers.keys()) {
      const { requests, bytes } = this.#now(peerId);
      const { requests: r, bytes: b } = this.#rates;
      if (requests.tokens >= r.burst && bytes.tokens >= b.burst) this.#peers.delete(peerId);
    }
    // Connections bound how many can be busy at once; looking through them again waits until there are twice as many.
    this.#sweepAt = Math.max(SWEEP_AT_PEERS, this.#peers.size * 2);
  }
}
