import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readSettlementName, settlementName } from '../../../../shared/settlement/name.ts';
import { splitAmount, splitUnits, takeUnits } from '../../../../shared/settlement/shares.ts';

const weights = fc.array(fc.nat({ max: 1e9 }), { minLength: 1, maxLength: 12 });

describe('shares', () => {
  it('add up to the whole, none of them negative, nothing for no weight', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 10n ** 20n }), weights, (total, parts) => {
        const shares = splitAmount(total, parts);
        expect(shares.reduce((sum, share) => sum + share, 0n)).toBe(total);
        expect(shares.every((share) => share >= 0n)).toBe(true);
        const weigh = parts.some((part) => part > 0);
        const none = shares.filter((_, i) => parts[i] === 0);
        expect(!weigh || none.every((share) => share === 0n)).toBe(true);
      }),
    );
  });

  it('of nothing known are the first one’s, and of no parts there are none', () => {
    expect(splitUnits(5, [0, 0])).toEqual([5, 0]);
    expect(splitUnits(5, [])).toEqual([]);
  });

  it('are taken in order, each as far as it goes', () => {
    expect(takeUnits(5, [2, 4, 1])).toEqual([2, 3, 0]);
    expect(takeUnits(9, [2, 4, 1])).toEqual([2, 4, 1]);
  });
});

describe('the name of a settlement', () => {
  it('is read back as it is shown anywhere', () => {
    expect(settlementName({ shard: 2, shardSeq: 22 })).toBe('s2-22');
    for (const text of ['s2-22', ' S2-22 ', 's2-22-r', 's2-22-s'])
      expect(readSettlementName(text)).toEqual({ shard: 2, shardSeq: 22 });
    for (const text of ['22', 's2', 's2-', 's2-22-x', '#22', 'op-7'])
      expect(readSettlementName(text)).toBeNull();
  });
});
