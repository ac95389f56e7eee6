import { describe, expect, it } from 'vitest';
import { amount, formatAmount, MAX_AMOUNT, parseAmount } from '../../../../shared/economy/money.ts';
import { expectAceError } from '../../../helpers/ace-error.ts';

describe('amount', () => {
  it('takes 0 to the largest amount', () => {
    expect(amount(0n)).toBe(0n);
    expect(amount(MAX_AMOUNT)).toBe(9n * 10n ** 18n);
  });

  it.each([-1n, MAX_AMOUNT + 1n])('refuses %i', (baseUnits) => {
    expectAceError('InvalidAmount', () => amount(baseUnits));
  });
});

describe('parseAmount', () => {
  it.each([
    ['0', 0n],
    ['0.0000001', 1n],
    ['0.2', 2_000_000n],
    ['12.3456789', 123_456_789n],
    ['900000000000', MAX_AMOUNT],
    ['007', 70_000_000n],
  ])('reads %s', (text, baseUnits) => {
    expect(parseAmount(text)).toBe(baseUnits);
  });

  it.each([
    '',
    '.',
    '.5',
    '5.',
    '-1',
    '+1',
    '1e3',
    '1,5',
    ' 1',
    '1 ',
    '0x10',
    '٣',
    '0.12345678',
    '900000000000.0000001',
    '1000000000000',
    '9'.repeat(30),
  ])('refuses "%s"', (text) => {
    expectAceError('InvalidAmount', () => parseAmount(text));
  });
});

describe('parseAmount of too much', () => {
  it.each([
    '900000000000.0000001',
    '900000000001',
    '1000000000000',
    '99999999999999999999',
    '9'.repeat(100_000),
  ])('says that it is too large', (text) => {
    const { message } = expectAceError('InvalidAmount', () => parseAmount(text));
    expect(message).toContain('is too large');
    expect(message.length).toBeLessThan(120);
  });
});

describe('formatAmount', () => {
  it.each([
    [0n, '0.0000000'],
    [1n, '0.0000001'],
    [2_857_143n, '0.2857143'],
    [MAX_AMOUNT, '900000000000.0000000'],
    [-1n, '-0.0000001'],
  ])('writes %i with all 7 decimals', (baseUnits, text) => {
    expect(formatAmount(baseUnits)).toBe(text);
  });

  it('is read back as the same amount', () => {
    for (const baseUnits of [0n, 1n, 9_999_999n, 10_000_000n, MAX_AMOUNT]) {
      expect(parseAmount(formatAmount(baseUnits))).toBe(baseUnits);
    }
  });
});
