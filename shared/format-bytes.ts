/** Amounts of data as people write them: `5 GiB`, `1 MiB`. */
const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const;

/** With at most one digit after the point: 1,572,864 is `1.5 MiB`. */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  for (; value >= 1_024 && unit < UNITS.length - 1; unit++) value /= 1_024;
  return `${Math.round(value * 10) / 10} ${UNITS[unit]}`;
}
