/** When a stop ends by itself: for those who wait for it elsewhere, where another clock may hang on the wall. */
import type { Limits, Stop } from '../../shared/limits.ts';
import { nextChange, WEEK_MINUTES } from '../../shared/schedule.ts';
import { dayOf, endOfDay } from '../util/local-day.ts';
import { weekMinuteOf } from './wall-clock.ts';

const MINUTE_MS = 60_000;

/** `null` where no time ends it. */
export function stopEndsAtMs(
  { reason, direction }: Pick<Stop, 'reason' | 'direction'>,
  { schedule }: Pick<Limits, 'schedule'>,
  nowMs: number,
): number | null {
  switch (reason) {
    case 'data-per-day':
    case 'spend-per-day':
      return endOfDay(dayOf(nowMs));
    case 'data-per-month':
    case 'spend-per-month': {
      const now = new Date(nowMs);
      return new Date(now.getFullYear(), now.getMonth() + 1, 1).getTime();
    }
    case 'schedule': {
      const at = weekMinuteOf(nowMs);
      const change = nextChange(schedule, direction, at);
      if (change === null) return null;
      const minutes = (change - at + WEEK_MINUTES) % WEEK_MINUTES || WEEK_MINUTES;
      return (Math.floor(nowMs / MINUTE_MS) + minutes) * MINUTE_MS;
    }
    case 'setting':
    case 'connections':
      return null;
  }
}
