import { inLocale } from './locale.ts';

const whole = inLocale((tag) => new Intl.NumberFormat(tag, { style: 'percent', maximumFractionDigits: 0 }));
const fine = inLocale((tag) => new Intl.NumberFormat(tag, { style: 'percent', maximumSignificantDigits: 3 }));

/** "61%" */
export function formatPercent(share: number): string {
  return whole().format(share);
}

/** "0.0123%": of shares that may be tiny. */
export function formatShare(share: number): string {
  return fine().format(share);
}
