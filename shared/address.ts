/** An account's address in the one form that records and books keep: 0x and 40 hex digits, lower case. */
export const ADDRESS = /^0x[0-9a-f]{40}$/;

export function isAddress(value: unknown): value is string {
  return typeof value === 'string' && ADDRESS.test(value);
}
