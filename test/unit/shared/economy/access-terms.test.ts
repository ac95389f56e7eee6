import { describe, expect, it } from 'vitest';
import {
  type AccessOffer,
  type AccessTerms,
  goesOnFrom,
  MAX_OFFERS,
  offerAt,
  offersFromPlain,
  plainTerms,
  termsFromPlain,
  withOffer,
} from '../../../../shared/economy/access-terms.ts';
import { amount } from '../../../../shared/economy/money.ts';
import { accessEndMs } from '../../../../shared/settlement/access-certificate.ts';

const SELLER = `0x${'ab'.repeat(20)}`;
const DAY_MS = 86_400_000;
const TOLERANCE_MS = 600_000;
const T0 = 1_800_000_000_000;
const offer = (fromMs: number, price: bigint, lastsMs = DAY_MS): AccessOffer => ({
  fromMs,
  priceXac: amount(price),
  lastsMs,
});
const terms = (...offers: AccessOffer[]): AccessTerms => ({ seller: SELLER, premium: false, offers });
const bought = (price: bigint, boughtAtMs: number, untilMs = boughtAtMs + DAY_MS, lastsMs = DAY_MS) => ({
  ...{
    contentId: 'b',
    seller: SELLER,
    premium: false,
    priceXac: amount(price),
    boughtAtMs,
    untilMs,
    lastsMs,
  },
});

describe('the terms of access', () => {
  it('are read as they were signed', () => {
    const two = terms(offer(T0, 5n), offer(T0 + 1, 9n, 0));
    expect(termsFromPlain(plainTerms(two))).toEqual(two);
  });

  it.each<[string, unknown]>([
    ['no offer', []],
    ['no price', [[0, 0, 0]]],
    ['a price below nothing', [[0, -1, 0]]],
    ['a fraction', [[0, 0.5, 0]]],
    ['more than there is', [[0, 10n ** 19n, 0]]],
    [
      'two of one moment',
      [
        [1, 1, 0],
        [1, 2, 0],
      ],
    ],
    [
      'a time that goes back',
      [
        [2, 1, 0],
        [1, 2, 0],
      ],
    ],
    ['more than are kept', Array.from({ length: 17 }, (_, i) => [i, 1, 0])],
    ['a field too many', [[0, 1, 0, 0]]],
  ])('are none with %s', (_, plain) => {
    expect(offersFromPlain(plain)).toBeNull();
  });

  it('ask what the offer of the moment says', () => {
    const two = terms(offer(T0, 5n), offer(T0 + DAY_MS, 9n));
    expect(offerAt(two, T0 - 1).priceXac).toBe(5n);
    expect(offerAt(two, T0 + DAY_MS - 1).priceXac).toBe(5n);
    expect(offerAt(two, T0 + DAY_MS).priceXac).toBe(9n);
  });

  it('keep all offers while there is room, and then leave out the oldest of which one span is over', () => {
    const full = (lastsMs: number) =>
      Array.from({ length: MAX_OFFERS }, (_, i) => offer(T0 + i * 3_600_000, BigInt(i + 1), lastsMs));
    // What was bought ahead may last longer than a span.
    expect(withOffer([offer(T0, 5n)], offer(T0 + 9 * DAY_MS, 9n))).toHaveLength(2);
    const next = withOffer(full(3_600_000), offer(T0 + DAY_MS, 99n));
    expect(next).toHaveLength(MAX_OFFERS);
    expect([next[0]?.priceXac, next.at(-1)?.priceXac]).toEqual([2n, 99n]);
    // One for ever is told for ever.
    const some = full(3_600_000).with(0, offer(T0, 1n, 0));
    expect(withOffer(some, offer(T0 + DAY_MS, 99n)).map(({ priceXac }) => priceXac)).toEqual([
      1n,
      ...some.slice(2).map(({ priceXac }) => priceXac),
      99n,
    ]);
    expect(withOffer(full(100 * DAY_MS), offer(T0 + DAY_MS, 99n)).length).toBeGreaterThan(MAX_OFFERS);
  });
});

describe('prices that are told later', () => {
  const known = [offer(T0, 5n), offer(T0 + DAY_MS, 9n)];
  const SINCE_MS = T0 + DAY_MS;
  const goesOn = (...told: AccessOffer[]) => goesOnFrom(known, told, SINCE_MS);

  it('go on from those of before', () => {
    expect(goesOn(...known)).toBe(true);
    expect(goesOn(...known, offer(T0 + 2 * DAY_MS, 1n), offer(T0 + 3 * DAY_MS, 2n))).toBe(true);
  });

  it.each<[string, AccessOffer[]]>([
    ['raise what was asked', [offer(T0, 6n), offer(T0 + DAY_MS, 9n)]],
    ['shorten what was sold', [offer(T0, 5n, 1), offer(T0 + DAY_MS, 9n)]],
    ['begin a price earlier', [offer(T0, 5n), offer(T0 + 1, 9n)]],
    ['put one in between', [offer(T0, 5n), offer(T0 + 1, 8n), offer(T0 + DAY_MS, 9n)]],
    ['leave one out', [offer(T0 + DAY_MS, 9n)]],
    ['leave all out', [offer(T0 + 30 * DAY_MS, 1n)]],
  ])('are refused where they %s', (_, told) => {
    expect(goesOn(...told)).toBe(false);
  });

  it('are refused where a price counts from before the record that told the last ones', () => {
    const next = offer(T0 + 2 * DAY_MS, 99n);
    expect(goesOnFrom(known, [...known, next], next.fromMs)).toBe(true);
    expect(goesOnFrom(known, [...known, next], next.fromMs + 1)).toBe(false);
  });

  it('may leave out what a change leaves out, however much was not heard in between', () => {
    let told = [offer(T0, 1n)];
    const steps = Array.from({ length: 40 }, (_, i) => {
      told = withOffer(told, offer(T0 + (i + 1) * DAY_MS, BigInt(i + 2)));
      return told;
    });
    for (const [i, before] of steps.entries()) {
      for (const after of steps.slice(i)) expect(goesOnFrom(before, after, T0)).toBe(true);
    }
  });
});

describe('what was bought', () => {
  const CHANGE_MS = T0 + DAY_MS;
  const raised = terms(offer(T0, 5n), offer(CHANGE_MS, 9n));
  const end = (...args: Parameters<typeof bought>) => accessEndMs(bought(...args), raised, TOLERANCE_MS);

  it('before a change of the price stays good until its end', () => {
    expect(end(5n, CHANGE_MS - 3_600_000)).toBe(CHANGE_MS - 3_600_000 + DAY_MS);
  });

  it('for less than was asked opens nothing', () => {
    expect(end(4n, T0)).toBeNull();
    expect(end(5n, CHANGE_MS + TOLERANCE_MS + 1)).toBeNull();
    expect(end(9n, CHANGE_MS + TOLERANCE_MS + 1)).toBe(CHANGE_MS + TOLERANCE_MS + 1 + DAY_MS);
  });

  it('in the moment of a change counts on the better price', () => {
    expect(end(5n, CHANGE_MS + TOLERANCE_MS - 1)).toBe(CHANGE_MS + TOLERANCE_MS - 1 + DAY_MS);
  });

  it('ahead at the old price lasts as long as was bought, and is prolonged at the new price alone', () => {
    expect(end(5n, CHANGE_MS - 1, T0 + 100 * DAY_MS)).toBe(T0 + 100 * DAY_MS);
    // A certificate has the time of the purchase that was last.
    expect(end(5n, CHANGE_MS + TOLERANCE_MS + 1, T0 + 100 * DAY_MS)).toBeNull();
    expect(end(9n, T0 + 2 * DAY_MS, T0 + 100 * DAY_MS)).toBe(T0 + 100 * DAY_MS);
  });

  it('for longer than one purchase lasts opens nothing, and for ever no broadcast', () => {
    expect(end(5n, T0, T0 + 2 * DAY_MS, 2 * DAY_MS)).toBeNull();
    expect(end(5n, T0, 0, 0)).toBeNull();
    expect(accessEndMs(bought(5n, T0, 0, 0), terms(offer(0, 5n, 0)), 0)).toBe(Number.POSITIVE_INFINITY);
  });

  it('from another seller, or in another pool, opens nothing', () => {
    const good = bought(5n, T0);
    expect(accessEndMs({ ...good, seller: `0x${'cd'.repeat(20)}` }, raised, 0)).toBeNull();
    expect(accessEndMs({ ...good, premium: true }, raised, 0)).toBeNull();
  });
});
