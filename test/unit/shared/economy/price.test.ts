import { describe, expect, it } from 'vitest';
import { MAX_AMOUNT } from '../../../../shared/economy/money.ts';
import {
  aceTimePrice,
  genesisTotals,
  priceOfUnits,
  trafficRate,
  unitPriceXac,
  unitPriceXat,
} from '../../../../shared/economy/price.ts';
import { ratio, ratioFromDecimal } from '../../../../shared/economy/ratio.ts';
import { expectAceError } from '../../../helpers/ace-error.ts';

const RATE = ratioFromDecimal('3.5');

describe('trafficRate', () => {
  it.each([1, 10, 1_000_000])('is the initial rate at genesis, whatever its weight of %i hours', (hours) => {
    expect(trafficRate(genesisTotals(RATE, hours))).toEqual(RATE);
  });

  it('weighs as many hours as it was given', () => {
    expect(genesisTotals(RATE, 10)).toEqual({ videoUnits: 35n * 1_024n, watchMs: 36_000_000n });
  });

  it('weighs more hours where that is needed to be exact', () => {
    const third = ratio(1, 3);
    expect(genesisTotals(third, 1)).toEqual({ videoUnits: 1_024n, watchMs: 3n * 3_600_000n });
    expect(trafficRate(genesisTotals(third, 1))).toEqual(third);
  });

  it('moves with what is watched, less the more the initial rate weighs', () => {
    const rateWhenWatched = (hours: number) => {
      const { videoUnits, watchMs } = genesisTotals(RATE, hours);
      return trafficRate({ videoUnits: videoUnits + 7n * 1_024n, watchMs: watchMs + 3_600_000n });
    };
    expect(rateWhenWatched(1)).toEqual(ratioFromDecimal('5.25'));
    expect(rateWhenWatched(1_000)).toEqual(ratio(3_507, 1_001));
  });

  it.each([
    { videoUnits: 0n, watchMs: 1n },
    { videoUnits: 1n, watchMs: 0n },
  ])('is unknown before anything was watched', (totals) => {
    expectAceError('InvalidInput', () => trafficRate(totals));
  });
});

describe('price', () => {
  it('of a unit is watchMs × 10^7 / (videoUnits × 3,600,000) XAT base units', () => {
    const totals = { videoUnits: 123_457n, watchMs: 987_654_321n };
    expect(unitPriceXat(totals)).toEqual(ratio(987_654_321n * 10_000_000n, 123_457n * 3_600_000n));
  });

  it('in XAC is the XAT price times the exchange rate', () => {
    const totals = genesisTotals(ratio(100), 1);
    const rates = { xacPerXat: ratio(1, 2), xacPerXas: ratio(7) };
    expect(unitPriceXac(totals, rates)).toEqual(ratio(100_000, 2_048));
  });

  it('is rounded up once, for all units together', () => {
    const third = ratio(1, 3);
    expect(priceOfUnits(0, third)).toBe(0n);
    expect(priceOfUnits(1, third)).toBe(1n);
    expect(priceOfUnits(3, third)).toBe(1n);
    expect(priceOfUnits(4, third)).toBe(2n);
  });

  it('refuses a price of more than can exist', () => {
    expectAceError('InvalidAmount', () => priceOfUnits(2, ratio(MAX_AMOUNT)));
  });

  it('of 1 XAT in XAB is rounded up', () => {
    expect(aceTimePrice(ratio(1, 3), ratio(1), ratio(1))).toBe(3_333_334n);
  });
});
