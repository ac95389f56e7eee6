import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { exp2, log2 } from '../../../../shared/economy/log2.ts';

const ONE = 1n << 64n;

describe('log2', () => {
  it('of a power of two is exact', () => {
    for (const n of [0n, 1n, 2n, 63n, 64n, 160n, 161n, 500n]) {
      expect(log2(1n << n)).toBe(n * ONE);
      expect(exp2(n * ONE)).toBe(1n << n);
    }
  });

  it('of 10 has the digits that it has', () => {
    // log2(10) = 3.32192809488736234787…
    expect((log2(10n) * 10n ** 17n) / ONE).toBe(332_192_809_488_736_234n);
  });

  it('is what exp2 undoes, to 18 digits, and ascends', () => {
    fc.assert(
      fc.property(fc.bigInt(1n, 10n ** 40n), (x) => {
        const back = exp2(log2(x));
        expect(back <= x && x - back <= x / 10n ** 18n + 1n).toBe(true);
        expect(log2(x + 1n) >= log2(x)).toBe(true);
      }),
    );
  });

  it('refuses what has none', () => {
    expect(() => log2(0n)).toThrow(/Invariant/);
    expect(() => exp2(-1n)).toThrow(/Invariant/);
  });
});
