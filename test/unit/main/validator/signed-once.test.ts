import { expect, it } from 'vitest';
import { SignedOnce } from '../../../../main/validator/signed-once.ts';

it('signs each record once, and another one anew', () => {
  const signed: string[] = [];
  const key = new SignedOnce({
    sign: (record) => {
      signed.push(Buffer.from(record).toString());
      return Uint8Array.of(signed.length);
    },
  });
  const ask = (text: string) => key.sign(Buffer.from(text));
  expect([ask('a'), ask('a'), ask('b'), ask('a')].map(([first]) => first)).toEqual([1, 1, 2, 1]);
  expect(signed).toEqual(['a', 'b']);
});
