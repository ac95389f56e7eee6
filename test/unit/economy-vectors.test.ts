/** The worked examples of the source documents (`test/fixtures/economy.json`): every number comes out exactly. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openEmbeddedChain } from '../../main/chain/embedded/embedded-chain.ts';
import type { MainChain } from '../../main/chain/port.ts';
import { signOperation } from '../../main/wallet/account.ts';
import type { BatchEntry, BatchResult } from '../../shared/batch.ts';
import { type Loan, planRepayments } from '../../shared/credit.ts';
import { formatAmount, parseAmount, TOKENS } from '../../shared/money.ts';
import { planPayment } from '../../shared/payment.ts';
import { aceTimePrice, genesisTotals, priceOfUnits, unitPriceXac, unitPriceXat } from '../../shared/price.ts';
import { inverse, ratio, ratioFromDecimal } from '../../shared/ratio.ts';
import vectors from '../fixtures/economy.json' with { type: 'json' };
import { entry, heldAndOwed, settle, testAccount, testGenesis, testSettings } from '../helpers/chain.ts';

describe('price', () => {
  it.each(vectors.price)('of $units units at $trafficRateGbPerHour GB/hour is $priceXat XAT', (vector) => {
    const totals = genesisTotals(ratioFromDecimal(vector.trafficRateGbPerHour), 1_000);
    expect(formatAmount(priceOfUnits(vector.units, unitPriceXat(totals)))).toBe(vector.priceXat);
  });

  it.each(vectors.aceTimePrice)('of 1 XAT at $trafficRateGbPerHour GB/hour is $xabPerXat XAB', (vector) => {
    const price = aceTimePrice(
      ratioFromDecimal(vector.trafficRateGbPerHour),
      ratioFromDecimal(vector.trafficPriceUsd),
      ratioFromDecimal(vector.aceBytePriceUsd),
    );
    expect(formatAmount(price)).toBe(vector.xabPerXat);
  });
});

describe('content access', () => {
  it('moves what source 003 says', () => {
    const vector = vectors.contentAccess;
    const funds = {
      XAC: parseAmount(vector.payerBefore.xac),
      XAT: parseAmount(vector.payerBefore.xat),
      XAS: parseAmount('0'),
    };
    const rates = { xacPerXat: inverse(ratioFromDecimal(vector.xatPerXac)), xacPerXas: ratio(1) };
    const feeRate = ratioFromDecimal(vector.feeRate);
    const payment = planPayment(funds, parseAmount(vector.priceXac), rates, feeRate, parseAmount('1000'));
    expect(formatAmount(funds.XAC - payment.xacFromPayer)).toBe(vector.payerAfter.xac);
    expect(formatAmount(funds.XAT - payment.xatBurned)).toBe(vector.payerAfter.xat);
    expect(formatAmount(payment.xatBurned)).toBe(vector.burnedXat);
    expect(formatAmount(payment.xatUnlocked)).toBe(vector.lockedToUnlockedXat);
    expect(formatAmount(payment.xacEmitted)).toBe(vector.emittedXac);
    expect(formatAmount(payment.feeXac)).toBe(vector.premiumFeePoolXac);
    expect(formatAmount(payment.payeeXac)).toBe(vector.payeeXac);
  });
});

/** The credit story as a shard lives it: it keeps the loans, the chain keeps the money. */
class Story {
  readonly chain: MainChain;
  readonly #faucet = testAccount(99);
  readonly #names = new Map(
    ['UserA', 'UserB', 'UserC', 'UserD'].map((name, i) => [name, testAccount(i + 1).address]),
  );
  /** Oldest first, of every payer. */
  #loans: (Loan & { readonly payer: string })[] = [];

  constructor(path: string) {
    const genesis = testGenesis([[this.#faucet.address, 'XAT', '100']]);
    const settings = testSettings({ trafficCreditLimitUnits: vectors.creditStory.creditLimitUnits });
    this.chain = openEmbeddedChain({ path, settings, genesis, nowMs: () => 0 });
  }

  addressOf(name: string): string {
    const address = this.#names.get(name);
    if (!address) throw new Error(`Nobody is called ${name}`);
    return address;
  }

  async consume(payer: string, payee: string, units: number): Promise<BatchResult> {
    return this.#settle([entry(this.addressOf(payer), this.addressOf(payee), units)]);
  }

  /** The account gets funds, and the next batch repays what they reach. */
  async topUp(name: string, xat: string): Promise<void> {
    const [faucet, to] = [this.#faucet, this.addressOf(name)];
    const { nonce } = await this.chain.account(faucet.address);
    const transfer = {
      kind: 'transfer',
      from: faucet.address,
      to,
      token: 'XAT',
      amount: parseAmount(xat),
      nonce,
    } as const;
    await this.chain.submit(await signOperation(faucet, this.chain.settings(), transfer));
    await this.#repay(to);
  }

  /** Loans by name, "payer>payee". */
  loans(): Record<string, number> {
    const nameOf = (address: string) => [...this.#names].find(([, a]) => a === address)?.[0];
    return Object.fromEntries(this.#loans.map((l) => [`${nameOf(l.payer)}>${nameOf(l.creditor)}`, l.units]));
  }

  /** A figure by its name in the vectors, as they write it. */
  async figure(name: string): Promise<unknown> {
    if (name === 'loans') return this.loans();
    const [owner = '', what = ''] = name.split('.');
    if (owner === 'trafficFeePool') return formatAmount((await this.chain.pools()).trafficFeePool.XAC);
    if (what.startsWith('serves')) return (await this.creditLeft(what.slice('serves'.length))) > 0;
    if (what === 'creditLimit') return this.creditLeft(owner);
    const { balances } = await this.chain.account(this.addressOf(owner));
    return formatAmount(what === 'xat' ? balances.XAT : balances.XAC);
  }

  async creditLeft(name: string): Promise<number> {
    const { creditUsedUnits } = await this.chain.account(this.addressOf(name));
    return this.chain.settings().trafficCreditLimitUnits - creditUsedUnits;
  }

  async #repay(payer: string): Promise<void> {
    const { totals, rates } = await this.chain.market();
    const price = { rates, unitPriceXac: unitPriceXac(totals, rates) };
    const { balances } = await this.chain.account(payer);
    const loans = this.#loans.filter((loan) => loan.payer === payer);
    const plan = planRepayments(loans, balances, price, this.chain.settings().trafficFee);
    await this.#settle(plan.map(({ creditor, units }) => entry(payer, creditor, 0, units)));
  }

  async #settle(entries: readonly BatchEntry[]): Promise<BatchResult> {
    const result = await settle(this.chain, entries);
    for (const { payer, payee, creditUnits, repaidUnits } of result.entries) {
      const old = this.#loans.find((loan) => loan.payer === payer && loan.creditor === payee)?.units ?? 0;
      const others = this.#loans.filter((loan) => loan.payer !== payer || loan.creditor !== payee);
      const units = old + creditUnits - repaidUnits;
      this.#loans = units > 0 ? [...others, { payer, creditor: payee, units }] : others;
    }
    return result;
  }
}

describe('credit story', () => {
  let dir: string;
  let story: Story;
  beforeAll(() => {
    dir = mkdtempSync(join(tmpdir(), 'ace-test-'));
    story = new Story(join(dir, 'chain.db'));
  });
  afterAll(async () => {
    await story.chain.close();
    rmSync(dir, { recursive: true });
  });

  // In order: each step starts where the one before it ended.
  for (const [i, step] of vectors.creditStory.steps.entries()) {
    it(`comes out exactly after step ${i + 1}, ${step.do}`, async () => {
      if (step.do === 'topUp') await story.topUp(step.account as string, step.xat as string);
      else await story.consume(step.payer as string, step.payee as string, step.units as number);
      const then: Record<string, unknown> = step.then;
      for (const [name, value] of Object.entries(then))
        expect([name, await story.figure(name)]).toEqual([name, value]);
      for (const token of TOKENS) {
        const { held, owed } = await heldAndOwed(story.chain, token);
        expect(held).toBe(owed);
      }
    });
  }

  it('refuses nothing and loses nothing', async () => {
    const owed = Object.values(story.loans()).reduce((sum, units) => sum + units, 0);
    expect(owed).toBe(10_240 - (await story.creditLeft('UserA')));
  });
});
