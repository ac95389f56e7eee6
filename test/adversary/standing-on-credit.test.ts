/**
 * Fresh accounts that lend each other a unit of their free credit, to pass for peers that pay: those are held to no stranger's
 * share of leases, and named first by the rendezvous. Once a single unit that was only owed did it.
 */
import { expect, it, onTestFinished } from 'vitest';
import { PeerStanding } from '../../main/p2p/peer-standing.ts';
import { settle } from '../../main/validator/batching.ts';
import { LeasePace } from '../../main/validator/lease-pace.ts';
import { ADDRESS_LEASE_RATE, STRANGERS_LEASE_RATE } from '../../main/validator/limits.ts';
import { PeerWorth } from '../../main/validator/peer-worth.ts';
import { peerIdOf } from '../../main/wallet/device-peer-id.ts';
import { isAceError } from '../../shared/errors.ts';
import { type LeasedChannel, type Party, party, TestShard } from '../helpers/shard.ts';
import { tempDir } from '../helpers/temp-dir.ts';

const peerOf = ({ device }: Party) => peerIdOf(device.publicKey);
const HOURS_MS = 2 * 3_600_000;

function useShard(funds: ConstructorParameters<typeof TestShard>[2] = []) {
  const shard = new TestShard(tempDir(), { trafficCreditLimitUnits: 10_240 }, funds);
  onTestFinished(() => shard.close());
  return { shard, worth: new PeerWorth(new PeerStanding(), shard.store, []) };
}

/** The payee hands in what both agreed on, as often as it likes, and the shard settles. */
async function claimed(
  { shard, worth }: ReturnType<typeof useShard>,
  { channelId, payer, payee, ...channel }: LeasedChannel,
  units: number,
): Promise<void> {
  shard.claim({ channelId, payer, payee, ...channel }, units);
  for (const peer of [payer, payee]) worth.claimed(channelId, peerOf(peer));
  for (let settled = await settle(shard.context); settled; settled = await settle(shard.context)) {
    worth.settled(settled.accounts);
  }
  for (const peer of [payer, payee]) worth.claimed(channelId, peerOf(peer));
}

it('20 identities of one address with nothing but credit get a stranger’s leases, and no more', async () => {
  const network = useShard();
  const { shard, worth } = network;
  let uptimeMs = 0;
  const pace = new LeasePace(
    (peerId) => worth.paidUnitsOf(peerId),
    () => uptimeMs,
  );
  const origin = { address: '192.0.2.1', group: '192.0.2.0/24' };
  const pairs = Array.from({ length: 10 }, (_, n) => [party(1 + 2 * n), party(2 + 2 * n)] as const);
  for (const [payer, payee] of pairs) await claimed(network, await shard.lease(payer, payee, 1), 1);
  let leases = 0;
  // Each asks every ten seconds: within what one peer may.
  for (; uptimeMs < HOURS_MS; uptimeMs += 10_000) {
    for (const peer of pairs.flat()) {
      try {
        pace.take({ peerId: peerOf(peer), origin });
        leases++;
      } catch (error) {
        if (!isAceError(error, 'TooManyRequests')) throw error;
      }
    }
  }
  const ofStrangers = [ADDRESS_LEASE_RATE, STRANGERS_LEASE_RATE].reduce(
    (sum, { burst, perSecond }) => sum + burst + (perSecond * HOURS_MS) / 1_000,
    0,
  );
  process.stdout.write(
    `20 identities on credit: ${leases} leases in two hours, strangers in all ${ofStrangers}; before, 14,400\n`,
  );
  expect(leases).toBeLessThanOrEqual(ofStrangers);
});

it('is earned by paying, at once or when what was owed is repaid', async () => {
  const [rich, debtor, payee] = [party(1), party(2), party(3)];
  const network = useShard([[rich.account.address, 'XAC', '1']]);
  const { shard, worth } = network;
  await claimed(network, await shard.lease(debtor, payee, 10), 10);
  expect([debtor, payee].map((one) => worth.isProven(peerOf(one)))).toEqual([false, false]);
  const restarted = () => new PeerWorth(new PeerStanding(), shard.store, []);
  expect(restarted().isProven(peerOf(payee))).toBe(false);
  // The debtor earns: what it owes is repaid in the same settlement.
  await claimed(network, await shard.lease(rich, debtor, 50), 50);
  expect(shard.store.loans.owedUnits(debtor.account.address)).toBe(0);
  expect([rich, debtor, payee].map((one) => worth.isProven(peerOf(one)))).toEqual([true, true, true]);
  expect([rich, debtor, payee].map((one) => restarted().isProven(peerOf(one)))).toEqual([true, true, true]);
});

it('is not lent on: one paid unit makes no crowd of known peers', async () => {
  const payer = party(1);
  const price = '0.0003';
  const network = useShard([[payer.account.address, 'XAC', price]]);
  const { shard, worth } = network;
  await claimed(network, await shard.lease(payer, party(2), 1), 1);
  expect(worth.isProven(peerOf(party(2)))).toBe(true);
  const crowd = Array.from({ length: 30 }, (_, n) => party(10 + n));
  for (const payee of crowd) await claimed(network, await shard.lease(payer, payee, 1), 1);
  const known = crowd.filter((payee) => worth.isProven(peerOf(payee))).length;
  const paid = shard.store.watchers.get(payer.account.address)?.everPaidUnits ?? 0;
  expect(known).toBeLessThanOrEqual(2 * paid);
});

// A lease a day for each unit of the claim, before: 60 here for one unit paid.
it('counts what was paid, not what was claimed since', async () => {
  const [payer, payee] = [party(1), party(2)];
  const { shard, worth } = useShard([[payer.account.address, 'XAC', '0.0003']]);
  const channel = await shard.lease(payer, payee, 60);
  shard.claim(channel, 1);
  await settle(shard.context);
  shard.claim(channel, 60);
  for (const peer of [payer, payee]) worth.claimed(channel.channelId, peerOf(peer));
  const paid = shard.store.watchers.everPaidUnits(payer.account.address);
  expect(paid).toBe(1);
  expect([payer, payee].map((peer) => worth.paidUnitsOf(peerOf(peer)))).toEqual([paid, paid]);
});

// The leases granted last were looked at, before: 10,000 of strangers, and nobody was known any more.
it('is known again after a start, however many leases strangers were given since', async () => {
  const [rich, payee] = [party(1), party(2)];
  const { shard, worth, ...network } = useShard([[rich.account.address, 'XAC', '1']]);
  await claimed({ shard, worth, ...network }, await shard.lease(rich, payee, 5), 5);
  for (let n = 0; n < 10; n++) {
    await claimed({ shard, worth, ...network }, await shard.lease(party(100 + n), payee, 1), 1);
  }
  const found = (among: number) => [...shard.store.leases.newestOfPayers(among)];
  expect(found(100)).toHaveLength(1);
  expect(found(10)).toEqual([]);
  const restarted = new PeerWorth(new PeerStanding(), shard.store, []);
  expect([rich, payee].map((one) => restarted.paidUnitsOf(peerOf(one)))).toEqual([5, 5]);
});

// Half a day of the rows that strangers have filled what a validator looked at, before, for one paid unit.
it('is known again after a start, however many leases one took on credit that paid a unit once', async () => {
  const [rich, payee, debtor] = [party(1), party(2), party(3)];
  const network = useShard([
    [rich.account.address, 'XAC', '1'],
    [debtor.account.address, 'XAC', '0.00001'],
  ]);
  const { shard } = network;
  await claimed(network, await shard.lease(rich, payee, 5), 5);
  for (let n = 0; n < 10; n++) await claimed(network, await shard.lease(debtor, payee, 1), 1);
  expect(shard.store.watchers.everPaidUnits(debtor.account.address)).toBe(1);
  const restarted = new PeerWorth(new PeerStanding(), shard.store, [], { most: 3, among: 100 });
  expect([rich, payee, debtor].map((one) => restarted.paidUnitsOf(peerOf(one)))).toEqual([5, 5, 0]);
});

it('of a provider is not held up by one that owes it', async () => {
  const [debtor, rich, provider] = [party(1), party(2), party(3)];
  const network = useShard([[rich.account.address, 'XAC', '1']]);
  await claimed(network, await network.shard.lease(debtor, provider, 1), 1);
  await claimed(network, await network.shard.lease(rich, provider, 1), 1);
  const isKnown = (one: Party) => network.worth.isProven(peerOf(one));
  expect([debtor, rich, provider].map(isKnown)).toEqual([false, true, true]);
});
