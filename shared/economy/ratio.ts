import { AceError } from '../errors.ts';

/** An exact, non-negative rational number. Rates and fees are ratios; nothing near money is a float. */
export interface Ratio {
  readonly num: bigint;
  readonly den: bigint;
}

/**
 * num ÷ den in lowest terms.
 * @throws AceError `InvalidAmount` when the denominator is not positive or the numerator is negative.
 */
export function ratio(num: bigint | number, den: bigint | number = 1n): Ratio {
  const n = BigInt(num);
  const d = BigInt(den);
  if (d <= 0n || n < 0n) throw new AceError('InvalidAmount', `Not a ratio: ${n}/${d}`);
  const g = gcd(n, d);
  return { num: n / g, den: d / g };
}

/** Reads a plain decimal ("3.5", "0.01") exactly. @throws AceError `InvalidAmount` */
export function ratioFromDecimal(text: string): Ratio {
  const match = /^(\d+)(?:\.(\d+))?$/.exec(text);
  if (!match) throw new AceError('InvalidAmount', `Not a decimal number: "${text}"`);
  const fraction = match[2] ?? '';
  return ratio(BigInt(match[1] + fraction), 10n ** BigInt(fraction.length));
}

/** As exact text, `num/den` in lowest terms: integers of any size, where JSON and CBOR have none. */
export function formatRatio({ num, den }: Ratio): string {
  const reduced = ratio(num, den);
  return `${reduced.num}/${reduced.den}`;
}

/** Reads what {@link formatRatio} writes, and nothing else. @throws AceError `InvalidAmount` */
export function parseRatio(text: unknown): Ratio {
  const match = typeof text === 'string' ? /^(\d+)\/(\d+)$/.exec(text) : null;
  if (match?.[1] && match[2] && match[2] !== '0') {
    const read = ratio(BigInt(match[1]), BigInt(match[2]));
    if (formatRatio(read) === text) return read;
  }
  throw new AceError('InvalidAmount', 'Not an exact ratio');
}

/** Exact product, in lowest terms. */
export function multiply(a: Ratio, b: Ratio): Ratio {
  return ratio(a.num * b.num, a.den * b.den);
}

/** Exact quotient, in lowest terms. @throws AceError `InvalidAmount` when `b` is zero. */
export function divide(a: Ratio, b: Ratio): Ratio {
  return ratio(a.num * b.den, a.den * b.num);
}

/** amount × r, rounded down. */
export function timesDown(amount: bigint, r: Ratio): bigint {
  return (amount * r.num) / r.den;
}

/** amount × r, rounded up. */
export function timesUp(amount: bigint, r: Ratio): bigint {
  return ceilDiv(amount * r.num, r.den);
}

/** amount ÷ r, rounded down. @throws AceError `InvalidAmount` when r is zero. */
export function overDown(amount: bigint, r: Ratio): bigint {
  return (amount * r.den) / divisor(r);
}

/** amount ÷ r, rounded up. @throws AceError `InvalidAmount` when r is zero. */
export function overUp(amount: bigint, r: Ratio): bigint {
  return ceilDiv(amount * r.den, divisor(r));
}

function divisor(r: Ratio): bigint {
  if (r.num === 0n) throw new AceError('InvalidAmount', 'Nothing can be divided by a ratio of zero');
  return r.num;
}

/** a ÷ b rounded up, of an `a` from 0 and a `b` from 1. */
export function ceilDiv(a: bigint, b: bigint): bigint {
  return (a + b - 1n) / b;
}

/** For a screen only: exactly `digits` decimals, rounded down. */
export function ratioToDecimal(r: Ratio, digits: number): string {
  const scaled = (r.num * 10n ** BigInt(digits)) / r.den;
  if (digits === 0) return scaled.toString();
  const text = scaled.toString().padStart(digits + 1, '0');
  return `${text.slice(0, -digits)}.${text.slice(-digits)}`;
}

function gcd(a: bigint, b: bigint): bigint {
  let [x, y] = [a, b];
  while (y !== 0n) [x, y] = [y, x % y];
  return x === 0n ? 1n : x;
}
