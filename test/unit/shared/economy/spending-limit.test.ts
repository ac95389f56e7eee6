import { describe, expect, it } from 'vitest';
import { spendingStop, spendingWarning } from '../../../../shared/economy/spending-limit.ts';

const limits = { perDayXac: 100n, perMonthXac: 1_000n };
const spent = (dayXac: bigint, monthXac = dayXac, onItsWayXac = 0n) => ({ dayXac, monthXac, onItsWayXac });

describe('spendingStop', () => {
  it('lets be spent what the day allows, and not a base unit more', () => {
    expect(spendingStop(limits, spent(90n), 10n)).toBeNull();
    expect(spendingStop(limits, spent(90n), 11n)).toBe('day');
  });

  it('counts what is on its way for the day and for the month', () => {
    expect(spendingStop(limits, spent(80n, 80n, 10n), 10n)).toBeNull();
    expect(spendingStop(limits, spent(80n, 80n, 11n), 10n)).toBe('day');
    expect(spendingStop(limits, spent(0n, 980n, 10n), 11n)).toBe('month');
  });

  it('names the month where both are used, as that lasts longer', () => {
    expect(spendingStop(limits, spent(100n, 1_000n), 1n)).toBe('month');
  });

  it('lets nothing be spent with a limit of 0, and everything without one', () => {
    expect(spendingStop({ perDayXac: 0n, perMonthXac: null }, spent(0n), 1n)).toBe('day');
    expect(spendingStop({ perDayXac: null, perMonthXac: null }, spent(10n ** 18n), 1n)).toBeNull();
  });
});

describe('spendingWarning', () => {
  it('comes at 80 %', () => {
    expect(spendingWarning(limits, spent(79n))).toBeNull();
    expect(spendingWarning(limits, spent(80n))).toEqual({ period: 'day', spentXac: 80n, limitXac: 100n });
    expect(spendingWarning(limits, spent(70n, 70n, 10n))).toMatchObject({ spentXac: 80n });
  });

  it('is of the limit that is nearest to its end', () => {
    expect(spendingWarning(limits, spent(80n, 900n))).toMatchObject({ period: 'month' });
    expect(spendingWarning(limits, spent(95n, 900n))).toMatchObject({ period: 'day' });
  });

  it('is none without a limit, and none before anything is spent', () => {
    expect(spendingWarning({ perDayXac: null, perMonthXac: null }, spent(80n))).toBeNull();
    expect(spendingWarning({ perDayXac: 0n, perMonthXac: null }, spent(0n))).toBeNull();
  });
});
