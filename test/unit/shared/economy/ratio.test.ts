import { describe, expect, it } from 'vitest';
import {
  ceilDiv,
  divide,
  formatRatio,
  multiply,
  overDown,
  overUp,
  parseRatio,
  ratio,
  ratioFromDecimal,
  ratioToDecimal,
  timesDown,
  timesUp,
} from '../../../../shared/economy/ratio.ts';
import { expectAceError } from '../../../helpers/ace-error.ts';

describe('ratio', () => {
  it('is kept in lowest terms', () => {
    expect(ratio(6, 4)).toEqual({ num: 3n, den: 2n });
    expect(ratio(0, 5)).toEqual({ num: 0n, den: 1n });
  });

  it.each([
    [1, 0],
    [1, -1],
    [-1, 1],
  ])('refuses %i/%i', (num, den) => {
    expectAceError('InvalidAmount', () => ratio(num, den));
  });

  it('reads a decimal exactly', () => {
    expect(ratioFromDecimal('3.5')).toEqual({ num: 7n, den: 2n });
    expect(ratioFromDecimal('0.01')).toEqual({ num: 1n, den: 100n });
    expect(ratioFromDecimal('100')).toEqual({ num: 100n, den: 1n });
  });

  it.each(['', '.', '.5', '5.', '-1', '1e3', ' 1', '1,5'])('refuses the decimal "%s"', (text) => {
    expectAceError('InvalidAmount', () => ratioFromDecimal(text));
  });

  it('rounds down or up as its name says, and not at all when exact', () => {
    const third = ratio(1, 3);
    expect([timesDown(10n, third), timesUp(10n, third)]).toEqual([3n, 4n]);
    expect([timesDown(9n, third), timesUp(9n, third)]).toEqual([3n, 3n]);
    expect([overDown(10n, ratio(3)), overUp(10n, ratio(3))]).toEqual([3n, 4n]);
    expect([overDown(9n, ratio(3)), overUp(9n, ratio(3))]).toEqual([3n, 3n]);
    expect([ceilDiv(0n, 3n), ceilDiv(1n, 3n), ceilDiv(3n, 3n), ceilDiv(4n, 3n)]).toEqual([0n, 1n, 1n, 2n]);
  });

  it('multiplies and divides exactly', () => {
    expect(multiply(ratio(2, 3), ratio(9, 4))).toEqual(ratio(3, 2));
    expect(divide(ratio(2, 3), ratio(4, 9))).toEqual(ratio(3, 2));
  });

  it('refuses to divide by zero', () => {
    expectAceError('InvalidAmount', () => divide(ratio(1), ratio(0)));
    expectAceError('InvalidAmount', () => overUp(1n, ratio(0)));
  });

  it('shows decimals rounded down', () => {
    expect(ratioToDecimal(ratio(2, 3), 4)).toBe('0.6666');
    expect(ratioToDecimal(ratio(7, 2), 1)).toBe('3.5');
    expect(ratioToDecimal(ratio(7, 2), 0)).toBe('3');
  });

  it('is written exactly in lowest terms, and read back', () => {
    expect(formatRatio({ num: 6n, den: 4n })).toBe('3/2');
    expect(parseRatio('3/2')).toEqual(ratio(3, 2));
  });

  it.each(['6/4', '1/0', '01/2', '-1/2', '1', '', 7, null])('refuses %s as exact text', (text) => {
    expectAceError('InvalidAmount', () => parseRatio(text));
  });
});
