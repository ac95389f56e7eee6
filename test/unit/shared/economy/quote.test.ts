import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { amount } from '../../../../shared/economy/money.ts';
import {
  type QuoteBasis,
  quoteTopUp,
  quoteTraffic,
  topUpThatPays,
} from '../../../../shared/economy/quote.ts';
import { ratio } from '../../../../shared/economy/ratio.ts';
import { expectAceError } from '../../../helpers/ace-error.ts';

/** 10 XAC or 5 XAT base units per unit, a tenth as fee. */
function basis(xac = 0n, xat = 0n, xas = 0n, creditLeftUnits = 100): QuoteBasis {
  return {
    funds: { XAC: amount(xac), XAT: amount(xat), XAS: amount(xas) },
    creditLeftUnits,
    owes: false,
    price: { rates: { xacPerXat: ratio(2), xacPerXas: ratio(1, 2) }, unitPriceXac: ratio(10) },
    unitPriceXat: ratio(5),
    trafficFee: ratio(1, 10),
  };
}

describe('quoteTraffic', () => {
  it('says how each part is covered, in the order of the rules', () => {
    expect(quoteTraffic(150, basis(15n, 10n, 30n))).toEqual({
      units: 150,
      priceXac: 1_500n,
      priceXat: 750n,
      paidUnits: 5,
      creditUnits: 100,
      uncoveredUnits: 45,
      payment: {
        xacFromPayer: 15n,
        xatBurned: 10n,
        xacEmitted: 20n,
        xasFromPayer: 30n,
        xatUnlocked: 0n,
        feeXac: 3n,
        feeXas: 3n,
        payeeXac: 32n,
        payeeXas: 27n,
      },
    });
  });

  it('without funds moves nothing', () => {
    expect(quoteTraffic(7, basis())).toMatchObject({ paidUnits: 0, creditUnits: 7, payment: null });
  });

  it('refuses what would cost more than there is', () => {
    const dear = { ...basis(), price: { ...basis().price, unitPriceXac: ratio(10n ** 18n) } };
    expectAceError('InvalidAmount', () => quoteTraffic(1_000, dear));
  });
});

describe('quoteTopUp', () => {
  const loans = [
    { creditor: 'b', units: 3 },
    { creditor: 'c', units: 5 },
  ];

  it('repays the oldest loan first, then what is pending, and says what is left', () => {
    const quote = quoteTopUp(amount(50n), loans, 1, basis());
    expect(quote.repayments.map((r) => [r.creditor, r.units, r.stillOwedUnits, r.payment.xatBurned])).toEqual(
      [
        ['b', 3, 0, 15n],
        ['c', 5, 0, 25n],
      ],
    );
    expect(quote.pending).toMatchObject({ units: 1, payment: { xatBurned: 5n } });
    expect(quote.left).toEqual({ XAC: 0n, XAT: 5n, XAS: 0n });
  });

  it('pays nothing new while a loan is open', () => {
    const quote = quoteTopUp(amount(24n), loans, 1, basis());
    expect(quote.repayments.at(-1)).toMatchObject({ creditor: 'c', units: 1, stillOwedUnits: 4 });
    expect(quote).toMatchObject({ pending: null, left: { XAT: 4n } });
  });

  it('that buys no whole unit changes nothing', () => {
    expect(quoteTopUp(amount(4n), loans, 1, basis())).toMatchObject({ repayments: [], left: { XAT: 4n } });
  });
});

describe('topUpThatPays', () => {
  const units = fc.integer({ min: 1, max: 5_000 });
  const million = fc.integer({ min: 1, max: 1_000_000 });
  const rate = fc.tuple(million, million).map(([num, den]) => ratio(num, den));
  const money = fc.bigInt(0n, 10n ** 9n).map(amount);

  it('is enough for everything, and the least that is', () => {
    fc.assert(
      fc.property(
        fc.array(units, { maxLength: 4 }),
        fc.oneof(fc.constant(0), units),
        fc.record({ XAC: money, XAT: money }),
        fc.record({ xacPerXat: rate, unitPriceXac: rate }),
        (loanUnits, pendingUnits, funds, { xacPerXat, unitPriceXac }) => {
          const loans = loanUnits.map((n, i) => ({ creditor: `c${i}`, units: n }));
          const of: QuoteBasis = {
            ...basis(),
            funds: { ...funds, XAS: amount(0n) },
            price: { rates: { xacPerXat, xacPerXas: ratio(1) }, unitPriceXac },
          };
          const least = topUpThatPays(loans, pendingUnits, of);
          const paysAll = (topUp: bigint) => {
            const { repayments, pending } = quoteTopUp(amount(topUp), loans, pendingUnits, of);
            const repaid = repayments.reduce((sum, r) => sum + r.units, 0);
            return repaid === loanUnits.reduce((a, b) => a + b, 0) && (pending?.units ?? 0) === pendingUnits;
          };
          expect(paysAll(least)).toBe(true);
          if (least > 0n) expect(paysAll(least - 1n)).toBe(false);
        },
      ),
    );
  });

  it('is nothing while XAT buys nothing', () => {
    const dead = {
      ...basis(),
      price: { ...basis().price, rates: { xacPerXat: ratio(0), xacPerXas: ratio(0) } },
    };
    expect(topUpThatPays([{ creditor: 'b', units: 3 }], 1, dead)).toBe(0n);
  });
});
