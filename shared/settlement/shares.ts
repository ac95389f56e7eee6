/**
 * Shares of what was counted as a whole: units and money of a settlement for the titles that they were for. Rounding
 * neither loses nor adds anything: the shares of a sum are that sum.
 */

/** Splits `total` by weights; where none weighs anything, the first gets it all. */
export function splitAmount(total: bigint, weights: readonly number[]): bigint[] {
  const sum = weights.reduce((all, weight) => all + BigInt(weight), 0n);
  if (sum === 0n) return weights.map((_, i) => (i === 0 ? total : 0n));
  let weighed = 0n;
  let given = 0n;
  return weights.map((weight) => {
    weighed += BigInt(weight);
    const share = (total * weighed) / sum - given;
    given += share;
    return share;
  });
}

/** The same of whole units. */
export function splitUnits(total: number, weights: readonly number[]): number[] {
  return splitAmount(BigInt(total), weights).map(Number);
}

/** Takes `total` units from parts in their order, each as far as it goes. What is left over is in no part. */
export function takeUnits(total: number, parts: readonly number[]): number[] {
  let left = total;
  return parts.map((part) => {
    const taken = Math.min(part, left);
    left -= taken;
    return taken;
  });
}
