/** What the computer's own clock shows, daylight saving included. */

/** Minutes since Monday 00:00. */
export function weekMinuteOf(nowMs: number): number {
  const now = new Date(nowMs);
  return ((now.getDay() + 6) % 7) * 1_440 + now.getHours() * 60 + now.getMinutes();
}
