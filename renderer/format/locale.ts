/** One place for the language of numbers and dates, until the app has more than one. */
export const LOCALE = 'en-GB';

const whole = new Intl.NumberFormat(LOCALE, { maximumFractionDigits: 0 });
const oneDecimal = new Intl.NumberFormat(LOCALE, { minimumFractionDigits: 1, maximumFractionDigits: 1 });

export function formatWhole(value: number | bigint): string {
  return whole.format(value);
}

export function formatTenths(value: number): string {
  return oneDecimal.format(value);
}
