import { describe, expect, it } from 'vitest';
import { accountMeant, loanWords } from '../../../renderer/format/settlement-words.ts';

describe('what became of a loan', () => {
  it('is open, partly repaid, or repaid', () => {
    expect(loanWords(10, 10)).toContain('nothing has moved');
    expect(loanWords(10, 4)).toContain('6\u00a0MiB of it is repaid, 4\u00a0MiB is still owed');
    expect(loanWords(10, 0)).toContain('repaid since');
  });
});

describe('the account that is meant', () => {
  const [first, second] = [`0x12${'a'.repeat(38)}`, `0x12b${'a'.repeat(37)}`];
  const known = [first, second].map((account) => ({ account }));

  it.each([
    ['', undefined],
    ['  ', undefined],
    ['0x', null],
    ['0x12', null],
    [' 0X12AA ', first],
    ['0x12b', second],
    ['0x13', null],
    [`0x${'f'.repeat(40)}`, `0x${'f'.repeat(40)}`],
  ])('"%s" is %s', (text, account) => {
    expect(accountMeant(text, known)).toBe(account);
  });

  it('is not the only one known by its first characters alone', () => {
    expect(accountMeant('0x1', known.slice(0, 1))).toBeNull();
  });
});
