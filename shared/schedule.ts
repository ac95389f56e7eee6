/**
 * A weekly schedule of rates. It is read off the clock on the wall: what holds is asked for the weekday and minute that
 * the clock shows, and never worked out ahead. So when the clock is put forward a rule that begins in the hour that is
 * left out holds from the hour after it, and when the clock is put back the hour that comes twice has its rule twice.
 */
import { z } from 'zod';
import { because } from './input-words.ts';

export const WEEKDAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;
export type Weekday = (typeof WEEKDAYS)[number];
const DAY_NAMES = ['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday'] as const;

export type Direction = 'download' | 'upload';

/** Slower than that, every MiB would run into the time limit of the request for it. */
export const LEAST_RATE_BYTES = 32_768;
export const MOST_RATE_BYTES = 2 ** 40;

/** Bytes a second; 0 stops, `null` is no cap. */
export const rateSchema = z
  .number()
  .int()
  .min(0)
  .max(MOST_RATE_BYTES)
  .refine(
    (rate) => rate === 0 || rate >= LEAST_RATE_BYTES,
    because('rate-least', 'must be 0, or at least 32 KiB/s (32768)'),
  )
  .nullable();

const timeSchema = z
  .string()
  .refine(
    (text) => /^(?:[01]\d|2[0-3]):[0-5]\d$|^24:00$/.test(text),
    because('time', 'not a time, write for example 08:30'),
  );

export const ruleSchema = z
  .object({
    days: z.array(z.enum(WEEKDAYS)).min(1).max(7),
    /** From this minute on, until before that one; an end that is not later is on the next day. */
    from: timeSchema,
    to: timeSchema,
    /** Left out: what holds otherwise. */
    downloadBytesPerSecond: rateSchema.optional(),
    uploadBytesPerSecond: rateSchema.optional(),
  })
  .strict()
  .refine(
    ({ from, to }) => from !== to && from !== '24:00',
    because('rule-times', 'must begin and end at different times'),
  )
  .refine(
    (rule) => rule.downloadBytesPerSecond !== undefined || rule.uploadBytesPerSecond !== undefined,
    because('rule-empty', 'must say something of download or upload'),
  );

export type ScheduleRule = z.infer<typeof ruleSchema>;

/** Minutes since Monday 00:00 that a clock on the wall shows, 0 to 10,079. */
export type WeekMinute = number;

const DAY_MINUTES = 1_440;
export const WEEK_MINUTES = 7 * DAY_MINUTES;

/** The rate that the schedule gives now; `undefined` when it says nothing. Of several rules the last one counts. */
export function scheduledRate(
  rules: readonly ScheduleRule[],
  direction: Direction,
  at: WeekMinute,
): number | null | undefined {
  return rules.findLast((rule) => rateOf(rule, direction) !== undefined && covers(rule, at))?.[
    FIELD_OF[direction]
  ];
}

/** When the schedule next gives another rate; `null` when it never does. */
export function nextChange(
  rules: readonly ScheduleRule[],
  direction: Direction,
  at: WeekMinute,
): WeekMinute | null {
  const now = scheduledRate(rules, direction, at);
  const edges = rules.flatMap((rule) =>
    rule.days.flatMap((day) => {
      const { start, end } = spanOf(rule, day);
      return [start % WEEK_MINUTES, end % WEEK_MINUTES];
    }),
  );
  const ahead = (edge: WeekMinute) => (edge - at + WEEK_MINUTES) % WEEK_MINUTES || WEEK_MINUTES;
  const changes = edges.filter((edge) => scheduledRate(rules, direction, edge) !== now);
  return changes.toSorted((a, b) => ahead(a) - ahead(b))[0] ?? null;
}

/** `18:00`; with the weekday when that is not today. */
export function weekMinuteText(minute: WeekMinute, today: WeekMinute): string {
  const day = Math.floor(minute / DAY_MINUTES);
  const ofDay = minute % DAY_MINUTES;
  const time = `${String(Math.floor(ofDay / 60)).padStart(2, '0')}:${String(ofDay % 60).padStart(2, '0')}`;
  const isToday = day === Math.floor(today / DAY_MINUTES) && minute > today;
  return isToday ? time : `${DAY_NAMES[day]} ${time}`;
}

const FIELD_OF = { download: 'downloadBytesPerSecond', upload: 'uploadBytesPerSecond' } as const;

function rateOf(rule: ScheduleRule, direction: Direction): number | null | undefined {
  return rule[FIELD_OF[direction]];
}

function covers(rule: ScheduleRule, at: WeekMinute): boolean {
  return rule.days.some((day) => {
    const { start, end } = spanOf(rule, day);
    // A span that begins on Sunday may end on Monday.
    return (at >= start && at < end) || (at + WEEK_MINUTES >= start && at + WEEK_MINUTES < end);
  });
}

function spanOf({ from, to }: ScheduleRule, day: Weekday): { start: number; end: number } {
  const midnight = WEEKDAYS.indexOf(day) * DAY_MINUTES;
  const start = midnight + minuteOf(from);
  const end = midnight + minuteOf(to);
  return { start, end: end > start ? end : end + DAY_MINUTES };
}

function minuteOf(time: string): number {
  return Number(time.slice(0, 2)) * 60 + Number(time.slice(3));
}
