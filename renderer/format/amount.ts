/**
 * Amounts of tokens for the screen. They are base units all the way (`bigint`): a float would show a sum that nobody
 * has. Shortened amounts are cut, never rounded up, so the screen never shows more than there is.
 */
import { formatAmount, parseAmount, TOKEN_DECIMALS, type TokenAmount } from '../../shared/economy/money.ts';
import { type Ratio, ratio, ratioFromDecimal, ratioToDecimal } from '../../shared/economy/ratio.ts';
import { UNITS_PER_GB } from '../../shared/economy/units.ts';
import { m } from '../../shared/i18n/compiled/messages.js';
import { isAmbiguousDecimal, typedDecimal } from '../../shared/typed/number.ts';
import { decimalSign, formatDecimal } from './locale.ts';

/** As many decimals as say something: at least `minDecimals`, more until nothing or two digits remain, at most 7. */
export function shortAmount(baseUnits: bigint, minDecimals = 4): string {
  let decimals = minDecimals;
  while (decimals < TOKEN_DECIMALS && baseUnits % step(decimals) !== 0n && baseUnits / step(decimals) < 10n) {
    decimals += 1;
  }
  const exact = formatAmount(baseUnits);
  return formatDecimal(exact.slice(0, exact.length - TOKEN_DECIMALS + decimals));
}

/** All 7 decimals, for hover and detail. */
export function fullAmount(baseUnits: bigint): string {
  return formatDecimal(formatAmount(baseUnits));
}

/** "2.31 XAT": the two stay on one line. */
export function withToken(shownAmount: string, token: string): string {
  return m.amount_token({ amount: shownAmount, token });
}

/** Reads what a person typed; `null` for anything that is not an amount above zero. */
export function readAmount(text: string): TokenAmount | null {
  try {
    const value = parseAmount(plainAmount(text));
    return value > 0n ? value : null;
  } catch {
    return null;
  }
}

/**
 * An amount as it was typed, in the form that the contract has. With money nothing is guessed: what could be a thousand
 * as well as one is left as it is, and is no amount.
 */
export function plainAmount(text: string): string {
  const sign = decimalSign();
  if (sign === '.' && isAmbiguousDecimal(text)) return text.trim();
  return typedDecimal(text, sign) ?? text.trim();
}

/** What one MiB costs when a GB costs `xacPerGb`. Exact, often less than one base unit apart from the next. */
export function pricePerMib(xacPerGb: string): Ratio {
  const perGb = ratioFromDecimal(xacPerGb);
  return ratio(perGb.num, perGb.den * BigInt(UNITS_PER_GB));
}

/** A small exact number with three digits that are not zero, such as "0.00000976". */
export function significant(value: Ratio): string {
  let digits = 4;
  while (digits < 18 && value.num > 0n && (value.num * 10n ** BigInt(digits)) / value.den < 100n) digits += 1;
  return formatDecimal(ratioToDecimal(value, digits));
}

/** Base units in one step of the last of so many decimals. */
function step(decimals: number): bigint {
  return 10n ** BigInt(TOKEN_DECIMALS - decimals);
}
