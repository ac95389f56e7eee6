import { AceError } from '../errors.ts';
import { isAmbiguousDecimal } from '../typed/number.ts';

/** The tokens of the network (docs/economy.md#tokens). */
export const TOKENS = ['XAT', 'XAC', 'XAS', 'XAB'] as const;

export type Token = (typeof TOKENS)[number];

export const TOKEN_DECIMALS = 7;

export const BASE_UNITS_PER_TOKEN = 10_000_000n;

/**
 * Most that can ever exist of one token: 900,000,000,000, which fits a signed 64-bit integer. Nine times the XAT of
 * genesis, because minting adds to them (docs/decisions/0007).
 */
export const MAX_AMOUNT = 900_000_000_000n * BASE_UNITS_PER_TOKEN;

/** Digits before the point of the largest amount. */
const MAX_WHOLE_DIGITS = 12;

declare const tokenAmount: unique symbol;

/** A number of base units (10^-7 token), 0 or more. */
export type TokenAmount = bigint & { readonly [tokenAmount]: true };

export const ZERO = 0n as TokenAmount;

/** Brands a number of base units. @throws AceError `InvalidAmount` outside 0 … MAX_AMOUNT. */
export function amount(baseUnits: bigint): TokenAmount {
  if (baseUnits < 0n || baseUnits > MAX_AMOUNT) {
    throw new AceError('InvalidAmount', `Amount out of range: ${baseUnits} base units`);
  }
  return baseUnits as TokenAmount;
}

/**
 * Reads a decimal token string such as "0.2" or "12.3456789" into base units.
 * @throws AceError `InvalidAmount` for anything else: signs, exponents, spaces, more than 7 decimals, too large.
 */
export function parseAmount(text: string): TokenAmount {
  const match = /^(\d+)(?:\.(\d{1,7}))?$/.exec(text);
  if (!match && isAmbiguousDecimal(text)) {
    throw new AceError(
      'InvalidAmount',
      `"${text}" could be a thousand as well as one: leave the comma out, or write a point before the decimals`,
    );
  }
  if (!match) {
    throw new AceError(
      'InvalidAmount',
      `"${text}" is not an amount. Use digits and at most 7 decimals, for example 0.25`,
    );
  }
  const [, whole = '0', fraction = ''] = match;
  // Before it becomes a bigint: a text of any length is no work.
  if (whole.length > MAX_WHOLE_DIGITS) throw tooLarge(text);
  const baseUnits = BigInt(whole) * BASE_UNITS_PER_TOKEN + BigInt(fraction.padEnd(TOKEN_DECIMALS, '0'));
  if (baseUnits > MAX_AMOUNT) throw tooLarge(text);
  return amount(baseUnits);
}

function tooLarge(text: string): AceError {
  const shown = text.length > 40 ? `${text.slice(0, 40)}…` : text;
  return new AceError('InvalidAmount', `${shown} is too large: there are 900,000,000,000 tokens at most`);
}

/**
 * Base units, also negative, as a decimal token string with all 7 decimals: the form of exports, JSON and vectors.
 * Exact.
 */
export function formatAmount(baseUnits: bigint): string {
  const sign = baseUnits < 0n ? '-' : '';
  const digits = (baseUnits < 0n ? -baseUnits : baseUnits).toString().padStart(TOKEN_DECIMALS + 1, '0');
  return `${sign}${digits.slice(0, -TOKEN_DECIMALS)}.${digits.slice(-TOKEN_DECIMALS)}`;
}

export type Balances = Readonly<Record<Token, TokenAmount>>;

export const NO_BALANCES: Balances = { XAT: ZERO, XAC: ZERO, XAS: ZERO, XAB: ZERO };

/** A decimal token string, such as "0.2000000". */
export type DecimalAmount = string;
