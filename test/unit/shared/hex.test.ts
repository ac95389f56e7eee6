import { describe, expect, it } from 'vitest';
import { fromHex, toHex } from '../../../shared/hex.ts';

describe('hex', () => {
  it('writes lower case without a prefix, and reads it back', () => {
    const bytes = Uint8Array.of(0, 1, 0xab, 0xff);
    expect(toHex(bytes)).toBe('0001abff');
    expect(fromHex('0001abff')).toEqual(bytes);
    expect(fromHex('')).toEqual(new Uint8Array());
  });

  it.each(['abc', '0x00', 'zz', '00 '])('refuses %j, which is no hex', (text) => {
    expect(() => fromHex(text)).toThrow();
  });
});
