import { describe, expect, it } from 'vitest';
import { significantDecimal } from '../../../../main/cli/chain-info.ts';
import { ratio } from '../../../../shared/economy/ratio.ts';

describe('a rate as people read it', () => {
  it.each([
    ['0', ratio(0)],
    ['1', ratio(1)],
    ['3.5', ratio(7, 2)],
    ['0.33333333', ratio(1, 3)],
    ['0.66666666', ratio(2, 3)],
    ['0.1', ratio(1, 10)],
    ['0.00000000033333333', ratio(1, 3_000_000_000n)],
    ['0.000001', ratio(1, 1_000_000)],
    ['1000000', ratio(1_000_000)],
    ['1234567.1', ratio(12_345_671, 10)],
    ['123456789012', ratio(123_456_789_012n)],
    ['33333333333', ratio(100_000_000_000n, 3)],
    ['99.999999', ratio(99_999_999_999n, 1_000_000_000n)],
  ])('is %s', (text, value) => {
    expect(significantDecimal(value)).toBe(text);
  });
});
