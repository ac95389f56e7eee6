import { describe, expect, it } from 'vitest';
import {
  affordableUnits,
  afterPayment,
  coveredUnits,
  creditLeftUnits,
  type PriceSnapshot,
  payUnits,
  planRepayments,
  splitUnits,
} from '../../../../shared/economy/credit.ts';
import { amount } from '../../../../shared/economy/money.ts';
import type { Funds } from '../../../../shared/economy/payment.ts';
import { ratio } from '../../../../shared/economy/ratio.ts';
import { expectAceError } from '../../../helpers/ace-error.ts';

const FEE = ratio(1, 10);
const LOCKED = amount(0n);
/** 10 XAC base units per traffic unit. */
const PRICE: PriceSnapshot = { rates: { xacPerXat: ratio(1), xacPerXas: ratio(1) }, unitPriceXac: ratio(10) };

function funds(xac: bigint, xat = 0n, xas = 0n): Funds {
  return { XAC: amount(xac), XAT: amount(xat), XAS: amount(xas) };
}

describe('creditLeftUnits', () => {
  it('is the limit less what is used', () => {
    expect(creditLeftUnits(10, 0)).toBe(10);
    expect(creditLeftUnits(10, 10)).toBe(0);
  });

  it.each([-1, 11, 0.5])('refuses %d units used of 10', (used) => {
    expectAceError('InvariantViolated', () => creditLeftUnits(10, used));
  });
});

describe('affordableUnits', () => {
  it('counts whole units only', () => {
    expect(affordableUnits(funds(9n), PRICE, 5)).toBe(0);
    expect(affordableUnits(funds(10n), PRICE, 5)).toBe(1);
    expect(affordableUnits(funds(10n, 9n, 1n), PRICE, 5)).toBe(2);
  });

  it('is no more than was asked for', () => {
    expect(affordableUnits(funds(1_000n), PRICE, 5)).toBe(5);
    expect(affordableUnits(funds(0n), { ...PRICE, unitPriceXac: ratio(0) }, 5)).toBe(5);
  });

  it('is what can be paid, and one unit more cannot', () => {
    const third = { ...PRICE, unitPriceXac: ratio(10, 3) };
    const units = affordableUnits(funds(100n), third, 1_000);
    expect(units).toBe(30);
    expect(payUnits(units, funds(100n), third, FEE, LOCKED).xacFromPayer).toBe(100n);
    expectAceError('InsufficientFunds', () => payUnits(units + 1, funds(100n), third, FEE, LOCKED));
  });

  it('can be paid even where funds are worth more than can exist', () => {
    const price = { rates: { xacPerXat: ratio(1_000_000), xacPerXas: ratio(1) }, unitPriceXac: ratio(10) };
    const rich = funds(0n, 10n ** 18n);
    const units = affordableUnits(rich, price, Number.MAX_SAFE_INTEGER);
    expect(units).toBe(Number.MAX_SAFE_INTEGER);
    expect(payUnits(units, rich, price, FEE, LOCKED).xacEmitted).toBe(BigInt(units) * 10n);
    const dear = { ...price, unitPriceXac: ratio(1_000) };
    expect(affordableUnits(rich, dear, Number.MAX_SAFE_INTEGER)).toBe(9_000_000_000_000_000);
  });
});

describe('splitUnits', () => {
  it.each([
    ['all from funds', 5, 50n, 100, { paidUnits: 5, creditUnits: 0, refusedUnits: 0 }],
    ['the rest on credit', 5, 25n, 100, { paidUnits: 2, creditUnits: 3, refusedUnits: 0 }],
    ['credit to its very end', 5, 0n, 5, { paidUnits: 0, creditUnits: 5, refusedUnits: 0 }],
    ['what neither covers refused', 5, 25n, 2, { paidUnits: 2, creditUnits: 2, refusedUnits: 1 }],
    ['all refused at limit 0', 5, 9n, 0, { paidUnits: 0, creditUnits: 0, refusedUnits: 5 }],
    ['nothing of nothing', 0, 9n, 0, { paidUnits: 0, creditUnits: 0, refusedUnits: 0 }],
  ])('covers %s', (_, units, xac, creditLeft, split) => {
    expect(splitUnits(units, funds(xac), creditLeft, false, PRICE)).toEqual(split);
  });

  it.each([
    ['on credit while there is some', 5, 50n, 100, { paidUnits: 0, creditUnits: 5, refusedUnits: 0 }],
    ['from funds what credit does not hold', 5, 50n, 2, { paidUnits: 3, creditUnits: 2, refusedUnits: 0 }],
    ['no more than both', 9, 50n, 2, { paidUnits: 5, creditUnits: 2, refusedUnits: 2 }],
  ])('covers the traffic of an account that owes %s', (_, units, xac, creditLeft, split) => {
    expect(splitUnits(units, funds(xac), creditLeft, true, PRICE)).toEqual(split);
  });
});

describe('coveredUnits', () => {
  const price = (num: number, den = 1): PriceSnapshot => ({
    rates: { xacPerXat: ratio(1, 3), xacPerXas: ratio(0) },
    unitPriceXac: ratio(num, den),
  });

  it('counts each unit at its price in whole base units, per token', () => {
    // 2.5 XAC are 3; 3 XAC are 9 XAT.
    expect(coveredUnits(funds(8n, 20n), price(5, 2), 100)).toBe(2 + 2);
    expect(affordableUnits(funds(8n, 20n), price(5, 2), 100)).toBe(5);
  });

  it('is what any split into payments can pay', () => {
    const cheap = price(1, 1_000);
    let left = funds(0n, 30n);
    for (let i = coveredUnits(left, cheap, 100); i > 0; i--) {
      left = afterPayment(left, payUnits(1, left, cheap, FEE, LOCKED));
    }
    expect(left.XAT).toBe(0n);
  });

  it('is at most what is asked for, and all of it where traffic is free', () => {
    expect(coveredUnits(funds(900n), price(1), 7)).toBe(7);
    expect(coveredUnits(funds(0n), price(0), 7)).toBe(7);
  });
});

describe('planRepayments', () => {
  const loans = [
    { creditor: 'b', units: 3 },
    { creditor: 'c', units: 7 },
  ];

  it('repays all loans when the funds reach', () => {
    expect(planRepayments(loans, funds(100n), PRICE, FEE)).toMatchObject([
      { creditor: 'b', units: 3, payment: { xacFromPayer: 30n } },
      { creditor: 'c', units: 7, payment: { xacFromPayer: 70n } },
    ]);
  });

  it('repays the oldest first, the last one in part', () => {
    expect(planRepayments(loans, funds(59n), PRICE, FEE)).toMatchObject([
      { creditor: 'b', units: 3 },
      { creditor: 'c', units: 2 },
    ]);
    expect(planRepayments(loans, funds(29n), PRICE, FEE)).toMatchObject([{ creditor: 'b', units: 2 }]);
  });

  it('leaves out what gets nothing', () => {
    expect(planRepayments(loans, funds(9n), PRICE, FEE)).toEqual([]);
    expect(planRepayments([], funds(9n), PRICE, FEE)).toEqual([]);
  });
});

describe('afterPayment', () => {
  it('takes what the payer gave', () => {
    const before = funds(5n, 5n, 5n);
    const payment = payUnits(1, before, PRICE, FEE, LOCKED);
    expect(afterPayment(before, payment)).toEqual(funds(0n, 0n, 5n));
  });
});
