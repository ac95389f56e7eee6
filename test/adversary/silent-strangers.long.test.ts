/**
 * Fresh identities take a host's connections with silent streams, 60 a second. Before there was an eviction, 300 of them
 * locked everybody out of a validator for ever (0 of 4 newcomers in 200 s), 292 a provider.
 */
import { expect, it } from 'vitest';
import { MAX_CONNECTIONS } from '../../main/p2p/limits.ts';
import { type Devnet, fetchWhole, MIB, type TestPeer, useDevnet } from '../helpers/devnet.ts';
import { Strangers } from '../helpers/strangers.ts';
import { waitFor } from '../helpers/wait.ts';

const PER_SECOND = '60';
/** A line that breaks comes back by itself: on a machine that is busy, a call in so many may find it down. */
const MAX_BROKEN_SHARE = 0.05;

/** Starts a peer; a user whose first try finds no answer tries again. */
function comesIn(net: Devnet, name: string): Promise<TestPeer> {
  return waitFor(`${name} is in`, () => net.peer(name).catch(() => null));
}

it('silent strangers at a validator keep no newcomer out, and one that is in stays and works', async () => {
  const net = await useDevnet();
  const joined = await net.peer('joined');
  const strangers = Strangers.come(net.validator.multiaddr, PER_SECOND, 'shard');
  await waitFor('all places have been taken', () => strangers.count > MAX_CONNECTIONS);
  expect(net.validator.host.getConnections().length).toBeLessThanOrEqual(MAX_CONNECTIONS);

  const startedAtMs = performance.now();
  const newcomers: TestPeer[] = [];
  for (const name of ['a', 'b', 'c', 'd']) newcomers.push(await comesIn(net, name));
  const inMs = (performance.now() - startedAtMs) / newcomers.length;
  await joined.stop();
  newcomers.push(await comesIn(net, 'joined'));

  // They stay while twice as many strangers come as there are places.
  const until = strangers.count + 2 * MAX_CONNECTIONS;
  const waits: number[] = [];
  let broken = 0;
  const lines = newcomers.map(({ shardClient }) => shardClient);
  while (strangers.count < until) {
    const askedAtMs = performance.now();
    const answers = await Promise.allSettled(lines.map((line) => line.call('market', {})));
    broken += answers.filter(({ status }) => status === 'rejected').length;
    waits.push(performance.now() - askedAtMs);
  }
  expect(broken).toBeLessThanOrEqual(MAX_BROKEN_SHARE * waits.length * lines.length);
  console.info(
    `a validator under ${PER_SECOND} silent strangers a second: a newcomer is in after ${Math.round(inMs)} ms, ` +
      `${waits.length} rounds of calls by ${lines.length} nodes while ${2 * MAX_CONNECTIONS} came, slowest ${Math.round(Math.max(...waits))} ms`,
  );
});

it('strangers that greet a provider and say nothing more keep no viewer from its content', async () => {
  const net = await useDevnet();
  const provider = await net.peer('provider');
  const { contentId } = await net.content(provider, 8 * MIB);
  const { networkId, chainId } = net.validator.settings;
  const address = provider.host.getMultiaddrs()[0]?.toString() ?? '';
  const strangers = Strangers.come(address, PER_SECOND, 'pieces', networkId, String(chainId));
  await waitFor('all places have been taken', () => strangers.count > MAX_CONNECTIONS);
  expect(provider.host.getConnections().length).toBeLessThanOrEqual(MAX_CONNECTIONS);

  const tookMs: number[] = [];
  for (let i = 0; i < 3; i++) {
    const viewer = await comesIn(net, `viewer-${i}`);
    const startedAtMs = performance.now();
    await fetchWhole(viewer, contentId);
    tookMs.push(performance.now() - startedAtMs);
    await viewer.stop();
  }
  console.info(
    `a provider under ${PER_SECOND} greeting strangers a second: 8 MiB for a newcomer in ${tookMs.map(Math.round).join(', ')} ms`,
  );
});
