/** Spans of time in the command line's English, as exact as a person needs them. */

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** `12 minutes`, `5 hours`, `30 days`. */
export function aboutSpan(spanMs: number): string {
  if (spanMs < 2 * HOUR_MS) return counted(Math.max(1, Math.round(spanMs / MINUTE_MS)), 'minute');
  if (spanMs < 2 * DAY_MS) return counted(Math.round(spanMs / HOUR_MS), 'hour');
  return counted(Math.round(spanMs / DAY_MS), 'day');
}

function counted(count: number, unit: string): string {
  return `${count.toLocaleString('en')} ${unit}${count === 1 ? '' : 's'}`;
}
