/** Times under charts. */
import { inLocale } from './locale.ts';

const clock = inLocale((tag) => new Intl.DateTimeFormat(tag, { hour: '2-digit', minute: '2-digit' }));
const day = inLocale((tag) => new Intl.DateTimeFormat(tag, { day: 'numeric', month: 'short' }));

/** "20:00" */
export function formatClock(atMs: number): string {
  return clock().format(atMs);
}

/** "18 Nov" */
export function formatDay(atMs: number): string {
  return day().format(atMs);
}
