/** What a shard has leased is paid or owed, whatever its owners withdraw, spend and move meanwhile. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { accountView } from '../../main/validator/accounts.ts';
import { settle } from '../../main/validator/batching.ts';
import { submitOperation } from '../../main/validator/operations.ts';
import { operationTypedData } from '../../main/wallet/typed-data.ts';
import { SERVICES_TOKENS } from '../../shared/economy/holdings.ts';
import { formatAmount, TOKENS, type TokenAmount } from '../../shared/economy/money.ts';
import { encodeSignedOperation, type Operation } from '../../shared/economy/operation.ts';
import { ratio } from '../../shared/economy/ratio.ts';
import { AceError, type ErrorCode } from '../../shared/errors.ts';
import { heldAndOwed } from '../helpers/chain.ts';
import { type LeasedChannel, type Party, party, TestShard } from '../helpers/shard.ts';
import { tempDir } from '../helpers/temp-dir.ts';

const PARTIES = [party(1), party(2), party(3)] as const;
const REFUSALS: readonly ErrorCode[] = ['InsufficientFunds', 'FundsReserved', 'InvalidAmount'];

const who = fc.nat(PARTIES.length - 1);
const part = fc.nat(100);
const token = fc.constantFrom(...SERVICES_TOKENS);
const step = fc.oneof(
  fc.record({ kind: fc.constant('lease' as const), who, to: who, part }),
  fc.record({ kind: fc.constant('claim' as const), who, part }),
  fc.record({
    kind: fc.constantFrom('withdraw' as const, 'deposit', 'transfer', 'access'),
    who,
    to: who,
    token,
    part,
  }),
  fc.record({ kind: fc.constant('settle' as const) }),
);
const history = fc.record({
  creditLimit: fc.constantFrom(0, 3, 60),
  // One unit is about 100 base units of XAC: enough for some hundred, and seldom a whole number of them.
  funds: fc.array(fc.record({ who, token, amount: fc.integer({ min: 1, max: 9_999 }), main: fc.boolean() }), {
    minLength: 3,
    maxLength: 12,
  }),
  xacPerXat: fc.constantFrom(ratio(1), ratio(7, 3), ratio(3, 7), ratio(1, 250)),
  xacPerXas: fc.constantFrom(ratio(1, 3), ratio(0), ratio(11, 4)),
  steps: fc.array(step, { minLength: 20, maxLength: 60 }),
});
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;
type Spending = Extract<Step, { readonly token: unknown }>;

function partyOf(n: number): Party {
  const found = PARTIES[n];
  if (!found) throw new Error('no such party');
  return found;
}

/** One history on one shard. */
class Run {
  readonly #shard: TestShard;
  readonly #channels: LeasedChannel[] = [];
  readonly #claimed = new Map<LeasedChannel, number>();
  /** Of what was leased, by settlements. */
  refusedUnits = 0;
  withdrawals = 0;

  constructor(shard: TestShard) {
    this.#shard = shard;
  }

  async take(step: Step): Promise<void> {
    const shard = this.#shard;
    shard.nowMs += 1_000;
    if (step.kind === 'settle') return this.#settle();
    const payer = partyOf(step.who);
    const { account } = payer;
    if (step.kind === 'lease') {
      const { leasableUnits } = await accountView(shard.chain, shard.store, account.address);
      const units = Math.min(100, Math.ceil((leasableUnits * step.part) / 100));
      if (units === 0 || step.to === step.who) return;
      const channel = await shard.lease(payer, partyOf(step.to), units);
      this.#channels.push(channel);
      return;
    }
    if (step.kind === 'claim') {
      for (const channel of this.#channels.filter(({ payer }) => payer.account === account)) {
        const before = this.#claimed.get(channel) ?? 0;
        const units = Math.ceil((channel.terms.capacityUnits * step.part) / 100);
        if (units <= before) continue;
        shard.claim(channel, units);
        this.#claimed.set(channel, units);
      }
      return;
    }
    await this.#submit(payer, await this.#operation(step)).catch((error: unknown) => {
      if (!(error instanceof AceError) || !REFUSALS.includes(error.code)) throw error;
    });
  }

  async #operation({ kind, who, to, token, part }: Spending) {
    const { main, services } = await this.#shard.chain.account(partyOf(who).account.address);
    const other = partyOf(to === who ? (to + 1) % PARTIES.length : to).account.address;
    const share = (held: bigint) => ((held * BigInt(part)) / 100n) as TokenAmount;
    if (kind === 'withdraw') return { kind, token, amount: share(services[token]) };
    if (kind === 'deposit') return { kind, token, amount: share(main[token]) };
    if (kind === 'transfer') return { kind, to: other, token, amount: share(main[token]), place: 'services' };
    const priceXac = (BigInt(part) * 7n + 1n) as TokenAmount;
    return { kind, to: other, contentId: 'x', priceXac, premium: false, lastsMs: 1_000 };
  }

  async #submit(signer: Party, fields: object): Promise<void> {
    const shard = this.#shard;
    const { nonce } = await shard.chain.account(signer.account.address);
    const operation = { from: signer.account.address, nonce, ...fields } as Operation;
    const signature = await signer.account.signTypedData(operationTypedData(shard.settings, operation));
    await submitOperation(
      shard.context,
      encodeSignedOperation(operation, Buffer.from(signature.slice(2), 'hex')),
    );
    if (operation.kind === 'withdraw') this.withdrawals += 1;
  }

  async #settle(): Promise<void> {
    const shard = this.#shard;
    const mains = () =>
      Promise.all(PARTIES.map(async ({ account }) => (await shard.chain.account(account.address)).main));
    const before = await mains();
    for (let done = await settle(shard.context); done; done = await settle(shard.context)) {
      const result = await shard.chain.batchResult(0, done.batchNumber);
      for (const { refusedUnits } of result?.entries ?? []) this.refusedUnits += refusedUnits;
    }
    expect(await mains()).toEqual(before);
  }

  async end(): Promise<void> {
    for (const channel of this.#channels) {
      if ((this.#claimed.get(channel) ?? 0) < channel.terms.capacityUnits) {
        this.#shard.claim(channel, channel.terms.capacityUnits);
      }
    }
    await this.#settle();
    for (const name of TOKENS) {
      const { held, owed } = await heldAndOwed(this.#shard.chain, name);
      expect(held).toBe(owed);
    }
  }
}

it('no withdrawal and no purchase makes a lease unpayable', async () => {
  let withdrawals = 0;
  await fc.assert(
    fc.asyncProperty(history, async ({ creditLimit, funds, xacPerXat, xacPerXas, steps }) => {
      const shard = new TestShard(
        tempDir(),
        { trafficCreditLimitUnits: creditLimit, pinnedXacPerXat: xacPerXat, pinnedXacPerXas: xacPerXas },
        funds.map(({ who, token, amount, main }) => [
          partyOf(who).account.address,
          token,
          formatAmount(BigInt(amount) as TokenAmount),
          main ? 'main' : 'services',
        ]),
      );
      try {
        const run = new Run(shard);
        for (const each of steps) await run.take(each);
        await run.end();
        expect(run.refusedUnits).toBe(0);
        withdrawals += run.withdrawals;
      } finally {
        await shard.close();
      }
    }),
    { endOnFailure: true, numRuns: 40 },
  );
  expect(withdrawals).toBeGreaterThan(10);
});
