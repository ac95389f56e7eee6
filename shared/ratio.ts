import { AceError } from './errors.ts';

/** An exact, non-negative rational number. Rates and fees are ratios; nothing near money is a float. */
export interface Ratio {
  readonly num: bigint;
  readonly den: bigint;
}

/** @throws AceError `InvalidAmount` when the denominator is not positive or the numerator is negative. */
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

export function multiply(a: Ratio, b: Ratio): Ratio {
  return ratio(a.num * b.num, a.den * b.den);
}

/** @throws AceError `InvalidAmount` when `b` is zero. */
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
  return timesDown(amount, inverse(r));
}

/** amount ÷ r, rounded up. @throws AceError `InvalidAmount` when r is zero. */
export function overUp(amount: bigint, r: Ratio): bigint {
  return timesUp(amount, inverse(r));
}

/** @throws AceError `InvalidAmount` when r is zero. */
export function inverse(r: Ratio): Ratio {
  return ratio(r.den, r.num);
}

export function ceilDiv(a: bigint, b: bigint): bigint {
  return (a + b - 1n) / b;
}

/** For a screen only: up to `digits` decimals, rounded down. */
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
