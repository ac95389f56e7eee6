/**
 * What the user allows the node: disk, rates, connections, data. 0 stops, `null` is no limit. Rules only: who measures
 * and who waits is in `main/limits`.
 */
import './input-words.ts';
import { z } from 'zod';
import { TRAFFIC_UNIT_BYTES } from './economy/units.ts';
import { formatBytes } from './format-bytes.ts';
import {
  type Direction,
  nextChange,
  rateSchema,
  ruleSchema,
  scheduledRate,
  type WeekMinute,
  weekMinuteText,
} from './schedule.ts';

/** Less would not hold what one player needs ahead of a title that does not fit. */
export const LEAST_CACHE_BYTES = 16 * TRAFFIC_UNIT_BYTES;
export const MOST_BYTES = 2 ** 50;
const MOST_RULES = 100;
/** As many as a host ever takes. */
export const MOST_CONNECTIONS = 300;

const TOO_MUCH = `at most ${formatBytes(MOST_BYTES)}, or none for no limit`;
const dataSchema = z.number().int().min(0).max(MOST_BYTES, TOO_MUCH).nullable();

/** One schema for each setting; the keys are those of the table `settings`. */
export const limitSchemas = {
  /** Of the piece store; what was imported by reference does not count. */
  cacheBytes: z
    .number()
    .int()
    .min(LEAST_CACHE_BYTES, `at least ${formatBytes(LEAST_CACHE_BYTES)}, or none for no limit`)
    .max(MOST_BYTES, TOO_MUCH)
    .nullable(),
  downloadBytesPerSecond: rateSchema,
  uploadBytesPerSecond: rateSchema,
  /** To other nodes; those to validators do not count. */
  maxConnections: z.number().int().min(0).max(MOST_CONNECTIONS, `at most ${MOST_CONNECTIONS}`).nullable(),
  /** Both directions together, content and overhead. A day and a month are those of the computer's clock. */
  dataPerDayBytes: dataSchema,
  dataPerMonthBytes: dataSchema,
  /**
   * What may be served to accounts that have not paid yet, on credit or ahead of payment, and is perhaps never paid: to all
   * of them in a day, and to each. `null` is what the network has by default; 0 serves only who has paid or has funds.
   */
  loansPerDayBytes: dataSchema,
  loansPerAccountBytes: dataSchema,
  schedule: z.array(ruleSchema).max(MOST_RULES),
} as const;

export const limitsSchema = z.object(limitSchemas).strict();
export type Limits = z.infer<typeof limitsSchema>;
export type LimitKey = keyof typeof limitSchemas;
export const LIMIT_KEYS = Object.keys(limitSchemas) as LimitKey[];

export const NO_LIMITS: Limits = {
  cacheBytes: null,
  downloadBytesPerSecond: null,
  uploadBytesPerSecond: null,
  maxConnections: null,
  dataPerDayBytes: null,
  dataPerMonthBytes: null,
  loansPerDayBytes: null,
  loansPerAccountBytes: null,
  schedule: [],
};

/** What was used up to now, both directions and overhead together. */
export interface DataTotals {
  readonly dayBytes: number;
  readonly monthBytes: number;
}

/** Why a direction stands still. Pages translate the reason. */
export interface Stop {
  readonly direction: Direction;
  readonly reason: 'setting' | 'connections' | 'schedule' | 'data-per-day' | 'data-per-month';
  /** As the clock on the wall will show: `18:00`, `Monday 18:00`; `null` when no time ends it. */
  readonly until: string | null;
  readonly message: string;
}

/** Bytes a second that hold now; 0 stops, `null` is no cap. */
export function rateNow(limits: Limits, direction: Direction, at: WeekMinute): number | null {
  const scheduled = scheduledRate(limits.schedule, direction, at);
  return scheduled === undefined ? generalRate(limits, direction) : scheduled;
}

/** Why nothing may go this way now; `null` when it may. `aheadBytes` are on their way already. */
export function stopNow(
  limits: Limits,
  direction: Direction,
  at: WeekMinute,
  used: DataTotals,
  aheadBytes = 0,
): Stop | null {
  const what = direction === 'upload' ? 'Uploading' : 'Downloading';
  if (limits.maxConnections === 0) {
    const message = `${what} is stopped: your settings allow no connection to other nodes`;
    return { direction, reason: 'connections', until: null, message };
  }
  if (rateNow(limits, direction, at) === 0) {
    if (scheduledRate(limits.schedule, direction, at) === undefined) {
      return { direction, reason: 'setting', until: null, message: `${what} is stopped by your settings` };
    }
    const change = nextChange(limits.schedule, direction, at);
    const until = change === null ? null : weekMinuteText(change, at);
    const message = `${what} is stopped${until === null ? '' : ` until ${until}`} by your schedule`;
    return { direction, reason: 'schedule', until, message };
  }
  const { dataPerDayBytes: perDay, dataPerMonthBytes: perMonth } = limits;
  if (perMonth !== null && used.monthBytes + aheadBytes >= perMonth) {
    const message = `${what} is stopped until next month: your settings allow ${formatBytes(perMonth)} a month, and they are used`;
    return { direction, reason: 'data-per-month', until: null, message };
  }
  if (perDay !== null && used.dayBytes + aheadBytes >= perDay) {
    const message = `${what} is stopped until midnight: your settings allow ${formatBytes(perDay)} a day, and they are used`;
    return { direction, reason: 'data-per-day', until: '24:00', message };
  }
  return null;
}

function generalRate(limits: Limits, direction: Direction): number | null {
  return direction === 'upload' ? limits.uploadBytesPerSecond : limits.downloadBytesPerSecond;
}
