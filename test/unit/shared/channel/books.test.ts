import { describe, expect, it } from 'vitest';
import { type BooksName, compareBooks, type PayerFigures } from '../../../../shared/channel/books.ts';

const MIB = 1_048_576;
const LIMITS = { behindUnits: 8, lostUnits: 16 };
const at10: PayerFigures = { revealedUnits: 10, verifiedBytes: 10 * MIB, lostBytes: 0, unused: false };
const fresh: PayerFigures = { revealedUnits: 0, verifiedBytes: 0, lostBytes: 0, unused: true };

describe('compareBooks', () => {
  it.each<[string, PayerFigures, number, number, BooksName]>([
    ['the same', at10, 10, 10 * MIB, 'agree'],
    ['nothing on either side', fresh, 0, 0, 'agree'],
    ['a tick on the way', at10, 9, 10 * MIB, 'payee-behind'],
    ['a window of ticks on the way', at10, 2, 10 * MIB, 'payee-behind'],
    ['more ticks than a window', at10, 1, 10 * MIB, 'apart'],
    ['a tick that was never revealed', at10, 11, 11 * MIB, 'payee-ahead'],
    ['one byte lost', at10, 10, 10 * MIB + 1, 'lost-bytes'],
    ['bytes and ticks lost', at10, 9, 11 * MIB, 'lost-bytes'],
    ['as much lost as can be', at10, 10, 26 * MIB, 'lost-bytes'],
    ['one byte more', at10, 10, 26 * MIB + 1, 'false'],
    ['what was written off', { ...at10, revealedUnits: 11, lostBytes: MIB }, 11, 11 * MIB, 'agree'],
    ['a byte that the payee forgot', at10, 10, 10 * MIB - 1, 'apart'],
    ['written off, and forgotten by the payee', { ...at10, lostBytes: 5 }, 10, 10 * MIB, 'agree'],
    ['served on an unused channel', fresh, 0, 1, 'false'],
    ['paid on an unused channel', fresh, 1, 0, 'false'],
    ['served on a channel that was used', { ...fresh, unused: false }, 0, MIB, 'lost-bytes'],
  ])('%s', (_what, payer, paidUnits, servedBytes, name) => {
    expect(compareBooks(payer, { paidUnits, servedBytes }, LIMITS).name).toBe(name);
  });
  it('says by how much', () => {
    expect(compareBooks(at10, { paidUnits: 8, servedBytes: 11 * MIB }, LIMITS)).toEqual({
      name: 'lost-bytes',
      behindUnits: 2,
      lostBytes: MIB,
    });
    expect(compareBooks(at10, { paidUnits: 12, servedBytes: 0 }, LIMITS)).toMatchObject({
      behindUnits: 0,
      lostBytes: 0,
    });
  });
});
