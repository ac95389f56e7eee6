/** Amounts of data as the pages have them: `5 GB`, `1 MiB`. 1 GB is 1,024 MiB, as in all the books. */
const UNITS = ['B', 'KiB', 'MiB', 'GB', 'TB'] as const;

/** With at most one digit after the point: 1,572,864 is `1.5 MiB`. */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  for (; value >= 1_024 && unit < UNITS.length - 1; unit++) value /= 1_024;
  return `${Math.round(value * 10) / 10} ${UNITS[unit]}`;
}
