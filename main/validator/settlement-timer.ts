/** Has the shard settle again and again, as often as its load asks for (see `batch-interval.ts`). Owns the one timer for it. */
import { nextLookMs } from './batch-interval.ts';

export interface SettlementTimerOptions {
  readonly intervalMs: number;
  /** Settles what there is; whether that was anything. What goes wrong it has told by itself. */
  readonly settle: () => Promise<boolean>;
  /** Settling has stopped for good. */
  readonly isHalted: () => boolean;
  /** A clock that cannot be set. */
  readonly nowMs: () => number;
}

export class SettlementTimer {
  readonly #options: SettlementTimerOptions;
  #timer: NodeJS.Timeout | null = null;
  #waitingClaims = 0;
  #lastTookMs = 0;
  #idleLooks = 0;
  #lookedAtMs = 0;
  #isLooking = false;
  #stopped = false;

  constructor(options: SettlementTimerOptions) {
    this.#options = options;
  }

  /** Looks now, and from then on by itself. */
  start(): void {
    void this.#look();
  }

  /** So many claims wait for a batch: a shard that had gone quiet wakes up. */
  noticed(claims: number): void {
    this.#waitingClaims += claims;
    this.#idleLooks = 0;
    if (!this.#isLooking) this.#plan();
  }

  stop(): void {
    this.#stopped = true;
    if (this.#timer) clearTimeout(this.#timer);
  }

  #plan(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
    const { intervalMs, isHalted, nowMs } = this.#options;
    if (this.#stopped || isHalted()) return;
    const waitMs = nextLookMs({
      intervalMs,
      waitingClaims: this.#waitingClaims,
      lastTookMs: this.#lastTookMs,
      idleLooks: this.#idleLooks,
    });
    // Counted from the last look, so that claims which keep coming put nothing off.
    this.#timer = setTimeout(() => void this.#look(), Math.max(0, this.#lookedAtMs + waitMs - nowMs()));
  }

  /** Never rejects. */
  async #look(): Promise<void> {
    const { settle, nowMs } = this.#options;
    this.#isLooking = true;
    this.#waitingClaims = 0;
    const startedAtMs = nowMs();
    const settled = await settle().catch(() => true);
    this.#lookedAtMs = nowMs();
    this.#lastTookMs = this.#lookedAtMs - startedAtMs;
    this.#idleLooks = settled || this.#waitingClaims > 0 ? 0 : this.#idleLooks + 1;
    this.#isLooking = false;
    this.#plan();
  }
}
