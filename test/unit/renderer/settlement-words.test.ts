import { describe, expect, it } from 'vitest';
import { loanWords } from '../../../renderer/format/settlement-words.ts';

describe('what became of a loan', () => {
  it('is open, partly repaid, or repaid', () => {
    expect(loanWords(10, 10)).toContain('nothing has moved');
    expect(loanWords(10, 4)).toContain('6 MiB of it are repaid, 4 MiB still owed');
    expect(loanWords(10, 0)).toContain('repaid since');
  });
});
