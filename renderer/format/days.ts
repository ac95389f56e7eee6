/** Days as the calendar of this computer has them, for filters: "2026-11-21" in the code, in the language of the pages on the screen. */
import { inLocale, wholeYear } from './locale.ts';

const shown = inLocale(
  (tag) => new Intl.DateTimeFormat(tag, { day: '2-digit', month: '2-digit', year: 'numeric' }),
);

const named = inLocale(
  (tag) => new Intl.DateTimeFormat(tag, { weekday: 'long', day: 'numeric', month: 'long', year: 'numeric' }),
);

/** Midnight at which the day begins; `null` for anything but a day. */
export function dayStartMs(day: string): number | null {
  const match = /^(\d{4,6})-(\d{2})-(\d{2})$/.exec(day);
  if (!match) return null;
  const [, year, month, date] = match.map(Number) as [number, number, number, number];
  const start = new Date(year, month - 1, date);
  return start.getMonth() === month - 1 && start.getTime() >= 0 ? start.getTime() : null;
}

/** Midnight at which the day ends: also right on days of 23 and 25 hours. */
export function dayEndMs(day: string): number | null {
  const startMs = dayStartMs(day);
  if (startMs === null) return null;
  const start = new Date(startMs);
  return new Date(start.getFullYear(), start.getMonth(), start.getDate() + 1).getTime();
}

export function dayOf(atMs: number): string {
  const at = new Date(atMs);
  const two = (value: number) => String(value).padStart(2, '0');
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
}

/** "21/11/2026", "21.11.2026": as {@link readDay} takes it back. */
export function formatDay(day: string): string {
  const atMs = dayStartMs(day);
  return atMs === null ? day : shown().format(atMs);
}

/** "Saturday, 21 November 2026": with the letter in front that begins a line. */
export function formatWeekday(day: string): string {
  const atMs = dayStartMs(day);
  if (atMs === null) return day;
  const [first = '', ...rest] = wholeYear(named().format(atMs));
  return first.toUpperCase() + rest.join('');
}

/** A day as it was typed or pasted, the day before the month as in both languages; `null` for anything else. */
export function readDay(text: string): string | null {
  const trimmed = text.trim();
  const typed = /^(\d{1,2})\s?[./-]\s?(\d{1,2})\s?[./-]\s?(\d{4})$/.exec(trimmed);
  const two = (part = '') => part.padStart(2, '0');
  const day = typed ? `${typed[3]}-${two(typed[2])}-${two(typed[1])}` : trimmed;
  return dayStartMs(day) === null ? null : day;
}
