/**
 * A token bucket for bytes: lets so many a second pass. Each amount waits until the bucket holds all of it, and is then taken out: what is
 * asked for never runs ahead of the rate. Urgent requests go first, the others in the order in which they came.
 */
import { type BucketState, refilled } from '../../shared/token-bucket.ts';

/** What may pass at once after a rest; it also makes up for timers that come late. */
const BURST_MS = 200;
const LONGEST_WAIT_MS = 1_000;

interface Waiting {
  readonly bytes: number;
  readonly urgent: boolean;
  readonly go: () => void;
}

export class ByteRateLimiter {
  readonly #bytesPerSecond: () => number | null;
  readonly #nowMs: () => number;
  readonly #waiting: Waiting[] = [];
  #bucket: BucketState;
  #timer: NodeJS.Timeout | null = null;
  #lastRate: number | null = null;

  /**
   * `bytesPerSecond` is asked whenever something waits; `null` is no limit. At 0 the last rate stays in force for
   * what has begun: callers ask before they begin something new. `nowMs` is a clock that nobody sets.
   */
  constructor(bytesPerSecond: () => number | null, nowMs: () => number = () => performance.now()) {
    this.#bytesPerSecond = bytesPerSecond;
    this.#nowMs = nowMs;
    this.#bucket = { tokens: 0, atMs: nowMs() };
  }

  /** Resolves when so many bytes may pass, or, with false, when `signal` ends the wait. */
  async take(bytes: number, urgent = false, signal?: AbortSignal): Promise<boolean> {
    if (signal?.aborted) return false;
    if (this.#waiting.length === 0 && this.#passes(bytes)) return true;
    return new Promise((resolve) => {
      const waiting = { bytes, urgent, go: () => resolve(true) };
      this.#waiting.push(waiting);
      signal?.addEventListener(
        'abort',
        () => {
          const at = this.#waiting.indexOf(waiting);
          if (at !== -1) this.#waiting.splice(at, 1);
          resolve(false);
          this.#pump();
        },
        { once: true },
      );
      this.#pump();
    });
  }

  /** What was taken did not pass after all. */
  giveBack(bytes: number): void {
    this.#bucket = { ...this.#bucket, tokens: this.#bucket.tokens + bytes };
    this.#pump();
  }

  /** The rate may be another one now. */
  changed(): void {
    this.#pump();
  }

  #rate(): number | null {
    const rate = this.#bytesPerSecond();
    if (rate !== 0) this.#lastRate = rate;
    return this.#lastRate;
  }

  /** Whether the bytes may pass now; then they have. */
  #passes(bytes: number): boolean {
    const rate = this.#rate();
    const nowMs = this.#nowMs();
    if (rate === null) {
      this.#bucket = { tokens: 0, atMs: nowMs };
      return true;
    }
    const slack = (rate * BURST_MS) / 1_000;
    // While nobody waited there was room for a burst, while somebody waits there is for what is waited for, too.
    const burst = this.#waiting.length > 0 ? bytes + slack : slack;
    this.#bucket = refilled(this.#bucket, { perSecond: rate, burst }, nowMs);
    if (this.#bucket.tokens < bytes) return false;
    this.#bucket = { ...this.#bucket, tokens: this.#bucket.tokens - bytes };
    return true;
  }

  #pump(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
    for (let next = this.#next(); next; next = this.#next()) {
      if (!this.#passes(next.bytes)) {
        const missing = next.bytes - this.#bucket.tokens;
        const waitMs = Math.ceil((missing * 1_000) / (this.#lastRate ?? 1));
        this.#timer = setTimeout(() => this.#pump(), Math.min(waitMs, LONGEST_WAIT_MS));
        return;
      }
      this.#waiting.splice(this.#waiting.indexOf(next), 1);
      next.go();
    }
  }

  #next(): Waiting | undefined {
    return this.#waiting.find(({ urgent }) => urgent) ?? this.#waiting[0];
  }
}
