/** Days and hours of the computer's own time, daylight saving included. */

/** `2026-11-20` */
export function dayOf(nowMs: number): string {
  const now = new Date(nowMs);
  return `${monthOf(now)}-${two(now.getDate())}`;
}

/** When the day began. */
export function startOfDay(day: string): number {
  return new Date(`${day}T00:00:00`).getTime();
}

/** When the next one begins: also right after days of 23 and 25 hours. */
export function endOfDay(day: string): number {
  const start = new Date(startOfDay(day));
  return new Date(start.getFullYear(), start.getMonth(), start.getDate() + 1).getTime();
}

/** The day so many days before; negative for after. */
export function daysBefore(day: string, days: number): string {
  const start = new Date(startOfDay(day));
  return dayOf(new Date(start.getFullYear(), start.getMonth(), start.getDate() - days).getTime());
}

/** An hour may begin at half past of UTC's. */
export function startOfHour(atMs: number): number {
  return new Date(atMs).setMinutes(0, 0, 0);
}

/** First and last name that a day of this month can have, for a comparison of texts. */
export function monthDays(nowMs: number): { first: string; last: string } {
  const month = monthOf(new Date(nowMs));
  return { first: `${month}-01`, last: `${month}-31` };
}

function monthOf(date: Date): string {
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}`;
}

function two(value: number): string {
  return String(value).padStart(2, '0');
}
