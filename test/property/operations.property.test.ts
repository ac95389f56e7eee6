/**
 * The rules of ECONOMY.md over random histories of everything an account can sign, between settlement batches, at rates
 * of the exchange and at pinned ones; and that the log gives the same chain again.
 */
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openEmbeddedChain } from '../../main/chain/embedded/embedded-chain.ts';
import { verifyChain } from '../../main/chain/embedded/verify.ts';
import type { MainChain } from '../../main/chain/port.ts';
import { signOperation } from '../../main/wallet/account.ts';
import { isAceError } from '../../shared/errors.ts';
import { EXCHANGE_POOLS, TRADED_TOKENS } from '../../shared/exchange.ts';
import { amount, TOKENS } from '../../shared/money.ts';
import { type Operation, REWARD_PURPOSES } from '../../shared/operation.ts';
import { type Ratio, ratio } from '../../shared/ratio.ts';
import type { Genesis } from '../../shared/settings.ts';
import { entry, heldAndOwed, settle, snapshot, testAccount, testSettings } from '../helpers/chain.ts';
import { tempDir } from '../helpers/temp-dir.ts';

const TIME_LIMIT_MS = 12_000;
const ACCOUNTS = [1, 2, 3].map(testAccount);
const ADDRESSES = ACCOUNTS.map(({ address }) => address);
const TREASURY = ADDRESSES[0] ?? '';
/** What a refusal may be called; anything else is a bug. */
const REFUSALS = [
  'InvalidAmount',
  'InvalidInput',
  'InsufficientFunds',
  'SlippageExceeded',
  'NoMarket',
  'DeadlinePassed',
  'NotAllowed',
] as const;

const who = fc.nat(ACCOUNTS.length - 1);
const address = fc.constantFrom(...ADDRESSES);
const token = fc.constantFrom(...TOKENS);
const money = fc
  .oneof(fc.bigInt(1n, 20n), fc.bigInt(1n, 10n ** 10n), fc.bigInt(1n, 10n ** 18n))
  .map((baseUnits) => amount(baseUnits));
const bound = fc.oneof(fc.constant(amount(0n)), money);
const million = fc.integer({ min: 1, max: 1_000_000 });
const rate: fc.Arbitrary<Ratio> = fc.tuple(million, million).map(([num, den]) => ratio(num, den));

const fields = fc.oneof(
  fc.record({ kind: fc.constant('transfer'), to: address, token, amount: money }),
  fc.record({ kind: fc.constant('mint'), amountXat: money, maxXab: fc.constant(amount(10n ** 18n)) }),
  fc.record({
    kind: fc.constant('swap'),
    sell: token,
    buy: token,
    amount: money,
    minReceived: bound,
    deadlineMs: fc.constantFrom(0, Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER),
  }),
  fc.record({
    kind: fc.constant('access'),
    to: address,
    contentId: fc.constant('bafy'),
    priceXac: money,
    premium: fc.boolean(),
  }),
  fc.record({
    kind: fc.constant('reward'),
    to: address,
    amountXac: money,
    purpose: fc.constantFrom(...REWARD_PURPOSES),
  }),
  fc.record({ kind: fc.constant('feed'), aceBytePriceUsd: fc.constantFrom('0.000001', '0.3', '1000000') }),
);
const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ operation: fields, from: who }) },
  {
    weight: 1,
    arbitrary: fc.record({ consume: fc.tuple(who, who, fc.integer({ min: 1, max: 5_000 })) }),
  },
);
const world = fc.record({
  pinned: fc.option(rate),
  reserves: fc.array(fc.bigInt(1n, 10n ** 15n), { minLength: 6, maxLength: 6 }),
  funds: fc.array(fc.tuple(who, token, money), { maxLength: 8 }),
  steps: fc.array(step, { minLength: 1, maxLength: 12 }),
});

describe('operations', () => {
  it('hold the rules after every step of any history', { timeout: 4 * TIME_LIMIT_MS }, async () => {
    await fc.assert(
      fc.asyncProperty(world, async ({ pinned, reserves, funds, steps }) => {
        const { settings, genesis } = found(pinned, reserves, funds);
        const chain = openEmbeddedChain({ path: ':memory:', settings, genesis, nowMs: () => 1 });
        for (const each of steps) {
          await take(chain, each);
          await checkBooks(chain, genesis);
        }
        await chain.close();
      }),
      { numRuns: 400, interruptAfterTimeLimit: TIME_LIMIT_MS },
    );
  });

  it('are all in the log: it gives the same chain again', { timeout: 4 * TIME_LIMIT_MS }, async () => {
    await fc.assert(
      fc.asyncProperty(world, async ({ pinned, reserves, funds, steps }) => {
        const { settings, genesis } = found(pinned, reserves, funds);
        const dir = tempDir();
        const path = join(dir, 'chain.db');
        let nowMs = 0;
        const chain = openEmbeddedChain({ path, settings, genesis, nowMs: () => (nowMs += 7_000) });
        for (const each of steps) await take(chain, each);
        const { height } = await chain.head();
        await chain.close();
        const verified = await verifyChain({ path, settings, genesis, scratchPath: join(dir, 'again.db') });
        expect(verified.height).toBe(height);
      }),
      { numRuns: 60, interruptAfterTimeLimit: TIME_LIMIT_MS },
    );
  });
});

type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

function found(pinned: Ratio | null, reserves: readonly bigint[], funds: readonly (readonly unknown[])[]) {
  const settings = testSettings({
    pinnedXacPerXat: pinned,
    pinnedXacPerXas: pinned,
    rateWindowMs: 10_000,
    feedAccount: TREASURY,
    treasury: TREASURY,
  });
  const genesis: Genesis = {
    accounts: (funds as [number, (typeof TOKENS)[number], bigint][]).map(([i, name, sum]) => ({
      address: ADDRESSES[i] ?? '',
      token: name,
      amount: amount(sum),
    })),
    pools: [
      { pool: 'lockedPool', token: 'XAT', amount: amount(reserves[0] ?? 0n) },
      ...TRADED_TOKENS.flatMap((name, i) => [
        { pool: EXCHANGE_POOLS[name], token: name, amount: amount(reserves[2 * i] ?? 0n) },
        { pool: EXCHANGE_POOLS[name], token: 'XAC' as const, amount: amount(reserves[2 * i + 1] ?? 0n) },
      ]),
    ],
  };
  return { settings, genesis };
}

/** Does a step; one that is refused has changed nothing. */
async function take(chain: MainChain, each: Step): Promise<void> {
  const before = await stateOf(chain);
  try {
    if ('consume' in each) {
      const [payer, payee, units] = each.consume;
      if (payer !== payee)
        await settle(chain, [entry(ADDRESSES[payer] ?? '', ADDRESSES[payee] ?? '', units)]);
      return;
    }
    const signer = ACCOUNTS[each.from];
    if (!signer) return;
    const { nonce } = await chain.account(signer.address);
    const operation = { ...each.operation, from: signer.address, nonce } as Operation;
    await chain.submit(await signOperation(signer, chain.settings(), operation));
  } catch (error) {
    if (!REFUSALS.some((code) => isAceError(error, code)) && !isTooMuch(error)) throw error;
    expect(await stateOf(chain)).toEqual(before);
  }
}

/** At a high rate a large fund stands for more XAC than can exist: the one rule that a history here may run into. */
function isTooMuch(error: unknown): boolean {
  return isAceError(error, 'InvariantViolated') && error.message.endsWith('than can exist');
}

/** All that an operation could change. Rates are not: they move with time alone. */
async function stateOf(chain: MainChain) {
  const { market, ...state } = await snapshot(chain);
  return { ...state, totals: market.totals, aceBytePriceUsd: market.aceBytePriceUsd };
}

async function checkBooks(chain: MainChain, genesis: Genesis): Promise<void> {
  for (const name of TOKENS) {
    const { held, owed } = await heldAndOwed(chain, name);
    expect(held).toBe(owed);
  }
  const pools = await chain.pools();
  const locked = genesis.pools.find(({ pool }) => pool === 'lockedPool')?.amount ?? 0n;
  expect(pools.lockedPool.XAT + pools.unlockedPool.XAT).toBe(locked);
  for (const { creditUsedUnits } of await chain.accounts()) {
    expect(creditUsedUnits).toBeLessThanOrEqual(chain.settings().trafficCreditLimitUnits);
  }
}
