/** Rules of the weekly schedule, in words. */

import { m } from '../../shared/i18n/compiled/messages.js';
import type { Stop } from '../../shared/limits.ts';
import { type ScheduleRule, WEEKDAYS, type Weekday } from '../../shared/schedule.ts';
import { inLocale } from './locale.ts';
import { rateText } from './traffic.ts';

const shortDay = inLocale((tag) => new Intl.DateTimeFormat(tag, { weekday: 'short', timeZone: 'UTC' }));
const longDay = inLocale((tag) => new Intl.DateTimeFormat(tag, { weekday: 'long', timeZone: 'UTC' }));
/** A Monday. */
const MONDAY_MS = Date.UTC(2024, 0, 1);
const DAY_MS = 86_400_000;

export function dayName(day: Weekday, long = false): string {
  const atMs = MONDAY_MS + WEEKDAYS.indexOf(day) * DAY_MS;
  return (long ? longDay() : shortDay()).format(atMs);
}

/** "Mon–Fri", "Sat, Sun", "Every day" */
export function daysText(days: readonly Weekday[]): string {
  if (days.length === WEEKDAYS.length) return m.settings_schedule_every_day();
  const indexes = WEEKDAYS.flatMap((day, index) => (days.includes(day) ? [index] : []));
  const runs: number[][] = [];
  for (const index of indexes) {
    const run = runs.at(-1);
    if (run && run.at(-1) === index - 1) run.push(index);
    else runs.push([index]);
  }
  const name = (index: number | undefined) => dayName(WEEKDAYS[index ?? 0] ?? 'mon');
  return runs
    .flatMap((run) => (run.length > 2 ? [`${name(run[0])}–${name(run.at(-1))}`] : run.map(name)))
    .join(', ');
}

/** "Mon–Fri, 08:00 to 18:00" */
export function whenText({ days, from, to }: ScheduleRule): string {
  return m.settings_schedule_row({ days: daysText(days), from, to });
}

/** "download at most 1 MiB/s, upload stopped" */
export function effectText(rule: ScheduleRule): string {
  const { downloadBytesPerSecond: down, uploadBytesPerSecond: up } = rule;
  return [
    down === undefined ? [] : [m.settings_schedule_download({ rate: limitText(down) })],
    up === undefined ? [] : [m.settings_schedule_upload({ rate: limitText(up) })],
  ]
    .flat()
    .join(', ');
}

/** Why a direction stands still. */
export function stopText({ direction, reason, until }: Stop): string {
  const what = direction === 'upload' ? m.settings_uploading() : m.settings_downloading();
  switch (reason) {
    case 'setting':
      return m.settings_stop_setting({ what });
    case 'connections':
      return m.settings_stop_connections({ what });
    case 'schedule':
      return until === null
        ? m.settings_stop_schedule({ what })
        : m.settings_stop_schedule_until({ what, time: untilText(until) });
    case 'data-per-day':
      return m.settings_stop_day({ what });
    case 'data-per-month':
      return m.settings_stop_month({ what });
    case 'spend-per-day':
      return m.settings_stop_spend_day();
    case 'spend-per-month':
      return m.settings_stop_spend_month();
  }
}

function limitText(rate: number | null): string {
  if (rate === null) return m.settings_rate_free();
  return rate === 0 ? m.settings_rate_stopped() : m.settings_rate_most({ rate: rateText(rate) });
}

/** `18:00` as it is, `Monday 18:00` with the day in the language of the pages. */
export function untilText(until: string): string {
  const [day = '', time] = until.split(' ');
  const index = WEEKDAYS.findIndex((name) => day.toLowerCase().startsWith(name));
  const weekday = WEEKDAYS[index];
  return time === undefined || weekday === undefined ? until : `${dayName(weekday, true)} ${time}`;
}
