import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { genesisTotals, type TrafficTotals } from '../../../../shared/economy/price.ts';
import { boundedGrowth } from '../../../../shared/economy/rate-bounds.ts';
import { ratio } from '../../../../shared/economy/ratio.ts';

const launch = genesisTotals(ratio(7, 2), 10_000);
const grown = (a: TrafficTotals, b: TrafficTotals): TrafficTotals => ({
  videoUnits: a.videoUnits + b.videoUnits,
  watchMs: a.watchMs + b.watchMs,
});
/** a's rate ÷ b's rate in millionths, rounded down. */
const ppm = (a: TrafficTotals, b: TrafficTotals) =>
  Number((a.videoUnits * b.watchMs * 1_000_000n) / (a.watchMs * b.videoUnits));

describe('how fast the rate moves', () => {
  it('takes up whole what leaves it where it is', () => {
    const watched = { videoUnits: 3_584n * 1_000n, watchMs: 3_600_000n * 1_000n };
    expect(boundedGrowth(launch, watched, [launch])).toEqual(watched);
    expect(boundedGrowth(launch, { videoUnits: 0n, watchMs: 0n }, [launch])).toEqual({
      videoUnits: 0n,
      watchMs: 0n,
    });
  });

  it('is half a percent in a batch, in both directions', () => {
    const up = grown(
      launch,
      boundedGrowth(launch, { videoUnits: 10n ** 9n, watchMs: 64n * 10n ** 9n }, [launch]),
    );
    const down = grown(launch, boundedGrowth(launch, { videoUnits: 1n, watchMs: 10n ** 12n }, [launch]));
    expect([ppm(up, launch), ppm(down, launch)]).toEqual([1_004_999, 995_000]);
  });

  it('is two percent in a day, however many batches', () => {
    let totals = launch;
    for (let batch = 0; batch < 20; batch++) {
      totals = grown(
        totals,
        boundedGrowth(totals, { videoUnits: 10n ** 9n, watchMs: 64n * 10n ** 9n }, [launch]),
      );
    }
    expect(ppm(totals, launch)).toBe(1_019_999);
  });

  it('never leaves its bounds, and never takes up more than was reported', () => {
    // Of less, one unit is more than half a percent.
    const total = fc.bigInt({ min: 2n ** 20n, max: 2n ** 50n });
    const part = fc.bigInt({ min: 0n, max: 2n ** 50n });
    const some = fc.record({ videoUnits: part, watchMs: part });
    fc.assert(
      fc.property(fc.record({ videoUnits: total, watchMs: total }), some, some, (start, first, second) => {
        let totals = start;
        for (const watched of [first, second]) {
          // An hour begins before each.
          const taken = boundedGrowth(totals, watched, [start, totals]);
          expect(taken.videoUnits >= 0n && taken.videoUnits <= watched.videoUnits).toBe(true);
          expect(taken.watchMs >= 0n && taken.watchMs <= watched.watchMs).toBe(true);
          const next = grown(totals, taken);
          for (const [from, part] of [
            [totals, 200n],
            [start, 50n],
          ] as const) {
            const [now, before] = [next.videoUnits * from.watchMs, next.watchMs * from.videoUnits];
            expect(now * part <= before * (part + 1n)).toBe(true);
            expect(now * part >= before * (part - 1n)).toBe(true);
          }
          totals = next;
        }
      }),
    );
  });
});
