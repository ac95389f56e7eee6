import { describe, expect, it } from 'vitest';
import { stopEndsAtMs } from '../../../../main/limits/stop-end.ts';
import type { Stop } from '../../../../shared/limits.ts';
import { type ScheduleRule, WEEKDAYS } from '../../../../shared/schedule.ts';

/** A Monday, by the computer's own clock. */
const at = (day: number, hour: number, minute = 0, second = 0) =>
  new Date(2026, 10, day, hour, minute, second).getTime();
const ends = (reason: Stop['reason'], nowMs: number, schedule: ScheduleRule[] = []) =>
  stopEndsAtMs({ reason, direction: 'upload' }, { schedule }, nowMs);
const rule = (from: string, to: string, days: ScheduleRule['days']): ScheduleRule => ({
  ...{ days, from, to, uploadBytesPerSecond: 0 },
});

describe('a stop ends', () => {
  it('with the day or the month whose data is used up', () => {
    expect(ends('data-per-day', at(23, 22, 15, 30))).toBe(at(24, 0));
    expect(ends('data-per-day', at(24, 0))).toBe(at(25, 0));
    expect(ends('data-per-month', at(23, 22))).toBe(new Date(2026, 11, 1).getTime());
    expect(ends('data-per-month', new Date(2026, 11, 31, 23).getTime())).toBe(new Date(2027, 0, 1).getTime());
  });

  it('with the rule of the schedule, to the minute, also in the next week', () => {
    expect(ends('schedule', at(23, 8, 59, 30), [rule('08:00', '18:00', ['mon'])])).toBe(at(23, 18));
    const untilMonday = [rule('00:00', '24:00', ['tue', 'wed', 'thu', 'fri', 'sat', 'sun'])];
    expect(ends('schedule', at(28, 10), untilMonday)).toBe(at(30, 0));
  });

  it('never by itself where the user has stopped it, or the schedule never changes', () => {
    expect(ends('setting', at(23, 8))).toBeNull();
    expect(ends('connections', at(23, 8))).toBeNull();
    expect(ends('schedule', at(23, 8), [rule('00:00', '24:00', [...WEEKDAYS])])).toBeNull();
  });
});
