import { describe, expect, it } from 'vitest';
import {
  nextChange,
  rateSchema,
  ruleSchema,
  type ScheduleRule,
  scheduledRate,
  weekMinuteText,
} from '../../../shared/schedule.ts';

const MONDAY = 0;
const SUNDAY = 6 * 1_440;
const at = (day: number, hour: number, minute = 0) => day + hour * 60 + minute;
const work: ScheduleRule = { days: ['mon', 'tue'], from: '08:00', to: '18:00', uploadBytesPerSecond: 0 };
const night: ScheduleRule = { days: ['sun'], from: '22:00', to: '06:00', uploadBytesPerSecond: null };

describe('scheduledRate', () => {
  it('holds from its first minute to before its last', () => {
    expect(scheduledRate([work], 'upload', at(MONDAY, 7, 59))).toBeUndefined();
    expect(scheduledRate([work], 'upload', at(MONDAY, 8))).toBe(0);
    expect(scheduledRate([work], 'upload', at(MONDAY, 17, 59))).toBe(0);
    expect(scheduledRate([work], 'upload', at(MONDAY, 18))).toBeUndefined();
  });

  it('says nothing of the other direction, nor of other days', () => {
    expect(scheduledRate([work], 'download', at(MONDAY, 9))).toBeUndefined();
    expect(scheduledRate([work], 'upload', at(SUNDAY, 9))).toBeUndefined();
  });

  it('goes on after midnight, from Sunday to Monday too', () => {
    expect(scheduledRate([night], 'upload', at(SUNDAY, 22))).toBeNull();
    expect(scheduledRate([night], 'upload', at(MONDAY, 5, 59))).toBeNull();
    expect(scheduledRate([night], 'upload', at(MONDAY, 6))).toBeUndefined();
  });

  it('takes the last of several rules', () => {
    const noon: ScheduleRule = { days: ['mon'], from: '12:00', to: '13:00', uploadBytesPerSecond: 65_536 };
    expect(scheduledRate([work, noon], 'upload', at(MONDAY, 12, 30))).toBe(65_536);
    expect(scheduledRate([noon, work], 'upload', at(MONDAY, 12, 30))).toBe(0);
  });
});

describe('nextChange', () => {
  it('is when another rate holds, in the same week or the next', () => {
    expect(nextChange([work], 'upload', at(MONDAY, 9))).toBe(at(MONDAY, 18));
    expect(nextChange([work], 'upload', at(SUNDAY, 9))).toBe(at(MONDAY, 8));
  });

  it('passes over the border of two rules that say the same', () => {
    const evening: ScheduleRule = { ...work, from: '18:00', to: '20:00' };
    expect(nextChange([work, evening], 'upload', at(MONDAY, 9))).toBe(at(MONDAY, 20));
  });

  it('never comes without rules', () => {
    expect(nextChange([], 'upload', 0)).toBeNull();
  });
});

it('names the time alone for today, and the weekday otherwise', () => {
  expect(weekMinuteText(at(MONDAY, 18), at(MONDAY, 9))).toBe('18:00');
  expect(weekMinuteText(at(MONDAY, 8, 5), at(SUNDAY, 9))).toBe('Monday 08:05');
  expect(weekMinuteText(at(MONDAY, 8), at(MONDAY, 9))).toBe('Monday 08:00');
});

it.each([
  ['ends when it begins', { ...work, to: '08:00' }],
  ['is of no day', { ...work, days: [] }],
  ['has a time that is none', { ...work, from: '25:00' }],
  ['says nothing', { days: ['mon'], from: '08:00', to: '09:00' }],
  ['has a rate that no piece survives', { ...work, uploadBytesPerSecond: 32_767 }],
])('refuses a rule that %s', (_what, rule) => {
  expect(ruleSchema.safeParse(rule).success).toBe(false);
});

it('takes 0, nothing, and what a piece survives', () => {
  for (const rate of [0, null, 32_768]) expect(rateSchema.safeParse(rate).success).toBe(true);
  for (const rate of [1, 32_767, -1, 0.5]) expect(rateSchema.safeParse(rate).success).toBe(false);
});
