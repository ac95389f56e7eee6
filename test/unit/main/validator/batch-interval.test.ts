import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FULL_BATCH_CLAIMS, nextLookMs } from '../../../../main/validator/batch-interval.ts';

const load = (fields: Partial<Parameters<typeof nextLookMs>[0]> = {}) =>
  nextLookMs({ intervalMs: 1_000, waitingClaims: 0, lastTookMs: 0, idleLooks: 0, ...fields });

describe('the time until a shard looks again', () => {
  it('is the interval of the network with some work', () => {
    expect(load()).toBe(1_000);
    expect(load({ waitingClaims: 1 })).toBe(1_000);
  });

  it('doubles with each look that found nothing, up to eight intervals', () => {
    expect([0, 1, 2, 3, 4, 50].map((idleLooks) => load({ idleLooks }))).toEqual([
      1_000, 2_000, 4_000, 8_000, 8_000, 8_000,
    ]);
  });

  it('is no longer than the interval while claims wait, however quiet it was', () => {
    expect(load({ waitingClaims: 1, idleLooks: 50 })).toBe(1_000);
  });

  it('falls with what waits, to an eighth of the interval', () => {
    expect(load({ waitingClaims: FULL_BATCH_CLAIMS / 2 })).toBe(500);
    expect(load({ waitingClaims: FULL_BATCH_CLAIMS })).toBe(125);
    expect(load({ waitingClaims: FULL_BATCH_CLAIMS * 100 })).toBe(125);
  });

  it('leaves leases and claims as much time as the last batches took', () => {
    expect(load({ waitingClaims: FULL_BATCH_CLAIMS, lastTookMs: 700 })).toBe(700);
    expect(load({ waitingClaims: FULL_BATCH_CLAIMS, lastTookMs: 60_000 })).toBe(8_000);
  });

  it('is at least a millisecond, at most eight intervals, and no longer for more work', () => {
    const natural = fc.integer({ min: 0, max: 1_000_000 });
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 10_000_000 }),
        natural,
        natural,
        natural,
        (intervalMs, a, b, lastTookMs) => {
          const [less, more] = [Math.min(a, b), Math.max(a, b)];
          const of = (waitingClaims: number) =>
            nextLookMs({ intervalMs, waitingClaims, lastTookMs, idleLooks: a });
          expect(of(more)).toBeLessThanOrEqual(of(less));
          expect(of(more)).toBeGreaterThanOrEqual(1);
          expect(of(less)).toBeLessThanOrEqual(intervalMs * 8);
        },
      ),
    );
  });
});
