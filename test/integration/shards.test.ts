import { describe, expect, it } from 'vitest';
import { signOperation } from '../../main/wallet/account.ts';
import { parseAmount } from '../../shared/economy/money.ts';
import { encodeSignedOperation } from '../../shared/economy/operation.ts';
import { fetchWhole, MIB, paidUnits, revealedUnits, type TestPeer, ticksArrived } from '../helpers/devnet.ts';
import { type Shards, useShards } from '../helpers/shards.ts';
import { waitFor } from '../helpers/wait.ts';

/** The viewer fetches a content of so many MiB, pays for it, and everything is claimed and settled. */
async function watch(shards: Shards, viewer: TestPeer, provider: TestPeer, mib: number): Promise<void> {
  const name = `${viewer.account.address}-${mib}.bin`;
  const { contentId } = await shards.net.content(provider, mib * MIB, name);
  await waitFor('the content is announced to the viewer’s shard', async () => {
    const { providers } = await viewer.shardClient.call('providers', { contentId });
    return providers.length === 1;
  });
  await fetchWhole(viewer, contentId);
  await viewer.library.stopTransfer(contentId);
  await ticksArrived(viewer, provider);
  await provider.claims.now();
  await shards.settle();
}

async function account(peer: TestPeer) {
  return peer.shardClient.call('account', { address: peer.account.address });
}

/** Invariant 4: what the home shard holds as loans is what the chain says is used. */
async function expectLoansToBe(peer: TestPeer, units: number): Promise<void> {
  const { loans, creditUsedUnits } = await account(peer);
  expect(loans.reduce((sum, loan) => sum + loan.units, 0)).toBe(creditUsedUnits);
  expect(creditUsedUnits).toBe(units);
}

describe('a network of three shards', () => {
  it('has a node find its home shard, by whichever shard it joins', async () => {
    const shards = await useShards(3);
    for (const [home, by] of [
      [2, 1],
      [0, 2],
      [1, 1],
    ] as const) {
      const peer = await shards.peer(home, by);
      expect(peer.shard).toBe(home);
      expect((await peer.shardClient.call('hello', {})).shard).toBe(home);
      expect((await account(peer)).leasableUnits).toBe(10_240);
      expect(peer.sync.picture?.account.leasableUnits).toBe(10_240);
    }
  });

  it('has a provider paid by viewers of every shard, each at its own', async () => {
    // None settles by itself, so that each viewer has one settlement.
    const shards = await useShards(3, { settlementIntervalMs: 86_400_000 });
    const provider = await shards.peer(1);
    const viewers = await Promise.all([shards.peer(0), shards.peer(1, 2), shards.peer(2, 1)]);
    for (const [i, viewer] of viewers.entries()) {
      await watch(shards, viewer, provider, i + 2);
      expect(revealedUnits(viewer)).toBe(i + 2);
      await expectLoansToBe(viewer, i + 2);
      await viewer.sync.refresh();
      expect(viewer.store.settlements.page(99, 9)).toMatchObject([
        { shard: i, direction: 'paid', creditUnits: i + 2, counterparty: provider.account.address },
      ]);
    }
    expect(paidUnits(provider)).toBe(2 + 3 + 4);
    await provider.sync.refresh();
    const history = provider.store.settlements.page(99, 9);
    expect(history.map(({ shard, creditUnits }) => [shard, creditUnits])).toEqual(
      expect.arrayContaining([
        [0, 2],
        [1, 3],
        [2, 4],
      ]),
    );
    // One history, though each shard counts from 1.
    expect(history.map(({ seq }) => seq)).toEqual([3, 2, 1]);
    expect(history.map(({ shardSeq }) => shardSeq)).toEqual([1, 1, 1]);
    await shards.net.expectConserved();
  });

  it('repays loans at the debtor’s home shard when funds come by an operation at another', async () => {
    const shards = await useShards(3);
    const [provider, debtor, friend] = await Promise.all([shards.peer(0), shards.peer(2), shards.peer(1)]);
    await watch(shards, debtor, provider, 3);
    await expectLoansToBe(debtor, 3);

    await friend.shardClient.call('faucet', {
      account: friend.account.address,
      amountXat: parseAmount('10'),
      place: 'main',
    });
    const operation = {
      kind: 'transfer' as const,
      place: 'services' as const,
      from: friend.account.address,
      to: debtor.account.address,
      token: 'XAT' as const,
      amount: parseAmount('1'),
      nonce: 0,
    };
    const { signature } = await signOperation(friend.account, friend.settings, operation);
    const bytes = encodeSignedOperation(operation, Buffer.from(signature.slice(2), 'hex'));
    await friend.shardClient.call('submit', { operation: bytes });
    // Nobody asks it to: its next settlement sees the funds.
    await waitFor('the loans are repaid', async () => (await account(debtor)).creditUsedUnits === 0);
    await expectLoansToBe(debtor, 0);
    await provider.sync.refresh();
    expect(provider.store.settlements.page(99, 1)).toMatchObject([{ shard: 2, repaidUnits: 3 }]);
    expect(provider.store.settlements.page(99, 1)[0]?.grossXac).toBeGreaterThan(0n);
    await shards.net.expectConserved();
  });
});
