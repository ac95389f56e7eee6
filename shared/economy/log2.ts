/**
 * Logarithms to base 2 in whole numbers: the same on every machine, to the last bit. For averages of prices only.
 */
import { invariant } from '../errors.ts';

/** Logarithms are whole multiples of 2^-64. */
const FRACTION_BITS = 64n;
/** Bits after the point of a mantissa while it is worked with; what is cut off there stays below 2^-64. */
const WORK_BITS = 160n;
const ONE = 1n << WORK_BITS;

/** 2^(2^-i) for i from 1 to 64, with WORK_BITS after the point: each is the square root of the one before. */
const ROOTS: readonly bigint[] = (() => {
  const roots: bigint[] = [];
  for (let root = 2n * ONE; roots.length < Number(FRACTION_BITS); ) {
    root = squareRoot(root << WORK_BITS);
    roots.push(root);
  }
  return roots;
})();

/** log2 of a whole number from 1, in 2^-64, rounded down. */
export function log2(x: bigint): bigint {
  invariant(x >= 1n, 'a logarithm is of 1 or more');
  const whole = BigInt(x.toString(2).length - 1);
  let mantissa = whole > WORK_BITS ? x >> (whole - WORK_BITS) : x << (WORK_BITS - whole);
  let log = whole;
  for (let i = 0n; i < FRACTION_BITS; i++) {
    mantissa = (mantissa * mantissa) >> WORK_BITS;
    const bit = mantissa >= 2n * ONE ? 1n : 0n;
    mantissa >>= bit;
    log = (log << 1n) | bit;
  }
  return log;
}

/** 2 to the power of `log`, which is 0 or more in 2^-64: rounded down to a whole number. */
export function exp2(log: bigint): bigint {
  invariant(log >= 0n, 'a power is of 0 or more');
  let mantissa = ONE;
  ROOTS.forEach((root, i) => {
    const bit = (log >> (FRACTION_BITS - 1n - BigInt(i))) & 1n;
    if (bit === 1n) mantissa = (mantissa * root) >> WORK_BITS;
  });
  return (mantissa << (log >> FRACTION_BITS)) >> WORK_BITS;
}

/** Rounded down (Newton). */
function squareRoot(n: bigint): bigint {
  let root = 1n << BigInt(Math.ceil(n.toString(2).length / 2));
  for (;;) {
    const next = (root + n / root) >> 1n;
    if (next >= root) return root;
    root = next;
  }
}
