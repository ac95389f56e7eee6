/** What the computer's own clock shows, daylight saving included. */

/** Minutes since Monday 00:00. */
export function weekMinuteOf(nowMs: number): number {
  const now = new Date(nowMs);
  return ((now.getDay() + 6) % 7) * 1_440 + now.getHours() * 60 + now.getMinutes();
}

/** `2026-11-20` */
export function dayOf(nowMs: number): string {
  const now = new Date(nowMs);
  return `${monthOf(now)}-${two(now.getDate())}`;
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
