/** Days as the calendar of this computer has them, for filters: `<input type="date">` gives and takes "2026-11-21". */

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
