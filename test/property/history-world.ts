/** What a random history begins with and is made of: accounts, settings, genesis, and steps of shares and choices. */
import fc from 'fast-check';
import { EXCHANGE_POOLS, TRADED_TOKENS } from '../../shared/economy/exchange.ts';
import type { Place } from '../../shared/economy/holdings.ts';
import { amount, TOKENS, type Token } from '../../shared/economy/money.ts';
import { type Ratio, ratio } from '../../shared/economy/ratio.ts';
import type { Genesis, NetworkSettings } from '../../shared/economy/settings.ts';
import { testAccount, testSettings } from '../helpers/chain.ts';

export const ACCOUNTS = Array.from({ length: 22 }, (_, i) => testAccount(i + 1));
export const ADDRESSES = ACCOUNTS.map(({ address }) => address);
/** Treasury, market feed and faucet: it has most of what there is. */
export const TREASURY = ADDRESSES[0] as string;
export const LIMIT_UNITS = 2_000;
/** 100,000,000,000 XAT, as at genesis of the network. */
export const WHOLE_SUPPLY = 10n ** 18n;

export const KINDS = [
  'topup',
  'transfer',
  'deposit',
  'withdraw',
  'mint',
  'swap',
  'access',
  'reward',
  'feed',
  'link',
  'batch',
  'replayBatch',
  'replayOperation',
  'restart',
  'overspend',
  'overrepay',
] as const;
export type Kind = (typeof KINDS)[number];
/** A share of what there is: one base unit, all of it, or m × 10^-e of it. */
export type Share = 'one' | 'all' | readonly [digit: number, exponent: number];
const share: fc.Arbitrary<Share> = fc.oneof(
  { weight: 1, arbitrary: fc.constant<Share>('one') },
  { weight: 1, arbitrary: fc.constant<Share>('all') },
  { weight: 8, arbitrary: fc.tuple(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 15 })) },
);
const who = fc.nat(ACCOUNTS.length - 1);
const weighted: readonly (readonly [Kind, number])[] = KINDS.map((kind) => [
  kind,
  kind === 'batch' ? 6 : kind === 'topup' ? 3 : 2,
]);
const step = fc.record({
  kind: fc.oneof(...weighted.map(([kind, weight]) => ({ weight, arbitrary: fc.constant(kind) }))),
  who,
  to: who,
  token: fc.constantFrom(...TOKENS),
  pair: fc.constantFrom(...TRADED_TOKENS),
  flag: fc.boolean(),
  share,
  pick: fc.nat(10_000),
  waitMs: fc.constantFrom(0, 1, 1_000, 60_000, 3_600_000),
  pairs: fc.array(fc.record({ payer: who, payee: who, units: fc.oneof(fc.nat(5), fc.nat(3_000)) }), {
    maxLength: 8,
  }),
  repayPercent: fc.constantFrom(0, 1, 50, 100),
  watched: fc.record({ videoUnits: fc.bigInt(0n, 10n ** 6n), watchMs: fc.bigInt(0n, 10n ** 9n) }),
});
export type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** 10^-6 to 10^6, as likely small as large. */
const rate: fc.Arbitrary<Ratio> = fc
  .tuple(fc.integer({ min: 1, max: 9 }), fc.integer({ min: -6, max: 5 }))
  .map(([digit, exponent]) =>
    exponent < 0 ? ratio(digit, 10n ** BigInt(-exponent)) : ratio(BigInt(digit) * 10n ** BigInt(exponent)),
  );
const anyRate = fc.oneof(
  { weight: 4, arbitrary: rate },
  { weight: 1, arbitrary: fc.constantFrom(ratio(1, 1_000_000), ratio(1_000_000), ratio(1, 3)) },
);
const magnitude = (least: number, most: number) =>
  fc.integer({ min: least, max: most }).map((exponent) => 10n ** BigInt(exponent));

export const world = fc.record({
  xacPerXat: fc.option(anyRate, { freq: 3 }),
  xacPerXas: fc.option(anyRate, { freq: 3 }),
  trafficRate: anyRate,
  fee: fc.nat(100).map((percent) => ratio(percent, 100)),
  lockedXat: fc.constantFrom(0n, 1n, WHOLE_SUPPLY / 10n, (WHOLE_SUPPLY * 9n) / 10n),
  /** Of each traded token and of the XAC beside it. */
  reserves: fc.array(magnitude(6, 15), { minLength: 6, maxLength: 6 }),
  funds: fc.array(fc.tuple(who, fc.constantFrom(...TOKENS), magnitude(0, 15)), {
    minLength: 10,
    maxLength: 40,
  }),
});
export type World = typeof world extends fc.Arbitrary<infer T> ? T : never;
export const history = (least: number) =>
  fc.array(step, { minLength: least, maxLength: least + 30, size: 'max' });

export function settingsOf(start: World): NetworkSettings {
  return testSettings({
    pinnedXacPerXat: start.xacPerXat,
    pinnedXacPerXas: start.xacPerXas,
    initialTrafficRate: start.trafficRate,
    priorWeightHours: 1,
    trafficFee: start.fee,
    trafficCreditLimitUnits: LIMIT_UNITS,
    rateWindowMs: 60_000,
    feedAccount: TREASURY,
    treasury: TREASURY,
  });
}

export function genesisOf({ lockedXat, reserves, funds }: World): Genesis {
  const accounts = funds.map(([i, token, sum], n) => ({
    address: addressOf(i),
    place: placeOf(token, n),
    token,
    amount: amount(sum),
  }));
  for (const token of TOKENS) {
    const sum = token === 'XAC' ? 10n ** 16n : WHOLE_SUPPLY - (token === 'XAT' ? lockedXat : 0n);
    // Half of what the treasury has pays rewards, the other is given away.
    const [kept, spent] = token === 'XAB' ? [sum, 0n] : [sum - sum / 2n, sum / 2n];
    accounts.push({ address: TREASURY, place: 'main', token, amount: amount(kept) });
    if (spent > 0n) accounts.push({ address: TREASURY, place: 'services', token, amount: amount(spent) });
  }
  return {
    accounts,
    pools: [
      { pool: 'lockedPool', token: 'XAT', amount: amount(lockedXat) },
      ...TRADED_TOKENS.flatMap((token, i) => [
        { pool: EXCHANGE_POOLS[token], token, amount: amount(reserves[2 * i] ?? 0n) },
        { pool: EXCHANGE_POOLS[token], token: 'XAC' as const, amount: amount(reserves[2 * i + 1] ?? 0n) },
      ]),
    ],
  };
}

function placeOf(token: Token, n: number): Place {
  return token === 'XAB' || n % 2 === 0 ? 'main' : 'services';
}

export function addressOf(index: number): string {
  return ADDRESSES[index] ?? '';
}
