/**
 * A validator's clock (see `SteadyClock`), and what it does when that has jumped: it grants no lease, releases none and
 * seals no batch, says so, and goes on by itself.
 */
import { AceError } from '../../shared/errors.ts';
import { aboutSpan } from '../../shared/span.ts';
import type { ValidatorStore } from '../db/validator/store.ts';
import type { Log } from '../process/log.ts';
import { type ClockState, type Clocks, SteadyClock, SYSTEM_CLOCKS } from '../util/steady-clock.ts';
import { CLOCK_LOOK_MS, CLOCK_STAND_MS, MAX_CLOCK_STEP_MS } from './limits.ts';

/** A clock that is right so far. */
export function validatorClock(clocks: Clocks = SYSTEM_CLOCKS): SteadyClock {
  return new SteadyClock(clocks, { maxStepMs: MAX_CLOCK_STEP_MS, standMs: CLOCK_STAND_MS });
}

/** When this shard wrote its last batch or lease; 0 when there is none. */
export function lastRecordMs({ batches, leases }: ValidatorStore): number {
  return Math.max(batches.last()?.createdAtMs ?? 0, leases.lastGrantedMs());
}

/**
 * A chain's time never goes back, so a record that a wrong clock wrote stands until the time has come. Nothing else tells of
 * it once this clock is believed.
 */
export function warnOfFuture(log: Log, chainDb: string, headMs: number, wallMs: number): void {
  if (headMs - wallMs <= MAX_CLOCK_STEP_MS) return;
  log.error(
    { headMs, aheadSeconds: Math.round((headMs - wallMs) / 1_000) },
    `the last record of ${chainDb} is dated about ${aboutSpan(headMs - wallMs)} ahead of this computer’s clock. If that is right, ` +
      'a wrong one wrote it: until then swaps are refused, the exchange’s average stands still and the traffic rate keeps within ' +
      'one day’s bounds. All else goes on. To have these back, restore chain.db and validator.db together from a copy of before',
  );
}

export class ClockGuard {
  readonly #clock: SteadyClock;
  readonly #log: Log;
  #seen: ClockState = 'right';
  #timer: NodeJS.Timeout | null = null;

  constructor(clock: SteadyClock, log: Log) {
    this.#clock = clock;
    this.#log = log;
  }

  /** Looks again and again: how long a step has stood is known only where somebody looks. */
  start(): void {
    this.#look();
    this.#timer = setInterval(() => this.#look(), CLOCK_LOOK_MS);
  }

  stop(): void {
    if (this.#timer) clearInterval(this.#timer);
  }

  get isRight(): boolean {
    return this.#look() !== 'jumped';
  }

  /** @throws AceError `ClockWrong` */
  checkRight(): void {
    if (this.isRight) return;
    const stepSeconds = Math.round(this.#clock.stepMs() / 1_000);
    throw new AceError('ClockWrong', `This shard’s clock has jumped by ${stepSeconds} s`, {
      reaction: 'pause-channel',
      details: { stepSeconds },
    });
  }

  #look(): ClockState {
    const { state } = this.#clock;
    if (state === this.#seen) return state;
    const stepSeconds = Math.round(this.#clock.stepMs() / 1_000);
    if (state === 'jumped') {
      this.#log.error(
        { stepSeconds, believedAfterMinutes: CLOCK_STAND_MS / 60_000 },
        'the clock of this computer has jumped: claims are taken, leases and settling wait until it is right, or has stood so long',
      );
    } else if (state === 'unproven') {
      this.#log.info(
        { stepSeconds, believedAfterMinutes: CLOCK_STAND_MS / 60_000 },
        'the last record is old: no lease is released until the clock has stood for a while',
      );
    } else if (this.#seen === 'jumped') {
      this.#log.warn('the clock is believed again: leases and settling go on');
    }
    this.#seen = state;
    return state;
  }
}
