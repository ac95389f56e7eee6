/**
 * The seven rules of ECONOMY.md ("What must always hold") over random histories of transfers and settlement batches,
 * on a real embedded chain. The book of loans is kept here, as the second level keeps it.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openEmbeddedChain } from '../../main/chain/embedded/embedded-chain.ts';
import type { MainChain } from '../../main/chain/port.ts';
import { signOperation } from '../../main/wallet/account.ts';
import type { Batch, BatchEntry, BatchResult } from '../../shared/batch.ts';
import type { ErrorCode } from '../../shared/errors.ts';
import { amount, TOKENS, type Token } from '../../shared/money.ts';
import type { TransferOperation } from '../../shared/operation.ts';
import type { Payment } from '../../shared/payment.ts';
import { type Ratio, ratio } from '../../shared/ratio.ts';
import type { Genesis, NetworkSettings } from '../../shared/settings.ts';
import { expectAceRejection } from '../helpers/ace-error.ts';
import {
  entry,
  heldAndOwed,
  nextBatch,
  sign,
  snapshot,
  testAccount,
  testSettings,
} from '../helpers/chain.ts';

const TIME_LIMIT_MS = 12_000;
const ACCOUNTS = [1, 2, 3, 4].map(testAccount);
/** 1,000 tokens: at a rate of 10^6 still far from more than can exist. */
const MOST_BASE_UNITS = 10n ** 10n;
const LIMIT_UNITS = 2_000;

interface Transfer {
  readonly kind: 'transfer';
  readonly from: number;
  readonly to: number;
  readonly token: Token;
  readonly amount: bigint;
  readonly nonceAhead: number;
}

interface Settlement {
  readonly kind: 'settlement';
  readonly pairs: readonly {
    readonly payer: number;
    readonly payee: number;
    readonly consumeUnits: number;
    /** Part of the loan that is repaid, in percent; above 100 is one unit more than is owed to all. */
    readonly repayPercent: number;
  }[];
  readonly watched: { readonly videoUnits: bigint; readonly watchMs: bigint };
}

const account = fc.nat(ACCOUNTS.length - 1);
const baseUnits = fc.oneof(fc.bigInt(0n, 20n), fc.bigInt(0n, MOST_BASE_UNITS));
const million = fc.integer({ min: 1, max: 1_000_000 });
const rate: fc.Arbitrary<Ratio> = fc.oneof(
  fc.constantFrom(ratio(1), ratio(1, 1_000_000), ratio(1_000_000), ratio(1, 3)),
  fc.tuple(million, million).map(([num, den]) => ratio(num, den)),
);
const transfer: fc.Arbitrary<Transfer> = fc.record({
  kind: fc.constant('transfer'),
  from: account,
  to: account,
  token: fc.constantFrom(...TOKENS),
  amount: baseUnits,
  nonceAhead: fc.constantFrom(0, 0, 0, 0, 1),
});
const settlement: fc.Arbitrary<Settlement> = fc.record({
  kind: fc.constant('settlement'),
  pairs: fc.uniqueArray(
    fc.record({
      payer: account,
      payee: account,
      consumeUnits: fc.oneof(fc.nat(5), fc.nat(3_000)),
      repayPercent: fc.constantFrom(0, 0, 0, 0, 30, 30, 100, 100, 100, 101),
    }),
    { maxLength: 8, selector: ({ payer, payee }) => payer * ACCOUNTS.length + payee },
  ),
  watched: fc.record({ videoUnits: fc.bigInt(0n, 10n ** 6n), watchMs: fc.bigInt(0n, 10n ** 9n) }),
});
const world = fc.record({
  xacPerXat: rate,
  xacPerXas: rate,
  trafficRate: fc.tuple(fc.integer({ min: 1, max: 1_000 }), fc.integer({ min: 1, max: 100 })),
  fee: fc.nat(100).map((percent) => ratio(percent, 100)),
  funds: fc.array(fc.tuple(account, fc.constantFrom(...TOKENS), baseUnits), { maxLength: 10 }),
  locked: baseUnits,
});
const history = fc.array(fc.oneof(transfer, settlement, settlement), { minLength: 1, maxLength: 8 });

describe('economy', () => {
  it('holds its seven rules after every step of any history', { timeout: 4 * TIME_LIMIT_MS }, async () => {
    await fc.assert(
      fc.asyncProperty(world, history, async (start, steps) => {
        const { settings, genesis } = found(start);
        const chain = openEmbeddedChain({ path: ':memory:', settings, genesis, nowMs: () => 0 });
        const loans = new Map<string, number>();
        for (const step of steps) {
          if (step.kind === 'transfer') await tryTransfer(chain, step);
          else await trySettlement(chain, step, loans);
          await checkBooks(chain, loans, start.locked);
        }
        await chain.close();
      }),
      { numRuns: 800, interruptAfterTimeLimit: TIME_LIMIT_MS },
    );
  });
});

function found(start: {
  xacPerXat: Ratio;
  xacPerXas: Ratio;
  trafficRate: [number, number];
  fee: Ratio;
  funds: [number, Token, bigint][];
  locked: bigint;
}): { settings: NetworkSettings; genesis: Genesis } {
  const settings = testSettings({
    pinnedXacPerXat: start.xacPerXat,
    pinnedXacPerXas: start.xacPerXas,
    initialTrafficRate: ratio(...start.trafficRate),
    priorWeightHours: 1,
    trafficFee: start.fee,
    trafficCreditLimitUnits: LIMIT_UNITS,
  });
  const accounts = start.funds.map(([i, token, sum]) => ({
    address: addressOf(i),
    token,
    amount: amount(sum),
  }));
  return {
    settings,
    genesis: { accounts, pools: [{ pool: 'lockedPool', token: 'XAT', amount: amount(start.locked) }] },
  };
}

async function tryTransfer(chain: MainChain, step: Transfer): Promise<void> {
  if (step.from === step.to) return;
  const { nonce, balances } = await chain.account(addressOf(step.from));
  const operation: TransferOperation = {
    kind: 'transfer',
    from: addressOf(step.from),
    to: addressOf(step.to),
    token: step.token,
    amount: step.amount as TransferOperation['amount'],
    nonce: nonce + step.nonceAhead,
  };
  const signer = ACCOUNTS[step.from];
  if (!signer) return;
  const signed = await signOperation(signer, chain.settings(), operation);
  await allOrNothing(chain, refusal(step, balances[step.token]), () => chain.submit(signed));
}

async function trySettlement(chain: MainChain, step: Settlement, loans: Map<string, number>): Promise<void> {
  const entries: BatchEntry[] = [];
  for (const { payer, payee, consumeUnits, repayPercent } of step.pairs) {
    const [from, to] = [addressOf(payer), addressOf(payee)];
    // The chain knows what an account owes, not whom: more than all of it is what it can and must refuse.
    const repayUnits =
      repayPercent > 100
        ? owedBy(from, loans) + 1
        : Math.ceil(((loans.get(from + to) ?? 0) * repayPercent) / 100);
    if (payer !== payee && repayUnits + consumeUnits > 0)
      entries.push(entry(from, to, consumeUnits, repayUnits));
  }
  const batch = await nextBatch(chain, entries, { watched: step.watched });
  const signed = sign(batch);
  const expected = repaysTooMuch(entries, loans) ? 'InvariantViolated' : null;
  const result = await allOrNothing(chain, expected, () => chain.applyBatch(signed));
  if (!result) return;
  checkResult(batch, result, chain.settings());
  for (const { payer, payee, creditUnits, repaidUnits } of result.entries) {
    loans.set(payer + payee, (loans.get(payer + payee) ?? 0) + creditUnits - repaidUnits);
  }

  // Rule 6: the same batch again changes nothing.
  const before = await snapshot(chain);
  expect(await chain.applyBatch(signed)).toEqual(result);
  expect(await snapshot(chain)).toEqual(before);
}

/** Why a transfer must be refused; `null` when it must not. */
function refusal(step: Transfer, balance: bigint): ErrorCode | null {
  if (step.amount === 0n) return 'InvalidAmount';
  if (step.nonceAhead > 0) return 'WrongNonce';
  return step.amount > balance ? 'InsufficientFunds' : null;
}

function repaysTooMuch(entries: readonly BatchEntry[], loans: ReadonlyMap<string, number>): boolean {
  return ACCOUNTS.some(({ address }) => {
    const repaid = entries.filter(({ payer }) => payer === address).reduce((sum, e) => sum + e.repayUnits, 0);
    return repaid > owedBy(address, loans);
  });
}

function owedBy(address: string, loans: ReadonlyMap<string, number>): number {
  return [...loans].filter(([pair]) => pair.startsWith(address)).reduce((sum, [, units]) => sum + units, 0);
}

/** Rule 7: what must be refused is, by its name, and has changed nothing; all else is done. */
async function allOrNothing<T>(
  chain: MainChain,
  refusedAs: ErrorCode | null,
  act: () => Promise<T>,
): Promise<T | undefined> {
  if (refusedAs === null) return act();
  const before = await snapshot(chain);
  await expectAceRejection(refusedAs, act());
  expect(await snapshot(chain)).toEqual(before);
  return undefined;
}

/** Rules 2 and 5, and that every unit is accounted for. */
function checkResult(batch: Batch, result: BatchResult, settings: NetworkSettings): void {
  expect(result.entries).toHaveLength(batch.entries.length);
  result.entries.forEach((answer, i) => {
    const asked = batch.entries[i];
    expect(answer).toMatchObject({ payer: asked?.payer, payee: asked?.payee });
    expect(answer.paidUnits + answer.creditUnits + answer.refusedUnits).toBe(asked?.consumeUnits);
    expect(answer.repaidUnits).toBeLessThanOrEqual(asked?.repayUnits ?? 0);
    checkPayment(answer.payment, answer.paidUnits, result, settings);
    checkPayment(answer.repayment, answer.repaidUnits, result, settings);
  });
}

function checkPayment(
  payment: Payment | null,
  units: number,
  result: BatchResult,
  settings: NetworkSettings,
): void {
  if (!payment) {
    expect(units).toBe(0);
    return;
  }
  const { num, den } = settings.pinnedXacPerXat as Ratio;
  const unpaid = payment.xatBurned * num - payment.xacEmitted * den;
  expect(unpaid >= 0n && unpaid < num).toBe(true);
  expect(payment.payeeXac + payment.feeXac).toBe(payment.xacFromPayer + payment.xacEmitted);
  expect(payment.payeeXas + payment.feeXas).toBe(payment.xasFromPayer);
  // The price: units at the batch's price, rounded up once; what XAS pays of it is within one base unit of XAS.
  const price =
    (BigInt(units) * result.unitPriceXac.num + result.unitPriceXac.den - 1n) / result.unitPriceXac.den;
  const inXas = price - payment.xacFromPayer - payment.xacEmitted;
  const xas = settings.pinnedXacPerXas as Ratio;
  const overpaid = payment.xasFromPayer * xas.num - inXas * xas.den;
  expect(overpaid >= 0n && overpaid < xas.num).toBe(true);
}

/** Rules 1, 3 and 4. */
async function checkBooks(
  chain: MainChain,
  loans: ReadonlyMap<string, number>,
  lockedAtGenesis: bigint,
): Promise<void> {
  for (const token of TOKENS) {
    const { held, owed } = await heldAndOwed(chain, token);
    expect(held).toBe(owed);
  }
  const { lockedPool, unlockedPool } = await chain.pools();
  expect(lockedPool.XAT + unlockedPool.XAT).toBe(lockedAtGenesis);
  expect(lockedPool.XAT >= 0n && unlockedPool.XAT >= 0n).toBe(true);
  for (const { address, creditUsedUnits, balances } of await chain.accounts()) {
    expect(creditUsedUnits).toBe(owedBy(address, loans));
    expect(creditUsedUnits).toBeLessThanOrEqual(LIMIT_UNITS);
    for (const token of TOKENS) expect(balances[token] >= 0n).toBe(true);
  }
}

function addressOf(index: number): string {
  return ACCOUNTS[index]?.address ?? '';
}
