/** Amounts and speeds of traffic, and the credit that is counted in it. 1 GB is 1,024 MiB, as in all the books. */
import { TRAFFIC_UNIT_BYTES, UNITS_PER_GB } from '../../shared/economy/units.ts';
import { m } from '../../shared/i18n/compiled/messages.js';
import { formatTenths, formatWhole } from './locale.ts';

/** Traffic units are MiB. */
export function formatUnits(units: number): string {
  return m.unit_mib({ value: formatWhole(units) });
}

export function formatBytes(bytes: number): string {
  if (bytes < 1024) return m.unit_bytes({ count: bytes });
  if (bytes < TRAFFIC_UNIT_BYTES) return m.unit_kib({ value: tenthsIfSmall(bytes / 1024) });
  const units = bytes / TRAFFIC_UNIT_BYTES;
  return units < UNITS_PER_GB
    ? m.unit_mib({ value: tenthsIfSmall(units) })
    : m.unit_gb({ value: formatTenths(units / UNITS_PER_GB) });
}

export interface RateText {
  readonly value: string;
  readonly unit: string;
}

export function formatRate(bytesPerSecond: number): RateText {
  if (bytesPerSecond < 1) return { value: '0', unit: m.unit_mib_per_second() };
  if (bytesPerSecond < TRAFFIC_UNIT_BYTES)
    return { value: tenthsIfSmall(bytesPerSecond / 1024), unit: m.unit_kib_per_second() };
  return { value: formatTenths(bytesPerSecond / TRAFFIC_UNIT_BYTES), unit: m.unit_mib_per_second() };
}

/** "6.1 MiB/s" */
export function rateText(bytesPerSecond: number): string {
  return m.rate({ ...formatRate(bytesPerSecond) });
}

/** "3.2 of 10 GB", "17 MiB of 10 GB": in MiB below one GB, so that the first of it show. */
export function creditUsed(usedUnits: number, limitUnits: number): string {
  if (limitUnits < UNITS_PER_GB)
    return m.used_of_mib({ used: formatWhole(usedUnits), limit: formatWhole(limitUnits) });
  if (usedUnits < UNITS_PER_GB)
    return m.used_of({ used: formatUnits(usedUnits), limit: creditAmount(limitUnits) });
  const used = formatTenths(usedUnits / UNITS_PER_GB);
  return m.used_of_gb({ used, limit: wholeOrTenths(limitUnits / UNITS_PER_GB) });
}

/** The sentence of the credit gauge: "Credit: 3.2 of 10 GB used (3,277 MiB)". */
export function creditSentence(usedUnits: number, limitUnits: number): string {
  const used = creditUsed(usedUnits, limitUnits);
  if (usedUnits < UNITS_PER_GB) return m.credit_sentence({ used });
  return m.credit_sentence_exact({ used, exact: formatUnits(usedUnits) });
}

/** "6.8 GB" or "412 MiB". */
export function creditAmount(units: number): string {
  return units < UNITS_PER_GB
    ? formatUnits(units)
    : m.unit_gb({ value: wholeOrTenths(units / UNITS_PER_GB) });
}

function tenthsIfSmall(value: number): string {
  return value < 10 && !Number.isInteger(value) ? formatTenths(value) : formatWhole(value);
}

function wholeOrTenths(value: number): string {
  return Number.isInteger(value) ? formatWhole(value) : formatTenths(value);
}
