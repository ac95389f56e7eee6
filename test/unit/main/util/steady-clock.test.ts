import { describe, expect, it } from 'vitest';
import { SteadyClock } from '../../../../main/util/steady-clock.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 3_600_000;
const LIMITS = { maxStepMs: 2 * MINUTE_MS, standMs: 10 * MINUTE_MS };
const BEGAN_MS = 1_800_000_000_000;

/** Both clocks, and the steady one that reads them. */
class World {
  wallMs = BEGAN_MS;
  uptimeMs = 5_000;
  readonly clock = new SteadyClock({ wallMs: () => this.wallMs, uptimeMs: () => this.uptimeMs }, LIMITS);

  /** Time passes, looked at each second as a validator does; the wall clock is `skewMs` faster each second. */
  pass(ms: number, skewMs = 0): void {
    for (let passedMs = 0; passedMs < ms; passedMs += 1_000) {
      this.wallMs += 1_000 + skewMs;
      this.uptimeMs += 1_000;
      expect(this.clock.leastMs()).toBeLessThanOrEqual(this.clock.nowMs());
    }
  }
}

describe('a running clock', () => {
  it('is the wall clock, which small steps and a slew do not stop', () => {
    const w = new World();
    w.pass(MINUTE_MS);
    w.wallMs += LIMITS.maxStepMs;
    expect(w.clock.state).toBe('right');
    w.pass(3_600_000, 100);
    expect(w.clock.state).toBe('right');
    expect(w.clock.nowMs()).toBe(w.wallMs);
    expect(w.clock.leastMs()).toBe(w.wallMs);
  });

  it.each([
    ['a day ahead', DAY_MS],
    ['a day behind', -DAY_MS],
    ['a millisecond more than a small step', LIMITS.maxStepMs + 1],
  ])('goes on without a jump %s that is taken back', (_what, stepMs) => {
    const w = new World();
    w.wallMs += stepMs;
    expect(w.clock.state).toBe('jumped');
    expect(w.clock.stepMs()).toBe(stepMs);
    w.pass(LIMITS.standMs - 1_000);
    expect(w.clock.state).toBe('jumped');
    expect(w.clock.nowMs()).toBe(w.wallMs - stepMs);
    expect(w.clock.leastMs()).toBe(w.wallMs - Math.max(0, stepMs));
    w.wallMs -= stepMs;
    expect(w.clock.state).toBe('right');
    expect(w.clock.nowMs()).toBe(w.wallMs);
  });

  it.each([DAY_MS, -DAY_MS])('believes a jump of %i ms once it has stood', (stepMs) => {
    const w = new World();
    w.wallMs += stepMs;
    expect(w.clock.state).toBe('jumped');
    w.pass(LIMITS.standMs);
    expect(w.clock.state).toBe('right');
    expect(w.clock.nowMs()).toBe(w.wallMs);
  });

  it('counts anew when it jumps to yet another time', () => {
    const w = new World();
    w.wallMs += DAY_MS;
    w.pass(LIMITS.standMs - 1_000);
    w.wallMs += DAY_MS;
    w.pass(LIMITS.standMs - 1_000);
    expect(w.clock.state).toBe('jumped');
  });
});

describe('a clock after a start', () => {
  it('is right where the last record is a moment old', () => {
    const w = new World();
    w.clock.startAfter(BEGAN_MS - MINUTE_MS);
    expect(w.clock.state).toBe('right');
  });

  it('is unproven after a rest: it is the time, but nothing is taken for over by it yet', () => {
    const w = new World();
    w.clock.startAfter(BEGAN_MS - DAY_MS);
    expect(w.clock.state).toBe('unproven');
    expect(w.clock.nowMs()).toBe(BEGAN_MS);
    expect(w.clock.leastMs()).toBe(BEGAN_MS - DAY_MS);
    w.pass(LIMITS.standMs);
    expect(w.clock.state).toBe('right');
    expect(w.clock.leastMs()).toBe(w.wallMs);
  });

  it('has jumped where the last record is in its future', () => {
    const w = new World();
    w.clock.startAfter(BEGAN_MS + DAY_MS);
    expect(w.clock.state).toBe('jumped');
    expect(w.clock.nowMs()).toBe(BEGAN_MS + DAY_MS);
    expect(w.clock.leastMs()).toBe(BEGAN_MS);
    w.pass(LIMITS.standMs);
    expect(w.clock.state).toBe('right');
  });

  it('that began in a jump is right at once when that is taken back', () => {
    const w = new World();
    w.wallMs += DAY_MS;
    w.clock.startAfter(BEGAN_MS - MINUTE_MS);
    w.pass(2_000);
    expect(w.clock.leastMs()).toBe(BEGAN_MS - MINUTE_MS + 2_000);
    w.wallMs -= DAY_MS;
    expect(w.clock.state).toBe('right');
  });
});
