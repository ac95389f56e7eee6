import { m } from '../../shared/i18n/compiled/messages.js';
import { formatWhole, inLocale, wholeYear } from './locale.ts';

const timeOfDay = dateFormat({ hour: '2-digit', minute: '2-digit', second: '2-digit' });
const dayAndTime = dateFormat({ day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit' });
const dayMonthYear = dateFormat({
  day: 'numeric',
  month: 'short',
  year: 'numeric',
  hour: '2-digit',
  minute: '2-digit',
});
const everything = dateFormat({ dateStyle: 'full', timeStyle: 'long' });

function dateFormat(options: Intl.DateTimeFormatOptions): () => Intl.DateTimeFormat {
  return inLocale((tag) => new Intl.DateTimeFormat(tag, options));
}

/** "20:14:09" */
export function formatTime(atMs: number): string {
  return timeOfDay().format(atMs);
}

/** "18 Nov, 20:14", with the year where that is not this one. */
export function formatDateTime(atMs: number): string {
  const thisYear = new Date(atMs).getFullYear() === new Date().getFullYear();
  return wholeYear((thisYear ? dayAndTime() : dayMonthYear()).format(atMs));
}

/** With year, seconds and time zone, for hover. */
export function formatFullTime(atMs: number): string {
  return wholeYear(everything().format(atMs));
}

/** "34 s", "3:07 min" */
export function formatSpan(seconds: number): string {
  const whole = Math.floor(seconds);
  if (whole < 60) return m.time_seconds({ seconds: whole });
  return m.time_minutes({ minutes: `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')}` });
}

/** "25 min", "2 h 10 min", "12 days": for spans that a person plans with. */
export function formatLong(spanMs: number): string {
  const minutes = Math.floor(spanMs / 60_000);
  if (minutes < 1) return m.time_less_than_minute();
  if (minutes < 60) return m.time_minutes({ minutes: formatWhole(minutes) });
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return m.time_hours({ hours: formatWhole(hours), minutes: formatWhole(minutes % 60) });
  const days = Math.floor(hours / 24);
  return days < 1_000 ? m.time_days({ count: days }) : m.time_years();
}
