/** Numbers in the language of the pages. Every formatter is made once for each language. */
import { getLocale, type Locale } from '../../shared/i18n/compiled/runtime.js';
import type { DecimalSign } from '../../shared/typed/number.ts';

/** Which of its regions a language is written for: the day comes before the month in both. */
const TAGS: Readonly<Record<Locale, string>> = { en: 'en-GB', ru: 'ru-RU' };

/** What `make` makes for the language of this moment. */
export function inLocale<T>(make: (tag: string) => T): () => T {
  const made = new Map<Locale, T>();
  return () => {
    const locale = getLocale();
    const known = made.get(locale);
    if (known !== undefined) return known;
    const value = make(TAGS[locale]);
    made.set(locale, value);
    return value;
  };
}

/** A year keeps its word: "2026 г." is one. */
export function wholeYear(date: string): string {
  return date.replace(/ г\./, '\u00a0г.');
}

const whole = inLocale((tag) => new Intl.NumberFormat(tag, { maximumFractionDigits: 0 }));
const oneDecimal = inLocale(
  (tag) => new Intl.NumberFormat(tag, { minimumFractionDigits: 1, maximumFractionDigits: 1 }),
);
const separator = inLocale(
  (tag) => new Intl.NumberFormat(tag).formatToParts(1.5).find(({ type }) => type === 'decimal')?.value ?? '.',
);

export function formatWhole(value: number | bigint): string {
  return whole().format(value);
}

export function formatTenths(value: number): string {
  return oneDecimal().format(value);
}

/** A decimal string of the books, such as "1204.5000000", digit by digit: it never becomes a float on the way. */
export function formatDecimal(decimal: string): string {
  const [digits = '0', fraction = ''] = decimal.split('.');
  return `${formatWhole(BigInt(digits))}${fraction && `${separator()}${fraction}`}`;
}

/** Of the language, as `typedDecimal` wants it. */
export function decimalSign(): DecimalSign {
  return separator() === ',' ? ',' : '.';
}
