/** Settings as they are typed: `2MiB/s`, `none`, `mon-fri 08:00-18:00 upload=0`. */
import { formatAmount, parseAmount } from '../../shared/economy/money.ts';
import { AceError } from '../../shared/errors.ts';
import { formatBytes } from '../../shared/format-bytes.ts';
import { type LimitKey, type Limits, limitSchemas } from '../../shared/limits.ts';
import { type ScheduleRule, WEEKDAYS, type Weekday } from '../../shared/schedule.ts';
import { typedDecimal } from '../../shared/typed/number.ts';

/** `loan`: as `bytes`, but that nothing set is no more than what is careful, and not no limit. */
type Kind = 'bytes' | 'loan' | 'rate' | 'count' | 'schedule' | 'money' | 'top-up';

const SETTINGS: Readonly<Record<string, { readonly key: LimitKey; readonly kind: Kind }>> = {
  cache: { key: 'cacheBytes', kind: 'bytes' },
  download: { key: 'downloadBytesPerSecond', kind: 'rate' },
  upload: { key: 'uploadBytesPerSecond', kind: 'rate' },
  connections: { key: 'maxConnections', kind: 'count' },
  'data-per-day': { key: 'dataPerDayBytes', kind: 'bytes' },
  'data-per-month': { key: 'dataPerMonthBytes', kind: 'bytes' },
  'loans-per-day': { key: 'loansPerDayBytes', kind: 'loan' },
  'loans-per-account': { key: 'loansPerAccountBytes', kind: 'loan' },
  schedule: { key: 'schedule', kind: 'schedule' },
  'spend-day': { key: 'spendPerDayXac', kind: 'money' },
  'spend-month': { key: 'spendPerMonthXac', kind: 'money' },
  'auto-topup': { key: 'autoTopUp', kind: 'top-up' },
};

export const SETTING_NAMES = Object.keys(SETTINGS).join(', ');

export const SCHEDULE_HELP = `
A schedule is a list of rules with semicolons between them. Where rules overlap, the last one counts:
  ace-node settings set schedule "mon-fri 08:00-18:00 upload=0; sat,sun 00:00-24:00 download=1MiB/s upload=none"

Loans are what accounts that have not paid you yet may get before they do: all of them in a day, and each of them. With 0
only those who have paid you or have funds get anything; "default" is 768 MiB a day and 512 MiB for each account (on a
devnet of your own there is no limit). 1 GB is 1,024 MiB, as everywhere:
  ace-node settings set loans-per-day 200MiB

What may be spent in a day and in a month, in XAC; 0 spends nothing. And what is moved from what you keep to what you spend
by itself, in XAT: each time this is worth less than "below", "deposit" is moved, "day" and "month" at most together:
  ace-node settings set spend-day 0.05
  ace-node settings set auto-topup "below=1 deposit=2 day=6 month=30"`;

const TOP_UP_WORDS = {
  below: 'belowXat',
  deposit: 'depositXat',
  day: 'mostPerDayXat',
  month: 'mostPerMonthXat',
} as const;
type TopUpWord = keyof typeof TOP_UP_WORDS;

const DEFAULT_LOAN = 'default';

/** A GB is 1,024 MiB here, as on the pages and in the books. */
const FACTORS: Readonly<Record<string, number>> = {
  '': 1,
  b: 1,
  kb: 2 ** 10,
  mb: 2 ** 20,
  gb: 2 ** 30,
  tb: 2 ** 40,
  kib: 2 ** 10,
  mib: 2 ** 20,
  gib: 2 ** 30,
  tib: 2 ** 40,
};

/** @throws AceError `InvalidInput` */
export function settingKey(name: string): LimitKey {
  return settingOf(name).key;
}

/** What was typed, as the procedure `setSettings` takes it. @throws AceError `InvalidInput` */
export function parseSetting(name: string, text: string): Partial<Limits> {
  const { key, kind } = settingOf(name);
  const value = parse(kind, text.trim());
  const checked = limitSchemas[key].safeParse(value);
  if (checked.success) return { [key]: checked.data };
  throw new AceError('InvalidInput', `${name}: ${checked.error.issues[0]?.message ?? 'not valid'}`);
}

/** As it would be typed. */
export function settingLines(limits: Limits): [name: string, text: string][] {
  return Object.entries(SETTINGS).map(([name, { key, kind }]) => [name, shown(kind, limits[key])]);
}

function settingOf(name: string) {
  const setting = Object.hasOwn(SETTINGS, name) ? SETTINGS[name] : undefined;
  if (!setting)
    throw new AceError('InvalidInput', `There is no setting "${name}": take one of ${SETTING_NAMES}`);
  return setting;
}

function parse(kind: Kind, text: string): Limits[LimitKey] {
  if (kind === 'schedule') {
    const rules = text.split(';').filter((rule) => rule.trim() !== '');
    return text === 'none' ? [] : rules.map((rule) => parseRule(rule.trim()));
  }
  if (text === (kind === 'loan' ? DEFAULT_LOAN : 'none')) return null;
  if (kind === 'money') return parseMoney(text, 'XAC');
  if (kind === 'top-up') return parseTopUp(text);
  if (kind === 'count') {
    const count = typedDecimal(text, '.') ?? '';
    if (!/^\d{1,6}$/.test(count)) throw invalid(text, 'a number such as 50, or none');
    return Number(count);
  }
  return parseBytes(text, kind);
}

/** `0.05`, or with the token behind it. */
function parseMoney(text: string, token: 'XAC' | 'XAT'): string {
  const [count = '', unit = token, ...more] = text.split(/\s+/);
  const decimal = typedDecimal(count, '.');
  if (decimal === null || unit.toUpperCase() !== token || more.length > 0) {
    throw invalid(text, `an amount of ${token} such as 0.05, or none`);
  }
  return formatAmount(parseAmount(decimal));
}

/** `below=1 deposit=2 day=6 month=30` */
function parseTopUp(text: string): Limits['autoTopUp'] {
  const pairs = text.split(/\s+/).map((pair) => pair.split('='));
  const given = new Map(pairs.map(([word = '', value = '']) => [word.toLowerCase(), value]));
  const words = Object.keys(TOP_UP_WORDS) as TopUpWord[];
  if (pairs.length !== words.length || !words.every((word) => given.has(word))) {
    throw invalid(text, '"below=1 deposit=2 day=6 month=30", all in XAT, or none');
  }
  const amountOf = (word: TopUpWord) => parseMoney(given.get(word) ?? '', 'XAT');
  return {
    belowXat: amountOf('below'),
    depositXat: amountOf('deposit'),
    mostPerDayXat: amountOf('day'),
    mostPerMonthXat: amountOf('month'),
  };
}

/** Of a size, or of a rate, such as `2MiB/s`; `null` when it is neither. */
function readBytes(text: string): { readonly bytes: number; readonly isRate: boolean } | null {
  const match = /^([^a-z]{1,40}?)\s*([kmgt]?i?b?)(\/s)?$/i.exec(text);
  const factor = FACTORS[(match?.[2] ?? '?').toLowerCase()];
  const count = typedDecimal(match?.[1] ?? '', '.');
  const isRead = count !== null && /^\d{1,15}(?:\.\d{1,6})?$/.test(count);
  if (!match || !isRead || factor === undefined) return null;
  return { bytes: Math.round(Number(count) * factor), isRate: match[3] !== undefined };
}

/** `2GB`; `null` when it is no size with a unit. */
export function sizeBytes(text: string): number | null {
  const read = /[a-z]/i.test(text) ? readBytes(text) : null;
  return read && !read.isRate ? read.bytes : null;
}

function parseBytes(text: string, kind: Kind): number {
  const read = readBytes(text);
  if (!read || (read.isRate && kind !== 'rate')) {
    throw invalid(
      text,
      kind === 'rate'
        ? 'a rate such as 2MiB/s, 0, or none'
        : `an amount such as 50GB, or ${kind === 'loan' ? DEFAULT_LOAN : 'none'}`,
    );
  }
  return read.bytes;
}

/** `mon-fri 08:00-18:00 upload=0` */
function parseRule(text: string): ScheduleRule {
  const [days = '', times = '', ...caps] = text.split(/\s+/);
  const span = /^(\d\d:\d\d)-(\d\d:\d\d)$/.exec(times);
  if (!span || caps.length === 0) throw invalid(text, 'a rule such as mon-fri 08:00-18:00 upload=0');
  const rates = caps.map((cap) => {
    const [direction, rate = ''] = cap.split('=');
    if (direction !== 'upload' && direction !== 'download') {
      throw invalid(cap, 'upload=… or download=…');
    }
    const parsed = rate === 'none' ? null : parseBytes(rate, 'rate');
    return [direction === 'upload' ? 'uploadBytesPerSecond' : 'downloadBytesPerSecond', parsed] as const;
  });
  return {
    days: days.split(',').flatMap(parseDays),
    from: span[1] ?? '',
    to: span[2] ?? '',
    ...Object.fromEntries(rates),
  };
}

/** `mon`, or `fri-mon` for four of them. */
function parseDays(text: string): Weekday[] {
  const [first, last = first] = text.toLowerCase().split('-');
  const from = WEEKDAYS.indexOf(first as Weekday);
  const to = WEEKDAYS.indexOf(last as Weekday);
  if (from === -1 || to === -1) throw invalid(text, `days such as mon-fri or sat,sun`);
  const count = ((to - from + 7) % 7) + 1;
  return Array.from({ length: count }, (_, i) => WEEKDAYS[(from + i) % 7] as Weekday);
}

function shown(kind: Kind, value: Limits[LimitKey]): string {
  if (value === null) return kind === 'loan' ? DEFAULT_LOAN : 'none';
  if (typeof value === 'string') return value;
  if (Array.isArray(value)) return value.length === 0 ? 'none' : value.map(ruleText).join('; ');
  if (typeof value === 'object') {
    return Object.entries(TOP_UP_WORDS)
      .map(([word, key]) => `${word}=${value[key]}`)
      .join(' ');
  }
  if (kind === 'count') return String(value);
  return kind === 'rate' ? `${formatBytes(value)}/s` : formatBytes(value);
}

function ruleText(rule: ScheduleRule): string {
  const cap = (name: string, rate: number | null | undefined) =>
    rate === undefined ? [] : [`${name}=${shown('rate', rate).replaceAll(' ', '')}`];
  const caps = [...cap('download', rule.downloadBytesPerSecond), ...cap('upload', rule.uploadBytesPerSecond)];
  return [rule.days.join(','), `${rule.from}-${rule.to}`, ...caps].join(' ');
}

function invalid(text: string, wanted: string): AceError {
  return new AceError('InvalidInput', `"${text}" is not ${wanted}`);
}
