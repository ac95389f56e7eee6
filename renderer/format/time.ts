import { m } from '../i18n/compiled/messages.js';
import { inLocale } from './locale.ts';

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
  return (thisYear ? dayAndTime() : dayMonthYear()).format(atMs);
}

/** With year, seconds and time zone, for hover. */
export function formatFullTime(atMs: number): string {
  return everything().format(atMs);
}

/** "34 s", "3:07 min" */
export function formatSpan(seconds: number): string {
  const whole = Math.floor(seconds);
  if (whole < 60) return m.time_seconds({ seconds: whole });
  return m.time_minutes({ minutes: `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')}` });
}
