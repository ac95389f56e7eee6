/** Amounts and speeds of traffic, and the credit that is counted in it. 1 GB is 1,024 MiB, as in all the books. */
import { TRAFFIC_UNIT_BYTES, UNITS_PER_GB } from '../../shared/units.ts';
import { formatTenths, formatWhole } from './locale.ts';

/** Traffic units are MiB. */
export function formatUnits(units: number): string {
  return `${formatWhole(units)} MiB`;
}

export function formatBytes(bytes: number): string {
  if (bytes < 1024) return bytes === 1 ? '1 byte' : `${formatWhole(bytes)} bytes`;
  if (bytes < TRAFFIC_UNIT_BYTES) return `${tenthsIfSmall(bytes / 1024)} KiB`;
  const units = bytes / TRAFFIC_UNIT_BYTES;
  return units < UNITS_PER_GB ? `${tenthsIfSmall(units)} MiB` : `${formatTenths(units / UNITS_PER_GB)} GB`;
}

export interface RateText {
  readonly value: string;
  readonly unit: string;
}

export function formatRate(bytesPerSecond: number): RateText {
  if (bytesPerSecond < 1) return { value: '0', unit: 'MB/s' };
  if (bytesPerSecond < 100_000) return { value: tenthsIfSmall(bytesPerSecond / 1_000), unit: 'kB/s' };
  return { value: formatTenths(bytesPerSecond / 1_000_000), unit: 'MB/s' };
}

/** "3.2 of 10 GB": in MiB where the limit is below one GB, as on a devnet. */
export function creditUsed(usedUnits: number, limitUnits: number): string {
  if (limitUnits < UNITS_PER_GB) return `${formatWhole(usedUnits)} of ${formatWhole(limitUnits)} MiB`;
  return `${formatTenths(usedUnits / UNITS_PER_GB)} of ${wholeOrTenths(limitUnits / UNITS_PER_GB)} GB`;
}

/** The sentence of the credit gauge: "Credit: 3.2 of 10 GB used (3,277 MiB)". */
export function creditSentence(usedUnits: number, limitUnits: number): string {
  const exact = limitUnits < UNITS_PER_GB ? '' : ` (${formatUnits(usedUnits)})`;
  return `Credit: ${creditUsed(usedUnits, limitUnits)} used${exact}`;
}

/** "6.8 GB" or "412 MiB". */
export function creditAmount(units: number): string {
  return units < UNITS_PER_GB ? formatUnits(units) : `${wholeOrTenths(units / UNITS_PER_GB)} GB`;
}

function tenthsIfSmall(value: number): string {
  return value < 10 && !Number.isInteger(value) ? formatTenths(value) : formatWhole(value);
}

function wholeOrTenths(value: number): string {
  return Number.isInteger(value) ? formatWhole(value) : formatTenths(value);
}
