import { describe, expect, it } from 'vitest';
import { isAmbiguousDecimal, typedDecimal } from '../../../../shared/typed/number.ts';

describe('typedDecimal', () => {
  it.each([
    ['12', '12', '12'],
    ['1.5', '1.5', '1.5'],
    ['1,5', '1.5', '1.5'],
    ['.5', '0.5', '0.5'],
    [',5', '0.5', '0.5'],
    ['5.', '5', '5'],
    ['1 000', '1000', '1000'],
    ['1\u00a0000', '1000', '1000'],
    ['1\u202f000,25', '1000.25', '1000.25'],
    ["1'000.5", '1000.5', '1000.5'],
    ['12,345.5', '12345.5', '12345.5'],
    ['12 345,5', '12345.5', '12345.5'],
    ['1,234,567', '1234567', '1234567'],
    ['1,234', '1234', '1.234'],
    ['0,125', '0.125', '0.125'],
    ['\u200e12\u2060', '12', '12'],
    ['007', '007', '007'],
  ])('reads %j as %s in English, and %s in Russian', (text, english, russian) => {
    expect(typedDecimal(text, '.')).toBe(english);
    expect(typedDecimal(text, ',')).toBe(russian);
  });

  it.each([
    '',
    '.',
    ',',
    '-1',
    '+1',
    '1e5',
    '1.2.3',
    '1,2,3',
    '1 00',
    '1  000',
    '12 34 567',
    '1,00.5',
    '0x10',
    'a',
  ])('finds no number in %j', (text) => {
    expect(typedDecimal(text, '.')).toBeNull();
    expect(typedDecimal(text, ',')).toBeNull();
  });
});

it.each([
  ['1,234', true],
  ['999,000', true],
  ['0,125', false],
  ['1,23', false],
  ['1,234.5', false],
  ['1,234,567', false],
])('whether %j could be a thousand as well as one: %s', (text, ambiguous) => {
  expect(isAmbiguousDecimal(text)).toBe(ambiguous);
});
