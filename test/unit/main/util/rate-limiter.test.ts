import { describe, expect, it } from 'vitest';
import { KeyedRateLimiter } from '../../../../main/util/rate-limiter.ts';

describe('a pace by name', () => {
  function paced() {
    const clock = { nowMs: 0 };
    return { clock, pace: new KeyedRateLimiter({ perSecond: 2, burst: 3 }, () => clock.nowMs) };
  }

  it('lets a burst pass, and then one at a time as it refills', () => {
    const { clock, pace } = paced();
    const taken = () => pace.take('a').retryAfterMs;
    expect([taken(), taken(), taken(), taken()]).toEqual([0, 0, 0, 500]);
    clock.nowMs += 499;
    expect(taken()).toBeGreaterThan(0);
    clock.nowMs += 1;
    expect([taken(), taken()]).toEqual([0, 500]);
  });

  it('is each one’s own', () => {
    const { pace } = paced();
    for (let i = 0; i < 4; i++) pace.take('a');
    expect(pace.take('b').retryAfterMs).toBe(0);
  });

  it('forgets who has rested, and nobody else', () => {
    const { clock, pace } = paced();
    for (let n = 0; n < 1_024; n++) pace.take(`early ${n}`);
    clock.nowMs += 10_000;
    for (let i = 0; i < 4; i++) pace.take('late');
    expect(pace.size).toBe(1);
    expect(pace.take('late').retryAfterMs).toBe(500);
  });
});
