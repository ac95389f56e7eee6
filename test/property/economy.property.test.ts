/**
 * The seven rules of docs/economy.md#invariants after every step of long random histories; and that the log
 * gives the same chain again.
 */
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { verifyChain } from '../../main/chain/embedded/verify.ts';
import type { ChainAccount } from '../../shared/chain.ts';
import { heldOf, SERVICES_TOKENS } from '../../shared/economy/holdings.ts';
import { TOKENS, type Token } from '../../shared/economy/money.ts';
import type { Payment } from '../../shared/economy/payment.ts';
import { type Ratio, timesDown } from '../../shared/economy/ratio.ts';
import { POOLS } from '../../shared/economy/settings.ts';
import { tempDir } from '../helpers/temp-dir.ts';
import { triesInTiers } from '../helpers/tiers.ts';
import { Economy, type Outcome } from './history.ts';
import { history, KINDS, type Kind, world } from './history-world.ts';

const RUNS = triesInTiers(4, 12);
const STEPS = 100;
/** Of each kind, what must have succeeded in all histories together; and of all attempts, in percent. */
const LEAST_DONE = 20;
const LEAST_DONE_PERCENT = 66;

/** All that money lies in, at one moment. */
type Books = Awaited<ReturnType<typeof booksOf>>;

const done = new Map<Kind, number>();
const tried = new Map<Kind, number>();
let repayments = 0;

describe('economy', () => {
  it('holds its seven rules after every step of any long history', async () => {
    await fc.assert(
      fc.asyncProperty(world, history(STEPS), async (start, steps) => {
        const dir = tempDir();
        const path = join(dir, 'chain.db');
        const economy = new Economy(path, start);
        let before = await booksOf(economy);
        for (const step of steps) {
          const outcome = await economy.take(step);
          if (!outcome) continue;
          const after = await booksOf(economy);
          checkBooks(economy, after);
          checkStep(economy, outcome, before, after);
          before = after;
          count(outcome);
        }
        const { height } = await economy.chain.head();
        await economy.close();
        const verified = await verifyChain({ path, scratchPath: join(dir, 'again.db') });
        expect(verified.height).toBe(height);
      }),
      { numRuns: RUNS, endOnFailure: true },
    );
  });

  // Of too few histories chance says as much.
  it.each(KINDS)('does most of what the histories have of %s', { tags: 'long' }, (kind) => {
    const [succeeded, all] = [done.get(kind) ?? 0, tried.get(kind) ?? 0];
    expect(succeeded).toBeGreaterThanOrEqual(LEAST_DONE);
    expect((100 * succeeded) / all).toBeGreaterThanOrEqual(LEAST_DONE_PERCENT);
  });

  it('repays loans in them', { tags: 'long' }, () => {
    expect(repayments).toBeGreaterThanOrEqual(LEAST_DONE);
  });
});

async function booksOf(economy: Economy) {
  const { chain } = economy;
  return {
    accounts: new Map(
      (await chain.accounts()).map((account): [string, ChainAccount] => [account.address, account]),
    ),
    pools: await chain.pools(),
    supply: await chain.supply(),
  };
}

function count({ kind, done: succeeded, batch }: Outcome): void {
  tried.set(kind, (tried.get(kind) ?? 0) + 1);
  if (succeeded) done.set(kind, (done.get(kind) ?? 0) + 1);
  repayments += batch?.result.entries.filter(({ repaidUnits }) => repaidUnits > 0).length ?? 0;
}

/** Rules 1, 3 and 4. */
function checkBooks(economy: Economy, { accounts, pools, supply }: Books): void {
  for (const token of TOKENS) {
    const { genesis, emitted, burned } = supply[token];
    expect(held({ accounts, pools }, token)).toBe(genesis + emitted - burned);
  }
  const lockedAtGenesis = economy.genesis.pools[0]?.amount ?? 0n;
  expect(pools.lockedPool.XAT + pools.unlockedPool.XAT).toBe(lockedAtGenesis);
  expect(pools.lockedPool.XAT >= 0n && pools.unlockedPool.XAT >= 0n).toBe(true);
  for (const { address, creditUsedUnits, main, services } of accounts.values()) {
    expect(creditUsedUnits).toBe(economy.owedBy(address));
    expect(creditUsedUnits).toBeLessThanOrEqual(economy.settings.trafficCreditLimitUnits);
    for (const sum of [...Object.values(main), ...Object.values(services)]) expect(sum >= 0n).toBe(true);
  }
}

/** Rules 2 and 5, of what one step moved. */
function checkStep(economy: Economy, outcome: Outcome, before: Books, after: Books): void {
  const { batch, operation } = outcome;
  if (batch) {
    checkBatch(economy, outcome, batch, before, after);
  } else if (operation && outcome.done && (operation.kind === 'access' || operation.kind === 'reward')) {
    const { settings } = economy;
    const emitted = after.supply.XAC.emitted - before.supply.XAC.emitted;
    const burned = after.supply.XAT.burned - before.supply.XAT.burned;
    const [from, to] = [operation.from, operation.to].map((address) => ({
      XAC: balance(after, address, 'XAC') - balance(before, address, 'XAC'),
      XAT: balance(after, address, 'XAT') - balance(before, address, 'XAT'),
      XAS: balance(after, address, 'XAS') - balance(before, address, 'XAS'),
    }));
    if (!from || !to) throw new Error('A payment has two parties');
    expect(-from.XAT).toBe(burned);
    const [feeXac, feeXas] = (['XAC', 'XAS'] as const).map((token) =>
      POOLS.filter((pool) => pool.endsWith('FeePool')).reduce(
        (sum, pool) => sum + after.pools[pool][token] - before.pools[pool][token],
        0n,
      ),
    ) as [bigint, bigint];
    expect(to.XAC + feeXac).toBe(emitted - from.XAC);
    expect(to.XAS + feeXas).toBe(-from.XAS);
    if (operation.kind === 'access') {
      const fee = operation.premium ? settings.premiumPoolAccessFee : settings.contentAccessFee;
      expect([feeXac, feeXas]).toEqual([timesDown(to.XAC + feeXac, fee), timesDown(to.XAS + feeXas, fee)]);
    }
    checkEmission(emitted, burned, outcome.rates.xacPerXat);
  } else {
    expect(after.supply.XAC).toEqual(before.supply.XAC);
    expect(after.supply.XAT.burned).toBe(before.supply.XAT.burned);
  }
}

/** Every unit is accounted for, and every base unit that the answer names lies where it says. */
function checkBatch(
  economy: Economy,
  { rates }: Outcome,
  { signed, result }: NonNullable<Outcome['batch']>,
  before: Books,
  after: Books,
): void {
  const { settings } = economy;
  const gained = new Map<string, Record<Token, bigint>>();
  const gain = (address: string) => {
    const of = gained.get(address) ?? { XAT: 0n, XAC: 0n, XAS: 0n, XAB: 0n };
    gained.set(address, of);
    return of;
  };
  const pool = { feeXac: 0n, feeXas: 0n, unlocked: 0n, burned: 0n, emitted: 0n };
  expect(result.entries).toHaveLength(signed.batch.entries.length);
  result.entries.forEach((answer, i) => {
    const asked = signed.batch.entries[i];
    expect(answer).toMatchObject({ payer: asked?.payer, payee: asked?.payee });
    expect(answer.paidUnits + answer.creditUnits + answer.refusedUnits).toBe(asked?.consumeUnits);
    expect(answer.repaidUnits).toBeLessThanOrEqual(asked?.repayUnits ?? 0);
    for (const [payment, units] of [
      [answer.payment, answer.paidUnits],
      [answer.repayment, answer.repaidUnits],
    ] as const) {
      expect(payment !== null).toBe(units > 0);
      if (!payment) continue;
      checkPayment(payment, settings.trafficFee, rates.xacPerXat);
      const [payer, payee] = [gain(answer.payer), gain(answer.payee)];
      payer.XAC -= payment.xacFromPayer;
      payer.XAT -= payment.xatBurned;
      payer.XAS -= payment.xasFromPayer;
      payee.XAC += payment.payeeXac;
      payee.XAS += payment.payeeXas;
      pool.feeXac += payment.feeXac;
      pool.feeXas += payment.feeXas;
      pool.unlocked += payment.xatUnlocked;
      pool.burned += payment.xatBurned;
      pool.emitted += payment.xacEmitted;
    }
  });
  for (const address of new Set([...before.accounts.keys(), ...after.accounts.keys()])) {
    const expected = gained.get(address);
    for (const token of SERVICES_TOKENS) {
      expect(balance(after, address, token) - balance(before, address, token)).toBe(expected?.[token] ?? 0n);
    }
  }
  const grown = (name: 'trafficFeePool' | 'unlockedPool', token: Token) =>
    after.pools[name][token] - before.pools[name][token];
  expect(grown('trafficFeePool', 'XAC')).toBe(pool.feeXac);
  expect(grown('trafficFeePool', 'XAS')).toBe(pool.feeXas);
  expect(grown('unlockedPool', 'XAT')).toBe(pool.unlocked);
  expect(after.supply.XAT.burned - before.supply.XAT.burned).toBe(pool.burned);
  expect(after.supply.XAC.emitted - before.supply.XAC.emitted).toBe(pool.emitted);
}

function checkPayment(payment: Payment, fee: Ratio, xacPerXat: Ratio): void {
  const receivedXac = payment.xacFromPayer + payment.xacEmitted;
  expect(payment.payeeXac + payment.feeXac).toBe(receivedXac);
  expect(payment.payeeXas + payment.feeXas).toBe(payment.xasFromPayer);
  expect(payment.feeXac).toBe(timesDown(receivedXac, fee));
  expect(payment.feeXas).toBe(timesDown(payment.xasFromPayer, fee));
  checkEmission(payment.xacEmitted, payment.xatBurned, xacPerXat);
}

/** Rule 2: emitted × rate = burned, within one base unit of XAT. */
function checkEmission(emitted: bigint, burned: bigint, { num, den }: Ratio): void {
  const unpaid = burned * num - emitted * den;
  expect(unpaid >= 0n && unpaid < num + (burned === 0n ? 1n : 0n)).toBe(true);
}

/** What an account can pay with. */
function balance({ accounts }: Books, address: string, token: 'XAC' | 'XAT' | 'XAS'): bigint {
  return accounts.get(address)?.services[token] ?? 0n;
}

function held({ accounts, pools }: Pick<Books, 'accounts' | 'pools'>, token: Token): bigint {
  const inAccounts = [...accounts.values()].reduce((sum, account) => sum + heldOf(account, token), 0n);
  return Object.values(pools).reduce((sum, pool) => sum + pool[token], inAccounts);
}
