import { describe, expect, it } from 'vitest';
import { amount, MAX_AMOUNT, parseAmount, ZERO } from '../../../../shared/economy/money.ts';
import { type Funds, planPayment, purchasingPowerXac } from '../../../../shared/economy/payment.ts';
import { ratio } from '../../../../shared/economy/ratio.ts';
import { expectAceError } from '../../../helpers/ace-error.ts';

const ONE_TO_ONE = { xacPerXat: ratio(1), xacPerXas: ratio(1) };
const TENTH = ratio(1, 10);
const LOCKED = parseAmount('1000');

function funds(xac: bigint, xat = 0n, xas = 0n): Funds {
  return { XAC: amount(xac), XAT: amount(xat), XAS: amount(xas) };
}

function pay(from: Funds, price: bigint, rates = ONE_TO_ONE, locked = LOCKED) {
  return planPayment(from, amount(price), rates, TENTH, locked);
}

describe('planPayment', () => {
  it('takes XAC first and burns nothing while it reaches', () => {
    expect(pay(funds(100n, 100n, 100n), 100n)).toMatchObject({
      xacFromPayer: 100n,
      xatBurned: 0n,
      xasFromPayer: 0n,
    });
  });

  it('burns XAT for what XAC does not cover, and unlocks as much', () => {
    expect(pay(funds(40n, 100n, 100n), 100n)).toMatchObject({
      xacFromPayer: 40n,
      xatBurned: 60n,
      xacEmitted: 60n,
      xatUnlocked: 60n,
      xasFromPayer: 0n,
    });
  });

  it('takes XAS last, and moves it to the payee', () => {
    expect(pay(funds(40n, 30n, 30n), 100n)).toMatchObject({
      xacFromPayer: 40n,
      xatBurned: 30n,
      xasFromPayer: 30n,
      payeeXas: 27n,
      feeXas: 3n,
    });
  });

  it('is refused when all three together are one base unit short', () => {
    expectAceError('InsufficientFunds', () => pay(funds(40n, 30n, 29n), 100n));
  });

  it('is refused when a token is worth nothing', () => {
    const rates = { xacPerXat: ratio(0), xacPerXas: ratio(0) };
    expectAceError('InsufficientFunds', () => pay(funds(0n, 100n, 100n), 1n, rates));
  });

  it('unlocks no more than lockedPool holds', () => {
    expect(pay(funds(0n, 100n), 100n, ONE_TO_ONE, amount(30n))).toMatchObject({
      xatBurned: 100n,
      xatUnlocked: 30n,
    });
  });

  it('rounds the fee down and gives the payee the rest', () => {
    expect(pay(funds(100n), 19n)).toMatchObject({ feeXac: 1n, payeeXac: 18n });
    expect(pay(funds(100n), 9n)).toMatchObject({ feeXac: 0n, payeeXac: 9n });
  });

  it('rounds the burned XAT up to one base unit', () => {
    const rates = { xacPerXat: ratio(3), xacPerXas: ratio(1) };
    expect(pay(funds(0n, 10n), 4n, rates)).toMatchObject({ xatBurned: 2n, xacEmitted: 4n });
  });

  it('burns nothing that no XAC can be emitted for', () => {
    const rates = { xacPerXat: ratio(1, 1_000_000), xacPerXas: ratio(1) };
    expect(pay(funds(0n, 999_999n, 5n), 5n, rates)).toMatchObject({ xatBurned: 0n, xasFromPayer: 5n });
  });

  it('of nothing moves nothing', () => {
    expect(Object.values(pay(funds(1n, 1n, 1n), 0n))).toEqual(Array(9).fill(0n));
  });
});

describe('purchasingPowerXac', () => {
  it('rounds each token down', () => {
    const rates = { xacPerXat: ratio(1, 2), xacPerXas: ratio(1, 3) };
    expect(purchasingPowerXac(funds(1n, 3n, 5n), rates)).toBe(1n + 1n + 1n);
  });

  it('is never more than can exist', () => {
    const rates = { xacPerXat: ratio(1_000_000), xacPerXas: ratio(1) };
    const power = purchasingPowerXac({ XAC: ZERO, XAT: amount(MAX_AMOUNT), XAS: ZERO }, rates);
    expect(power).toBe(MAX_AMOUNT);
    expect(pay(funds(0n, MAX_AMOUNT), power, rates).xacEmitted).toBe(MAX_AMOUNT);
  });
});
