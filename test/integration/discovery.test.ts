/** Providers are found without the validator that everybody met at, and past those who lie. */
import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Libp2p } from '@libp2p/interface';
import { multiaddr } from '@multiformats/multiaddr';
import { CID } from 'multiformats';
import { expect, it, onTestFinished } from 'vitest';
import { DataDir } from '../../main/data-dir/data-dir.ts';
import { createHost } from '../../main/p2p/host.ts';
import { dhtOf, REACH_OFF } from '../../main/p2p/reach.ts';
import { startPeer } from '../../main/peer/peer.ts';
import { createLog } from '../../main/process/log.ts';
import { createDevice } from '../../main/wallet/device.ts';
import { peerIdOf } from '../../main/wallet/device-peer-id.ts';
import { createPhrase } from '../../main/wallet/phrase.ts';
import { fetchWhole, MIB, type TestPeer, useDevnet } from '../helpers/devnet.ts';
import { waitFor } from '../helpers/wait.ts';

/** Whether the DHT knows any provider of this content, asked from this host. */
async function recordsOf(host: Libp2p, contentId: string): Promise<string[]> {
  const found: string[] = [];
  const events =
    dhtOf(host)?.findProviders(CID.parse(contentId), { signal: AbortSignal.timeout(5_000) }) ?? [];
  for await (const event of events) {
    if (event.name === 'PROVIDER') found.push(...event.providers.map(({ id }) => id.toString()));
  }
  return found;
}

async function waitForRecord(asking: TestPeer, contentId: string, provider: TestPeer): Promise<void> {
  const id = provider.host.peerId.toString();
  let known: string[] = [];
  const asked = setInterval(() => {
    recordsOf(asking.host, contentId).then(
      (ids) => {
        known = ids;
      },
      () => undefined, // it is asked again
    );
  }, 300);
  onTestFinished(() => clearInterval(asked));
  await waitFor('the DHT knows the provider', () => known.includes(id));
  clearInterval(asked);
}

it('finds by the DHT, with the validator stopped, and takes the account from the certificate', async () => {
  const net = await useDevnet();
  const provider = await net.peer('provider');
  const viewer = await net.peer('viewer');
  const { contentId } = await net.content(provider, MIB);
  await waitForRecord(viewer, contentId, provider);
  await net.validator.stop();
  await waitFor('the validator is gone', () => !viewer.shardClient.connected);
  const [found, ...others] = await viewer.finder.find(contentId);
  expect(found?.peerId).toBe(provider.host.peerId.toString());
  expect(found?.account).toBe(provider.account.address);
  expect(others).toEqual([]);
  expect((await viewer.library.resolve(contentId, 'fetched')).contentId).toBe(contentId);
});

it('tells a node that joins of others, which it begins with when no validator answers', async () => {
  const net = await useDevnet();
  const provider = await net.peer('provider');
  const { contentId } = await net.content(provider, MIB);
  await waitFor('the provider is known', async () => {
    const { providers } = await provider.shardClient.call('providers', { contentId });
    return providers.length > 0;
  });
  const viewer = await net.peer('viewer');
  expect(viewer.known.list().map(({ peerId }) => peerId)).toEqual([provider.host.peerId.toString()]);
  await viewer.stop();
  await net.validator.stop();
  // A start of its own, with nothing but what it kept.
  const again = await net.peer('viewer');
  expect(again.known.list().map(({ peerId }) => peerId)).toEqual([provider.host.peerId.toString()]);
  const [found] = await again.finder.find(contentId);
  expect(found?.account).toBe(provider.account.address);
});

it('serves the devices of one account for nothing, wherever they were found, and finds them first', async () => {
  const net = await useDevnet();
  const phrase = createPhrase(12);
  const secrets = () => ({ phrase, deviceSeed: createDevice().seed() });
  const mine = await net.peer('mine', secrets());
  const viewer = await net.peer('viewer', secrets());
  const { contentId } = await net.content(mine, 2 * MIB);
  await waitForRecord(viewer, contentId, mine);
  await net.validator.stop();
  await fetchWhole(viewer, contentId);
  expect(viewer.store.payerChannels.revealedUnits()).toBe(0);
});

it('finds the honest provider among a thousand false names and wrong addresses', async () => {
  const net = await useDevnet();
  const provider = await net.peer('provider');
  const viewer = await net.peer('viewer');
  const { contentId } = await net.content(provider, MIB);
  await waitForRecord(viewer, contentId, provider);

  const liar = await createHost({
    deviceSeed: createDevice().seed(),
    listen: ['/ip4/127.0.0.1/tcp/0'],
    reach: { ...REACH_OFF, dht: 'server' },
  });
  onTestFinished(() => liar.stop());
  const nowhere = multiaddr('/ip4/127.0.0.1/tcp/9');
  const key = CID.parse(contentId);
  const records = (
    dhtOf(liar) as unknown as { providers: { addProvider(cid: CID, id: Libp2p['peerId']): Promise<void> } }
  ).providers;
  const { peerIdFromString } = await import('@libp2p/peer-id');
  for (let i = 0; i < 1_000; i++) {
    const id = peerIdFromString(peerIdOf(createDevice().publicKey));
    await liar.peerStore.merge(id, { multiaddrs: [nowhere] });
    await records.addProvider(key, id);
  }
  // The honest one too, at a place where nobody is.
  await liar.peerStore.merge(provider.host.peerId, { multiaddrs: [nowhere] });
  await records.addProvider(key, provider.host.peerId);
  await viewer.host.dial(liar.getMultiaddrs());
  await waitFor('the liar is asked', async () => {
    const known = await recordsOf(viewer.host, contentId);
    if (known.length > 20) return true;
    // No more often than a DHT answers.
    await delay(300);
    return false;
  });
  await net.validator.stop();
  await waitFor('the validator is gone', () => !viewer.shardClient.connected);

  const found = await viewer.finder.find(contentId);
  expect(found.map(({ peerId }) => peerId)).toEqual([provider.host.peerId.toString()]);
  expect((await viewer.library.resolve(contentId, 'fetched')).contentId).toBe(contentId);
});

it('puts no value into the DHT', async () => {
  const hosts = await Promise.all(
    [1, 2].map(async () => {
      const host = await createHost({
        deviceSeed: createDevice().seed(),
        listen: ['/ip4/127.0.0.1/tcp/0'],
        reach: { ...REACH_OFF, dht: 'server' },
      });
      onTestFinished(() => host.stop());
      return host;
    }),
  );
  const [one, two] = hosts as [Libp2p, Libp2p];
  await one.dial(two.getMultiaddrs());
  await waitFor('the DHT knows the other', () => dhtOf(one)?.routingTable.size === 1);
  const key = new TextEncoder().encode(`/pk/${randomBytes(8).toString('hex')}`);
  // What strangers put is refused as well: test/adversary/dht-values.test.ts.
  const put = async () => {
    const events = dhtOf(one)?.put(key, randomBytes(16), { signal: AbortSignal.timeout(5_000) }) ?? [];
    for await (const event of events) expect(event.name).not.toBe('PEER_RESPONSE');
  };
  await expect(put()).rejects.toThrow('this network keeps no values');
});

it('finds a node on the same LAN by mDNS, with the validator stopped and no DHT', async () => {
  const net = await useDevnet();
  const start = async (name: string) => {
    mkdirSync(join(net.dir, name));
    const peer = await startPeer({
      dataDir: new DataDir(join(net.dir, name)),
      shardMultiaddr: net.validator.multiaddr,
      p2pPort: 0,
      reach: { ...REACH_OFF, mdns: true },
      log: createLog(null),
    });
    net.owns(() => peer.stop());
    return peer;
  };
  const viewer = await start('viewer');
  const provider = await start('provider');
  await net.validator.stop();
  const { contentId } = await net.content(provider, MIB);
  const id = provider.host.peerId.toString();
  await waitFor('the provider is met', () => viewer.known.list().some(({ peerId }) => peerId === id));
  const [found] = await viewer.finder.find(contentId);
  expect(found?.account).toBe(provider.account.address);
});
