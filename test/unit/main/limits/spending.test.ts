import { describe, expect, it, onTestFinished } from 'vitest';
import { NO_DAY_SUMS } from '../../../../main/db/node/settlement-days.ts';
import { openNodeStore } from '../../../../main/db/node/store.ts';
import { Spending } from '../../../../main/limits/spending.ts';
import { UserLimits } from '../../../../main/limits/user-limits.ts';
import { Meter } from '../../../../main/p2p/meter.ts';
import { createLog } from '../../../../main/process/log.ts';
import { dayOf } from '../../../../main/util/local-day.ts';
import { parseAmount } from '../../../../shared/economy/money.ts';
import { ratio } from '../../../../shared/economy/ratio.ts';
import { limitsSchema } from '../../../../shared/limits.ts';
import { expectAceError } from '../../../helpers/ace-error.ts';
import { tempDir } from '../../../helpers/temp-dir.ts';

const NOON_MS = new Date(2026, 10, 20, 12, 0).getTime();
const DAY_MS = 86_400_000;
const MIB = 2 ** 20;
const ME = `0x${'1'.repeat(40)}`;
/** 0.0001 XAC a MiB; 1 XAS is 0.5 XAC. */
const PRICE = { unitPriceXac: ratio(1_000n), xacPerXas: ratio(1, 2) };

function world() {
  const store = openNodeStore(`${tempDir()}/node.db`);
  onTestFinished(() => store.close());
  let nowMs = NOON_MS;
  const owed = { units: 0 };
  const spending = new Spending({
    ...{ store, account: ME, nowMs: () => nowMs, price: () => PRICE, owedUnits: () => owed.units },
  });
  const meter = new Meter(() => nowMs);
  const limits = new UserLimits({ store, meter, spending, nowMs: () => nowMs, log: createLog(null) });
  onTestFinished(() => limits.close());
  let seq = 0;
  const settled = (atMs: number, xac: string, xas = '0', direction: 'paid' | 'earned' = 'paid') =>
    store.settlementDays.add(++seq, [
      {
        ...NO_DAY_SUMS,
        ...{ day: dayOf(atMs), direction, counterparty: ME, contentId: '', kinds: 1, count: 1n },
        grossXac: parseAmount(xac),
        xasPaid: parseAmount(xas),
      },
    ]);
  return {
    owed,
    spending,
    limits,
    settled,
    at: (ms: number) => {
      nowMs = ms;
    },
  };
}

describe('Spending', () => {
  it('counts what this account paid today and this month, XAS at its rate, and not what it earned', () => {
    const { spending, settled } = world();
    settled(NOON_MS, '0.1', '0.2');
    settled(NOON_MS - DAY_MS, '1');
    settled(NOON_MS - 20 * DAY_MS, '5');
    settled(NOON_MS, '7', '0', 'earned');
    expect(spending.spent()).toEqual({
      dayXac: parseAmount('0.2'),
      monthXac: parseAmount('1.2'),
      onItsWayXac: 0n,
    });
  });

  it('gets no second day from a clock that is set back', () => {
    const { spending, settled, at } = world();
    settled(NOON_MS, '0.1');
    at(NOON_MS - DAY_MS);
    expect(spending.spent().dayXac).toBe(parseAmount('0.1'));
  });
});

describe('a spending limit', () => {
  it('stops downloads where the next MiB would be above it, and uploads never', () => {
    const { limits, settled } = world();
    settled(NOON_MS, '0.0998');
    limits.set({ spendPerDayXac: '0.1' });
    expect(limits.stop('download')).toBeNull();
    // Two MiB cost what is left; the first byte of a third is too much.
    expect(limits.stop('download', 2 * MIB - 1)).toBeNull();
    expect(limits.stop('download', 2 * MIB)).toMatchObject({ reason: 'spend-per-day', until: '24:00' });
    expect(limits.stop('upload', 2 * MIB)).toBeNull();
  });

  // 10,240 MiB were taken on credit under a limit of 2, and the next top-up paid them all in one day.
  it('holds back what is taken on credit: it is paid by the next funds', () => {
    const { limits, owed, settled } = world();
    limits.set({ spendPerDayXac: '0.0003' });
    owed.units = 2;
    expect(limits.stop('download', MIB - 1)).toBeNull();
    expect(limits.stop('download', MIB)?.reason).toBe('spend-per-day');
    owed.units = 3;
    expect(limits.stop('download')?.reason).toBe('spend-per-day');
    // Repaid, it counts once, on the day when it is.
    owed.units = 0;
    settled(NOON_MS, '0.0002');
    expect(limits.stop('download', MIB - 1)).toBeNull();
    expect(limits.stop('download', MIB)?.reason).toBe('spend-per-day');
  });

  it('refuses what is bought at once and would be above it', () => {
    const { limits, settled } = world();
    settled(NOON_MS, '1');
    expect(() => limits.checkSpending(parseAmount('100'))).not.toThrow();
    limits.set({ spendPerMonthXac: '3' });
    expect(() => limits.checkSpending(parseAmount('2'))).not.toThrow();
    expectAceError('TrafficStopped', () => limits.checkSpending(parseAmount('2.0000001')));
  });

  // It was stored, stopped the node a second later, and let it never start again.
  it('of more than there is, is no limit that is taken', () => {
    const { limits } = world();
    for (const text of ['900000000000.0000001', '999999999999'])
      expect(limitsSchema.partial().safeParse({ spendPerDayXac: text }).success).toBe(false);
    expect(limitsSchema.partial().safeParse({ spendPerMonthXac: '900000000000' }).success).toBe(true);
    const rule = { belowXat: '1', depositXat: '1', mostPerDayXat: '1', mostPerMonthXat: '999999999999' };
    expect(limitsSchema.partial().safeParse({ autoTopUp: rule }).success).toBe(false);
    expect(limits.stops()).toEqual([]);
  });

  it('ends by itself with the day, or with the month', () => {
    const { limits, settled, at } = world();
    settled(NOON_MS, '0.1');
    limits.set({ spendPerDayXac: '0.1' });
    expect(limits.stops().map(({ reason }) => reason)).toEqual(['spend-per-day']);
    expect(limits.stoppedForMs('download')).toBe(DAY_MS / 2);
    at(NOON_MS + DAY_MS);
    expect(limits.stops()).toEqual([]);
    limits.set({ spendPerMonthXac: '0.1' });
    expect(limits.stop('download')).toMatchObject({ reason: 'spend-per-month', until: null });
    expect(limits.stop('download')?.message).toContain('0.1 XAC a month');
    at(new Date(2026, 11, 1).getTime());
    expect(limits.stops()).toEqual([]);
  });
});
