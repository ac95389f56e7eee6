/**
 * The wall clock, held against a clock that nobody sets and against the time of the last record on file.
 *
 * A wall clock can jump: a bad answer of a time server, a wrong key press. What is decided by such a time (which leases are
 * over, when a record was written) cannot be taken back, so a step is believed only after it has stood for a while. A step
 * that is taken back before that leaves no trace.
 *
 * States: `right`; `jumped` while the wall clock is apart from where it should be; `unproven` after a start, when it is
 * ahead of the last record: that is most often a process that did not run for a while, and sometimes a jump.
 */
import { uptime } from 'node:os';

export interface Clocks {
  readonly wallMs: () => number;
  /** Only ever goes on, and also while the computer sleeps, where it can. */
  readonly uptimeMs: () => number;
}

/** The uptime goes on while a computer sleeps, where `performance.now()` stands still: waking up is no jump. */
export const SYSTEM_CLOCKS: Clocks = { wallMs: () => Date.now(), uptimeMs: () => uptime() * 1_000 };

export interface StepLimits {
  /** A larger step is a jump. */
  readonly maxStepMs: number;
  /** A jump that has stood for so long is believed. */
  readonly standMs: number;
}

export type ClockState = 'right' | 'unproven' | 'jumped';

interface Reading {
  readonly state: ClockState;
  readonly wallMs: number;
  /** What the wall clock should show. */
  readonly expectedMs: number;
}

export class SteadyClock {
  readonly #clocks: Clocks;
  readonly #limits: StepLimits;
  /** A moment at which the wall clock was believed. */
  #believed: { readonly wallMs: number; readonly uptimeMs: number };
  /** How far ahead of the uptime a wall clock is that is not believed yet, and since when. */
  #candidate: { readonly aheadMs: number; readonly sinceMs: number } | null = null;
  /** Whether the wall clock was held against more than the last record. */
  #isProven = true;

  constructor(clocks: Clocks, limits: StepLimits) {
    this.#clocks = clocks;
    this.#limits = limits;
    this.#believed = { wallMs: clocks.wallMs(), uptimeMs: clocks.uptimeMs() };
  }

  /** The last record of an earlier life was written at `recordedAtMs`: the wall clock is held against it. */
  startAfter(recordedAtMs: number): void {
    this.#believed = { wallMs: recordedAtMs, uptimeMs: this.#clocks.uptimeMs() };
    this.#candidate = null;
    this.#isProven = false;
  }

  get state(): ClockState {
    return this.#read().state;
  }

  /** How far the wall clock is ahead of where it should be; negative when it is behind. */
  stepMs(): number {
    const { wallMs, expectedMs } = this.#read();
    return wallMs - expectedMs;
  }

  /** The time: the wall clock's, and while that has jumped the time that it should show. */
  nowMs(): number {
    const { state, wallMs, expectedMs } = this.#read();
    return state === 'jumped' ? expectedMs : wallMs;
  }

  /**
   * The earliest that it can be: for what a late time would destroy, and an early one only puts off.
   */
  leastMs(): number {
    const { state, wallMs, expectedMs } = this.#read();
    return state === 'right' ? wallMs : Math.min(wallMs, expectedMs);
  }

  #read(): Reading {
    const [wallMs, uptimeMs] = [this.#clocks.wallMs(), this.#clocks.uptimeMs()];
    const expectedMs = this.#believed.wallMs + uptimeMs - this.#believed.uptimeMs;
    const isNear = Math.abs(wallMs - expectedMs) <= this.#limits.maxStepMs;
    if (isNear || this.#hasStood(wallMs - uptimeMs, uptimeMs)) {
      // Small steps are followed: a clock that is slewed to the right time goes a little faster or slower.
      this.#believed = { wallMs, uptimeMs };
      this.#candidate = null;
      this.#isProven = true;
      return { state: 'right', wallMs, expectedMs: wallMs };
    }
    return { state: !this.#isProven && wallMs > expectedMs ? 'unproven' : 'jumped', wallMs, expectedMs };
  }

  /** Whether a wall clock that is apart has been so, by the same step, for long enough. */
  #hasStood(aheadMs: number, uptimeMs: number): boolean {
    const { maxStepMs, standMs } = this.#limits;
    if (!this.#candidate || Math.abs(aheadMs - this.#candidate.aheadMs) > maxStepMs) {
      this.#candidate = { aheadMs, sinceMs: uptimeMs };
    }
    return uptimeMs - this.#candidate.sinceMs >= standMs;
  }
}
