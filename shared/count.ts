/** A whole number from 0 to 2^53 − 1: units, bytes, numbers of things, milliseconds. */
export function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
