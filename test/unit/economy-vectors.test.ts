/** The worked examples of the source documents (`test/fixtures/economy.json`): every number comes out exactly. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openEmbeddedChain } from '../../main/chain/embedded/embedded-chain.ts';
import type { MainChain } from '../../main/chain/port.ts';
import { settle } from '../../main/validator/batching.ts';
import { submitOperation } from '../../main/validator/operations.ts';
import { signOperation } from '../../main/wallet/account.ts';
import { MAX_CAPACITY_UNITS } from '../../shared/channel/records.ts';
import { formatAmount, parseAmount, TOKENS } from '../../shared/economy/money.ts';
import { encodeSignedOperation } from '../../shared/economy/operation.ts';
import { aceTimePrice, genesisTotals, priceOfUnits, unitPriceXat } from '../../shared/economy/price.ts';
import { divide, ratio, ratioFromDecimal } from '../../shared/economy/ratio.ts';
import { isAceError } from '../../shared/errors.ts';
import vectors from '../fixtures/economy.json' with { type: 'json' };
import { heldAndOwed, testAccount, testGenesis, testSettings } from '../helpers/chain.ts';
import { type Party, party, TestShard } from '../helpers/shard.ts';

describe('the prices of sources 001, 002 and 004', () => {
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

describe('content access of source 003', () => {
  const vector = vectors.contentAccess;
  let dir: string;
  let chain: MainChain;
  beforeAll(() => {
    dir = mkdtempSync(join(tmpdir(), 'ace-test-'));
    chain = openEmbeddedChain({
      path: join(dir, 'chain.db'),
      settings: testSettings({
        pinnedXacPerXat: divide(ratio(1), ratioFromDecimal(vector.xatPerXac)),
        premiumPoolAccessFee: ratioFromDecimal(vector.feeRate),
      }),
      genesis: testGenesis(
        [
          [testAccount(1).address, 'XAC', vector.payerBefore.xac],
          [testAccount(1).address, 'XAT', vector.payerBefore.xat],
        ],
        [['lockedPool', 'XAT', '1000']],
      ),
      nowMs: () => 0,
    });
  });
  afterAll(async () => {
    await chain.close();
    rmSync(dir, { recursive: true });
  });

  it('moves what it says, signed by the payer and applied by the chain', async () => {
    const [payer, payee] = [testAccount(1), testAccount(2)];
    const access = {
      kind: 'access',
      lastsMs: 0,
      from: payer.address,
      to: payee.address,
      contentId: 'premium',
      priceXac: parseAmount(vector.priceXac),
      premium: true,
      nonce: 0,
    } as const;
    await chain.submit(await signOperation(payer, chain.settings(), access));
    const after = (await chain.account(payer.address)).services;
    expect([formatAmount(after.XAC), formatAmount(after.XAT)]).toEqual([
      vector.payerAfter.xac,
      vector.payerAfter.xat,
    ]);
    expect(formatAmount((await chain.account(payee.address)).services.XAC)).toBe(vector.payeeXac);
    const [pools, supply] = [await chain.pools(), await chain.supply()];
    expect(formatAmount(pools.premiumFeePool.XAC)).toBe(vector.premiumFeePoolXac);
    expect(formatAmount(pools.unlockedPool.XAT)).toBe(vector.lockedToUnlockedXat);
    expect(formatAmount(1_000n * 10_000_000n - pools.lockedPool.XAT)).toBe(vector.lockedToUnlockedXat);
    expect(formatAmount(supply.XAT.burned)).toBe(vector.burnedXat);
    expect(formatAmount(supply.XAC.emitted)).toBe(vector.emittedXac);
  });
});

/** What UserA keeps before it tops up. */
const KEPT_XAT = '1';

/** The credit story as a shard lives it: channels are leased and claimed, it keeps the loans, the chain keeps the money. */
class Story {
  readonly shard: TestShard;
  readonly #parties = new Map(['UserA', 'UserB', 'UserC', 'UserD'].map((name, i) => [name, party(i + 1)]));

  constructor(dir: string) {
    this.shard = new TestShard(dir, { trafficCreditLimitUnits: vectors.creditStory.creditLimitUnits }, [
      [this.party('UserA').account.address, 'XAT', KEPT_XAT, 'main'],
    ]);
  }

  party(name: string): Party {
    const found = this.#parties.get(name);
    if (!found) throw new Error(`Nobody is called ${name}`);
    return found;
  }

  async consume(payer: string, payee: string, units: number): Promise<void> {
    for (let left = units; left > 0; left -= MAX_CAPACITY_UNITS) {
      const part = Math.min(left, MAX_CAPACITY_UNITS);
      const channel = await this.shard.lease(this.party(payer), this.party(payee), part);
      this.shard.claim(channel, part, {
        checkpoint: this.shard.checkpoint(channel, { units: part, final: true }),
      });
    }
    await this.#settle();
  }

  /** The account moves something to services, and the next batch repays what it reaches. */
  async topUp(name: string, xat: string): Promise<void> {
    const { account } = this.party(name);
    const { nonce } = await this.shard.chain.account(account.address);
    const operation = {
      kind: 'deposit',
      from: account.address,
      token: 'XAT',
      amount: parseAmount(xat),
      nonce,
    } as const;
    const { signature } = await signOperation(account, this.shard.settings, operation);
    await submitOperation(
      this.shard.context,
      encodeSignedOperation(operation, Buffer.from(signature.slice(2), 'hex')),
    );
    await this.#settle();
  }

  /** XAT in main. */
  async kept(name: string): Promise<string> {
    const { main } = await this.shard.chain.account(this.party(name).account.address);
    return formatAmount(main.XAT);
  }

  /** Loans by name, "payer>payee". */
  loans(): Record<string, number> {
    const nameOf = (address: string) =>
      [...this.#parties].find(([, { account }]) => account.address === address)?.[0];
    const loans = this.shard.store.loans
      .debtors()
      .flatMap((debtor) => this.shard.store.loans.ofDebtor(debtor))
      .map(({ debtor, creditor, unitsLeft }) => [`${nameOf(debtor)}>${nameOf(creditor)}`, unitsLeft]);
    return Object.fromEntries(loans);
  }

  /** A figure by its name in the vectors, as they write it. */
  async figure(name: string): Promise<unknown> {
    if (name === 'loans') return this.loans();
    const [owner = '', what = ''] = name.split('.');
    const { chain } = this.shard;
    if (owner === 'trafficFeePool') return formatAmount((await chain.pools()).trafficFeePool.XAC);
    if (what.startsWith('serves')) return this.#isServed(what.slice('serves'.length), owner);
    if (what === 'creditLimit') return this.creditLeft(owner);
    const { services } = await chain.account(this.party(owner).account.address);
    return formatAmount(what === 'xat' ? services.XAT : services.XAC);
  }

  async creditLeft(name: string): Promise<number> {
    const { creditUsedUnits } = await this.shard.chain.account(this.party(name).account.address);
    return this.shard.settings.trafficCreditLimitUnits - creditUsedUnits;
  }

  /** Nobody serves without a lease. */
  async #isServed(payer: string, payee: string): Promise<boolean> {
    return this.shard.lease(this.party(payer), this.party(payee), 1).then(
      () => true,
      (error: unknown) => {
        if (isAceError(error, 'CreditExhausted')) return false;
        throw error;
      },
    );
  }

  async #settle(): Promise<void> {
    while (await settle(this.shard.context));
  }
}

describe('the credit story of sources 002 and 004', () => {
  let dir: string;
  let story: Story;
  beforeAll(() => {
    dir = mkdtempSync(join(tmpdir(), 'ace-test-'));
    story = new Story(dir);
  });
  afterAll(async () => {
    await story.shard.close();
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
      // What is kept moves by the top-up's signature alone, whatever is charged.
      const toppedUp = vectors.creditStory.steps.slice(0, i + 1).some((done) => done.do === 'topUp');
      expect(await story.kept('UserA')).toBe(toppedUp ? '0.8000000' : '1.0000000');
      for (const token of TOKENS) {
        const { held, owed } = await heldAndOwed(story.shard.chain, token);
        expect(held).toBe(owed);
      }
    });
  }

  it('refuses nothing and loses nothing', async () => {
    const owed = Object.values(story.loans()).reduce((sum, units) => sum + units, 0);
    expect(owed).toBe(10_240 - (await story.creditLeft('UserA')));
  });
});
