import { describe, expect, it, onTestFinished } from 'vitest';
import type { MainChain } from '../../../../main/chain/port.ts';
import { settle } from '../../../../main/validator/batching.ts';
import { MAX_ACCOUNT_AGE_MS, MAX_MARKET_AGE_MS, ReadCache } from '../../../../main/validator/read-cache.ts';
import { signOperation } from '../../../../main/wallet/account.ts';
import { amount } from '../../../../shared/economy/money.ts';
import { expectAceRejection } from '../../../helpers/ace-error.ts';
import { party, TestShard } from '../../../helpers/shard.ts';
import { tempDir } from '../../../helpers/temp-dir.ts';

const [payer, payee, other] = [party(1), party(2), party(3)];

/** The chain with some calls replaced. */
function withCalls(chain: MainChain, calls: Partial<MainChain>): MainChain {
  return new Proxy(chain, {
    get(target, name: keyof MainChain) {
      return calls[name] ?? (target[name] as () => unknown).bind(target);
    },
  });
}

function setUp() {
  const s = new TestShard(tempDir(), {}, [
    [payer.account.address, 'XAT', '5', 'main'],
    [payer.account.address, 'XAT', '5'],
  ]);
  onTestFinished(() => s.close());
  const asked = { account: 0, market: 0 };
  const counting: MainChain = withCalls(s.chain, {
    account: (address: string) => {
      asked.account += 1;
      return s.chain.account(address);
    },
    market: () => {
      asked.market += 1;
      return s.chain.market();
    },
  });
  const clock = { nowMs: 0 };
  const cache = new ReadCache(counting, () => clock.nowMs);
  return { s, cache, clock, asked };
}

async function transfer({ s, cache }: ReturnType<typeof setUp>, amountXat: bigint) {
  const { nonce } = await s.chain.account(payer.account.address);
  const operation = {
    kind: 'transfer' as const,
    place: 'services' as const,
    from: payer.account.address,
    to: payee.account.address,
    token: 'XAT' as const,
    amount: amount(amountXat),
    nonce,
  };
  return cache.chain.submit(await signOperation(payer.account, s.settings, operation));
}

describe('the cache of what a shard reads', () => {
  it('asks the chain once for what is asked often', async () => {
    const { cache, asked } = setUp();
    for (let i = 0; i < 5; i++) {
      await cache.account(payer.account.address);
      await cache.market();
    }
    expect(asked).toEqual({ account: 1, market: 1 });
  });

  it('forgets the accounts of an operation at once, and no others', async () => {
    const all = setUp();
    const { cache, asked } = all;
    for (const p of [payer, payee, other]) await cache.account(p.account.address);
    await transfer(all, 7n);
    expect((await cache.account(payee.account.address)).services.XAT).toBe(7n);
    expect((await cache.account(payer.account.address)).main.XAT).toBe(50_000_000n - 7n);
    expect(asked.account).toBe(5);
    await cache.account(other.account.address);
    expect(asked.account).toBe(5);
  });

  it('forgets the parties of a batch and the market with it', async () => {
    const { s, cache, asked } = setUp();
    const channel = await s.lease(payer, payee, 10);
    s.claim(channel, 3);
    const before = await cache.account(payer.account.address);
    await cache.account(payee.account.address);
    await cache.market();
    const marketAsked = asked.market;
    await settle({ ...s.context, chain: cache.chain });
    expect((await cache.account(payer.account.address)).services.XAT).toBeLessThan(before.services.XAT);
    expect((await cache.account(payee.account.address)).services.XAC).toBeGreaterThan(0n);
    await cache.market();
    expect(asked.market).toBeGreaterThan(marketAsked + 1); // the batch asked the chain itself as well
  });

  it('does not keep a read that a write overtook', async () => {
    const all = setUp();
    const { s, cache } = all;
    const address = payer.account.address;
    const { promise, resolve } = Promise.withResolvers<void>();
    const slow = new ReadCache(
      withCalls(s.chain, {
        account: async (asked: string) => {
          const value = await s.chain.account(asked);
          await promise;
          return value;
        },
      }),
      () => 0,
    );
    const early = slow.account(address);
    await transfer({ ...all, cache: slow }, 7n);
    resolve();
    const old = await early;
    expect((await slow.account(address)).main.XAT).toBe(old.main.XAT - 7n);
    expect((await cache.account(address)).main.XAT).toBe(old.main.XAT - 7n);
  });

  it('keeps nothing for long: others change accounts as well, and rates move with the clock', async () => {
    const { cache, clock, asked } = setUp();
    await cache.account(payer.account.address);
    await cache.market();
    clock.nowMs = MAX_MARKET_AGE_MS - 1;
    await cache.market();
    expect(asked.market).toBe(1);
    clock.nowMs = MAX_MARKET_AGE_MS;
    await cache.market();
    expect(asked.market).toBe(2);
    clock.nowMs = MAX_ACCOUNT_AGE_MS - 1;
    await cache.account(payer.account.address);
    expect(asked.account).toBe(1);
    clock.nowMs = MAX_ACCOUNT_AGE_MS;
    await cache.account(payer.account.address);
    expect(asked.account).toBe(2);
  });

  it('forgets everything when a write fails: how far it came is not known', async () => {
    const all = setUp();
    await all.cache.account(other.account.address);
    await expectAceRejection('InsufficientFunds', transfer(all, 10n ** 15n));
    await all.cache.account(other.account.address);
    expect(all.asked.account).toBe(2);
  });
});
