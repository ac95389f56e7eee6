import { LOCALE } from './locale.ts';

const timeOfDay = new Intl.DateTimeFormat(LOCALE, { hour: '2-digit', minute: '2-digit', second: '2-digit' });
const dayAndTime = new Intl.DateTimeFormat(LOCALE, {
  day: 'numeric',
  month: 'short',
  hour: '2-digit',
  minute: '2-digit',
});
const everything = new Intl.DateTimeFormat(LOCALE, { dateStyle: 'full', timeStyle: 'long' });

/** "20:14:09" */
export function formatTime(atMs: number): string {
  return timeOfDay.format(atMs);
}

/** "18 Nov, 20:14" */
export function formatDateTime(atMs: number): string {
  return dayAndTime.format(atMs);
}

/** With year, seconds and time zone, for hover. */
export function formatFullTime(atMs: number): string {
  return everything.format(atMs);
}

/** "34 s", "3:07 min" */
export function formatSpan(seconds: number): string {
  const whole = Math.floor(seconds);
  if (whole < 60) return `${whole} s`;
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')} min`;
}
