/**
 * How fast one provider is, as measured: bytes per millisecond and the time until an answer begins, both as moving
 * averages. No clock of its own: the caller gives all times in milliseconds of one clock.
 */

/** Weight of the newest sample. */
const WEIGHT = 0.3;

export interface PieceTimes {
  readonly bytes: number;
  readonly askedAtMs: number;
  readonly beganAtMs: number;
  readonly endedAtMs: number;
}

export class ProviderSpeed {
  #bytesPerMs: number | null = null;
  #latencyMs: number | null = null;
  #lastEndedAtMs = Number.NEGATIVE_INFINITY;

  /** `null` before the first piece. */
  get bytesPerMs(): number | null {
    return this.#bytesPerMs;
  }

  /** From a request to the beginning of its answer when nothing else is under way; `null` before the first piece. */
  get latencyMs(): number | null {
    return this.#latencyMs;
  }

  /**
   * A piece has come. While others were under way before it, the time since the last of them counts, pauses for payment
   * included; else the time since its answer began, and what went before that is the latency.
   */
  arrived({ bytes, askedAtMs, beganAtMs, endedAtMs }: PieceTimes): void {
    const queued = askedAtMs < this.#lastEndedAtMs;
    const spanMs = endedAtMs - (queued ? this.#lastEndedAtMs : beganAtMs);
    this.#lastEndedAtMs = Math.max(this.#lastEndedAtMs, endedAtMs);
    this.#bytesPerMs = averaged(this.#bytesPerMs, bytes / Math.max(1, spanMs));
    if (!queued) this.#latencyMs = averaged(this.#latencyMs, Math.max(0, beganAtMs - askedAtMs));
  }
}

function averaged(before: number | null, sample: number): number {
  return before === null ? sample : before + WEIGHT * (sample - before);
}
