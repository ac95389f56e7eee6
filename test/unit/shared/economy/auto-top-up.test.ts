import { describe, expect, it } from 'vitest';
import { type AutoTopUpRule, decideAutoTopUp, worthInXat } from '../../../../shared/economy/auto-top-up.ts';
import { parseAmount } from '../../../../shared/economy/money.ts';
import { ratio } from '../../../../shared/economy/ratio.ts';

const rule: AutoTopUpRule = {
  belowXat: parseAmount('1'),
  depositXat: parseAmount('2'),
  mostPerDayXat: parseAmount('4'),
  mostPerMonthXat: parseAmount('10'),
};
/** 2 XAT buy 1 XAC. */
const HALF = ratio(1, 2);
const funds = (xat: string, xac = '0') => ({ XAT: parseAmount(xat), XAC: parseAmount(xac) });
const past = (day: string, month = day) => ({ dayXat: parseAmount(day), monthXat: parseAmount(month) });
const decide = (services: ReturnType<typeof funds>, main = '50', before = past('0')) =>
  decideAutoTopUp(rule, services, parseAmount(main), HALF, before);

describe('decideAutoTopUp', () => {
  it('waits until services is worth less than the rule says', () => {
    expect(decide(funds('1'))).toBe('enough');
    expect(decide(funds('0.9999999'))).toBe('deposit');
  });

  it('counts XAC at the current rate: it pays before XAT does', () => {
    expect(decide(funds('0', '0.5'))).toBe('enough');
    expect(decide(funds('0', '0.4999999'))).toBe('deposit');
    expect(worthInXat(funds('1', '5'), ratio(0))).toBe(parseAmount('1'));
  });

  it('moves no more in a day and a month than they allow, to the last base unit', () => {
    expect(decide(funds('0'), '50', past('2'))).toBe('deposit');
    expect(decide(funds('0'), '50', past('2.0000001'))).toBe('day-used');
    expect(decide(funds('0'), '50', past('0', '8'))).toBe('deposit');
    expect(decide(funds('0'), '50', past('0', '8.0000001'))).toBe('month-used');
    expect(decide(funds('0'), '50', past('4', '10'))).toBe('month-used');
  });

  it('moves the whole sum or nothing', () => {
    expect(decide(funds('0'), '2')).toBe('deposit');
    expect(decide(funds('0'), '1.9999999')).toBe('main-empty');
  });

  it('says nothing of caps and of what is kept while there is enough', () => {
    expect(decide(funds('3'), '0', past('10'))).toBe('enough');
  });
});
