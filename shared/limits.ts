/**
 * What the user allows the node: disk, rates, connections, data. 0 stops, `null` is no limit. Rules only: who measures
 * and who waits is in `main/limits`.
 */
import { z } from 'zod';
import type { AutoTopUpRule } from './economy/auto-top-up.ts';
import { parseAmount } from './economy/money.ts';
import type { SpendingLimits, SpendingPeriod } from './economy/spending-limit.ts';
import { TRAFFIC_UNIT_BYTES } from './economy/units.ts';
import { formatBytes } from './format-bytes.ts';
import { because } from './input-words.ts';
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

/** An amount as decimal text, of no more than there can be: what is stored is read again by every look at the limits. */
const amountSchema = z
  .string()
  .refine((text) => read(text) !== null, because('amount', 'not an amount, write for example 0.25'));

const autoTopUpSchema = z
  .object({
    belowXat: amountSchema,
    depositXat: amountSchema,
    mostPerDayXat: amountSchema,
    mostPerMonthXat: amountSchema,
  })
  .strict()
  .refine(
    ({ belowXat, depositXat }) => isMore(belowXat) && isMore(depositXat),
    because('amount', 'the amounts are more than 0'),
  )
  .refine(
    ({ depositXat, mostPerDayXat, mostPerMonthXat }) =>
      [mostPerDayXat, mostPerMonthXat].every((most) => !isMore(depositXat, most)),
    because('top-up-most', 'a day and a month allow at least one top-up'),
  );

/** Text that is no amount is refused by its own name. */
function isMore(text: string, than = '0'): boolean {
  const [amount, other] = [read(text), read(than)];
  return amount !== null && other !== null && amount > other;
}

function read(text: string): bigint | null {
  if (!/^\d{1,12}(\.\d{1,7})?$/.test(text)) return null;
  try {
    return parseAmount(text);
  } catch {
    return null; // more than there is
  }
}

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
  /** What services may pay in a day and in a month of the computer's clock, XAC as decimal text; "0" pays nothing. */
  spendPerDayXac: amountSchema.nullable(),
  spendPerMonthXac: amountSchema.nullable(),
  /** Deposits that the node makes by itself; `null`: none. */
  autoTopUp: autoTopUpSchema.nullable(),
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
  spendPerDayXac: null,
  spendPerMonthXac: null,
  autoTopUp: null,
};

export function spendingLimits({
  spendPerDayXac,
  spendPerMonthXac,
}: Pick<Limits, 'spendPerDayXac' | 'spendPerMonthXac'>): SpendingLimits {
  const most = (text: string | null) => (text === null ? null : parseAmount(text));
  return { perDayXac: most(spendPerDayXac), perMonthXac: most(spendPerMonthXac) };
}

/** `null` while it is off. */
export function autoTopUpRule({ autoTopUp }: Pick<Limits, 'autoTopUp'>): AutoTopUpRule | null {
  if (autoTopUp === null) return null;
  const { belowXat, depositXat, mostPerDayXat, mostPerMonthXat } = autoTopUp;
  return {
    belowXat: parseAmount(belowXat),
    depositXat: parseAmount(depositXat),
    mostPerDayXat: parseAmount(mostPerDayXat),
    mostPerMonthXat: parseAmount(mostPerMonthXat),
  };
}

/** What was used up to now, both directions and overhead together. */
export interface DataTotals {
  readonly dayBytes: number;
  readonly monthBytes: number;
}

/** Why a direction stands still. Pages translate the reason. */
export interface Stop {
  readonly direction: Direction;
  readonly reason:
    | 'setting'
    | 'connections'
    | 'schedule'
    | 'data-per-day'
    | 'data-per-month'
    | 'spend-per-day'
    | 'spend-per-month';
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

/** Nothing more may be paid for, so nothing more is asked for. */
export function spendingStopOf(period: SpendingPeriod, limits: Limits): Stop {
  const [reason, until, ends, most] =
    period === 'day'
      ? (['spend-per-day', '24:00', 'until midnight', limits.spendPerDayXac] as const)
      : (['spend-per-month', null, 'until next month', limits.spendPerMonthXac] as const);
  const message = `Downloading is stopped ${ends}: your settings allow ${most} XAC a ${period} to be spent, and the next MiB would be more`;
  return { direction: 'download', reason, until, message };
}

function generalRate(limits: Limits, direction: Direction): number | null {
  return direction === 'upload' ? limits.uploadBytesPerSecond : limits.downloadBytesPerSecond;
}
