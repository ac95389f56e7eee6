/** A shard that goes on from an older copy of its own file: what it confirmed since is handed in again. In units. */
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { pullProgress } from '../../main/account/channel-progress.ts';
import { Claims } from '../../main/channel/claims.ts';
import { openNodeStore } from '../../main/db/node/store.ts';
import { createLog } from '../../main/process/log.ts';
import { CLAIM_GRACE_MS, settle } from '../../main/validator/batching.ts';
import { channelProgress } from '../../main/validator/channel-progress.ts';
import { restoreLease } from '../../main/validator/restore-lease.ts';
import { advance, OPENING } from '../../shared/channel/lifecycle.ts';
import { decodeTerms, encodeTerms } from '../../shared/channel/records.ts';
import { TOKENS } from '../../shared/economy/money.ts';
import { expectAceError } from '../helpers/ace-error.ts';
import { heldAndOwed } from '../helpers/chain.ts';
import { ChannelWorld, PAYEE, PAYER, type Side } from '../helpers/channel-world.ts';
import { MIB } from '../helpers/devnet.ts';
import { party, TestShard } from '../helpers/shard.ts';
import { tempDir } from '../helpers/temp-dir.ts';

function useWorld(): ChannelWorld {
  const world = new ChannelWorld(tempDir());
  onTestFinished(() => world.close());
  return world;
}

/** A side asks the shard for news of all its channels. The answer is whether it has to hand a claim in again. */
async function ask(world: ChannelWorld, side: Side): Promise<boolean> {
  const line = {
    call: async (_: string, { channelIds }: { channelIds: Uint8Array[] }) =>
      channelProgress(world.shard.store, channelIds),
  };
  const service = side === 'payer' ? world.payer : world.payee;
  let again = false;
  const nowMs = () => ++world.shard.nowMs;
  await pullProgress([[0, line as never]], world.stores[side], nowMs, createLog(null), (progress) => {
    if (service.receiveProgress(progress.channelId, progress)) again = true;
  });
  return again;
}

/** The shard is stopped for a moment, and its own file copied. */
async function copyShard(world: ChannelWorld): Promise<void> {
  await world.restartShard(() =>
    cpSync(join(world.dir, 'validator.db'), join(world.dir, 'validator-copy.db')),
  );
}

/** The shard goes on from the copy. */
async function restoreShard(world: ChannelWorld): Promise<void> {
  await world.restartShard(() =>
    cpSync(join(world.dir, 'validator-copy.db'), join(world.dir, 'validator.db')),
  );
}

async function fetch(world: ChannelWorld, first: number, count: number): Promise<void> {
  for (let i = first; i < first + count; i++) {
    world.request(`piece ${i}`, MIB);
    await world.pump();
  }
}

/** What the shard holds proof for on all channels, and what the main chain made of it. */
async function expectAllPaid(world: ChannelWorld, units: number): Promise<void> {
  const leases = [...world.truth.channels.values()].map(({ channelId }) =>
    world.shard.store.leases.get(channelId),
  );
  expect(leases.reduce((sum, lease) => sum + (lease?.claimedUnits ?? 0), 0)).toBe(units);
  while (await settle(world.shard.context));
  // Loss of the payee, and of the payer: none.
  const { creditUsedUnits } = await world.shard.chain.account(PAYER.account.address);
  expect(creditUsedUnits).toBe(units);
  expect(world.shard.store.loans.ofPair(PAYER.account.address, PAYEE.account.address)).toMatchObject([
    { unitsLeft: units },
  ]);
  for (const token of TOKENS) {
    const { held, owed } = await heldAndOwed(world.shard.chain, token);
    expect(held).toBe(owed);
  }
}

it('is handed the claims again that it confirmed since', async () => {
  const world = useWorld();
  await world.connect();
  await world.pump();
  await fetch(world, 0, 2);
  await world.claim('payee');
  await copyShard(world);
  await fetch(world, 2, 5);
  await world.claim('payee');
  expect(world.stores.payee.payeeChannels.toClaim()).toEqual([]);
  await restoreShard(world);
  expect(await ask(world, 'payee')).toBe(true);
  await world.claim('payee');
  expect(await ask(world, 'payee')).toBe(false);
  await expectAllPaid(world, 7);
});

it('is handed the lease again that it granted since, by the payee', async () => {
  const world = useWorld();
  await copyShard(world);
  await world.connect();
  await world.pump();
  await fetch(world, 0, 6);
  await world.claim('payee');
  await restoreShard(world);
  expect(await ask(world, 'payee')).toBe(true);
  await world.claim('payee');
  expect(world.stores.payee.payeeChannels.all()[0]?.state.status).toBe('open');
  await fetch(world, 6, 1);
  await world.claim('payee');
  await expectAllPaid(world, 7);
});

it.each(['payer', 'payee'] as const)(
  'is handed the final checkpoint again by the %s, and the rest of the lease comes back',
  async (side) => {
    const world = useWorld();
    await copyShard(world);
    await world.connect();
    await world.pump();
    await fetch(world, 0, 5);
    world.finish();
    await world.pump();
    await world.claim(side);
    const status = () =>
      (side === 'payer' ? world.stores.payer.payerChannels : world.stores.payee.payeeChannels).all()[0]?.state
        .status;
    expect(status()).toBe('claimed');
    await restoreShard(world);
    expect(await ask(world, side)).toBe(true);
    expect(status()).toBe('closing');
    await world.claim(side);
    expect(status()).toBe('claimed');
    expect(world.shard.store.leases.reservedUnits(PAYER.account.address)).toBe(5);
    await expectAllPaid(world, 5);
    expect(world.shard.store.leases.reservedUnits(PAYER.account.address)).toBe(0);
  },
);

it.each([
  ['its payer', PAYER],
  ['a stranger', party(3)],
] as const)('takes a lease back whose anchor %s has leased again meanwhile', async (_, thief) => {
  const world = useWorld();
  await copyShard(world);
  await world.connect();
  await world.pump();
  await fetch(world, 0, 6);
  await restoreShard(world);
  const [row] = world.stores.payee.payeeChannels.all();
  if (!row) throw new Error('no channel');
  // Terms are public once they are gossiped.
  const { anchor } = decodeTerms(row.terms);
  await world.shard.lease(thief, party(4), 1, { anchor });
  await world.claim('payee');
  expect(world.stores.payee.payeeChannels.all()[0]?.state.status).toBe('open');
  await expectAllPaid(world, 6);
  const isPayer = thief === PAYER;
  expect(world.shard.store.disputes.get(PAYER.device.publicKey)?.kind).toBe(isPayer ? 'anchor' : undefined);
});

it('takes back no lease that it did not sign, and none whose time is over', async () => {
  const world = useWorld();
  await copyShard(world);
  await world.connect();
  await world.pump();
  await fetch(world, 0, 3);
  await restoreShard(world);
  const [row] = world.stores.payee.payeeChannels.all();
  if (!row) throw new Error('no channel');
  const { terms, termsSignature, leaseSignature } = row;
  const forged = leaseSignature.map((byte, i) => (i === 0 ? byte ^ 1 : byte));
  const context = world.shard.context;
  expectAceError('ChannelUnleased', () =>
    restoreLease(context, { terms, termsSignature, leaseSignature: forged }),
  );
  const unsigned = termsSignature.map((byte, i) => (i === 0 ? byte ^ 1 : byte));
  expectAceError('InvalidSignature', () =>
    restoreLease(context, { terms, termsSignature: unsigned, leaseSignature }),
  );
  const overMs = row.state.expiresAtMs + CLAIM_GRACE_MS;
  world.shard.nowMs = overMs;
  expectAceError('ClaimInvalid', () => restoreLease(context, { terms, termsSignature, leaseSignature }));
  expect(world.shard.store.leases.get(row.state.channelId)).toBeNull();
  world.shard.nowMs = overMs - 1;
  restoreLease(context, { terms, termsSignature, leaseSignature });
  expect(world.shard.store.leases.get(row.state.channelId)?.capacityUnits).toBe(row.state.capacityUnits);
});

it('is handed a long channel again step by step, from what it still knows', async () => {
  const shard = new TestShard(tempDir());
  onTestFinished(() => shard.close());
  const dir = tempDir();
  const store = openNodeStore(join(dir, 'node.db'));
  onTestFinished(() => store.close());
  const channel = await shard.lease(PAYER, PAYEE, 1_000);
  const terms = encodeTerms(channel.terms);
  const state = {
    channelId: channel.channelId,
    capacityUnits: 1_000,
    expiresAtMs: channel.terms.expiresAtMs,
    paidUnits: 900,
    tick: channel.chain.tick(900),
    servedBytes: 900 * MIB,
    checkpointNumber: 0,
    checkpointUnits: 0,
    ...advance(OPENING, 'leased'),
  };
  const [termsSignature, leaseSignature] = [PAYER.device.sign(terms), new Uint8Array(64)];
  const payer = PAYER.account.address;
  const payerDevice = PAYER.device.publicKey;
  store.commit(() => {
    const openedAtMs = shard.nowMs;
    store.payeeChannels.insert({
      state,
      payer,
      payerDevice,
      terms,
      termsSignature,
      leaseSignature,
      openedAtMs,
    });
    // Confirmed, and lost since: the shard has proof of no unit.
    store.payeeChannels.setClaimed(channel.channelId, 800);
  });
  const payee = {
    expire: () => undefined,
    receiveProgress: (channelId: Uint8Array, { claimedUnits }: { claimedUnits: number }) => {
      store.commit(() => store.payeeChannels.setClaimed(channelId, claimedUnits));
      return false;
    },
    claimRefused: () => expect.unreachable('the claim is right'),
  };
  const claims = new Claims(store, { claim: async (claim) => shard.takeClaim(claim) }, createLog(null), {
    payee,
    payer: payee,
  });
  expect(await claims.now()).toBe(100);
  expect(shard.store.leases.get(channel.channelId)?.claimedUnits).toBe(900);
});
