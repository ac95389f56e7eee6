import { describe, expect, it } from 'vitest';
import { isAddress } from '../../../shared/address.ts';

const ADDRESS = `0x${'0123456789abcdef'.repeat(2)}01234567`;

describe('isAddress', () => {
  it('takes 0x and 40 hex digits in lower case', () => {
    expect(isAddress(ADDRESS)).toBe(true);
  });

  it.each([
    ADDRESS.toUpperCase(),
    ADDRESS.slice(2),
    `${ADDRESS}0`,
    ADDRESS.slice(0, -1),
    `${ADDRESS}\n`,
    null,
  ])('refuses %j', (value) => {
    expect(isAddress(value)).toBe(false);
  });
});
