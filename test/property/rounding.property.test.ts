/**
 * Who gains by rounding when traffic is settled unit by unit, 100,000 times, instead of at once. The price is rounded up
 * and the fee down, each once in a payment, so the payer never gains and the payee at most two base units each time: 0.02
 * tokens in 100,000 settlements, of which the payer pays one half and the fee pool misses the other.
 */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { amount } from '../../shared/economy/money.ts';
import { type Funds, type Payment, planPayment } from '../../shared/economy/payment.ts';
import { priceOfUnits } from '../../shared/economy/price.ts';
import { type Ratio, ratio } from '../../shared/economy/ratio.ts';

const SETTLEMENTS = 100_000;
const TIMES = BigInt(SETTLEMENTS);
const FEE = ratio(1, 10);
const LOCKED = amount(10n ** 16n);

const received = (p: Payment) => p.xacFromPayer + p.xacEmitted;

/** What 100,000 payments of one unit move in all, each out of what the ones before have left. */
function settledApart(funds: Funds, unitPrice: Ratio, rates: { xacPerXat: Ratio; xacPerXas: Ratio }) {
  const sums = { received: 0n, burned: 0n, fee: 0n, got: 0n };
  let { XAC, XAT } = funds;
  const price = priceOfUnits(1, unitPrice);
  for (let n = 0; n < SETTLEMENTS; n++) {
    const one = planPayment({ XAC, XAT, XAS: funds.XAS }, price, rates, FEE, LOCKED);
    XAC = amount(XAC - one.xacFromPayer);
    XAT = amount(XAT - one.xatBurned);
    sums.received += received(one);
    sums.burned += one.xatBurned;
    sums.fee += one.feeXac;
    sums.got += one.payeeXac;
  }
  return sums;
}

it('a payer never gains by 100,000 settlements of one unit, a payee at most two base units each', () => {
  const anyRatio = (min: number, max: number) =>
    fc.tuple(fc.integer({ min, max }), fc.integer({ min: 1, max: 999 })).map(([n, d]) => ratio(n, d));
  fc.assert(
    fc.property(anyRatio(1, 5_000_000), anyRatio(1, 2_000), fc.boolean(), (unitPrice, xacPerXat, isInXac) => {
      const rates = { xacPerXat, xacPerXas: ratio(0) };
      // Half of it in XAC, the rest in XAT, or all of it in XAT: more than enough.
      const XAC = isInXac ? amount(priceOfUnits(SETTLEMENTS, unitPrice) / 2n) : amount(0n);
      const funds = { XAC, XAT: amount(10n ** 16n), XAS: amount(0n) };
      const whole = planPayment(funds, priceOfUnits(SETTLEMENTS, unitPrice), rates, FEE, LOCKED);
      const apart = settledApart(funds, unitPrice, rates);
      const more = apart.received - received(whole);
      expect(more).toBeGreaterThanOrEqual(0n);
      expect(more).toBeLessThan(TIMES);
      expect(apart.burned).toBeGreaterThanOrEqual(whole.xatBurned);
      expect(apart.fee + apart.got).toBe(apart.received);
      // Down, once each time: the pool misses less than a base unit of a tenth of what was received.
      const missing = apart.received - 10n * apart.fee;
      expect(missing).toBeGreaterThanOrEqual(0n);
      expect(missing).toBeLessThan(10n * TIMES);
      expect(apart.got - whole.payeeXac).toBeLessThan(2n * TIMES);
    }),
    { numRuns: 4 },
  );
});
