/**
 * Strangers of one address and of one network, at a host that is no devnet's: by real connections, from addresses of the
 * loopback that count like any others there.
 */
import { multiaddr } from '@multiformats/multiaddr';
import { expect, it, onTestFinished } from 'vitest';
import { createHost } from '../../main/p2p/host.ts';
import {
  MAX_PER_ADDRESS,
  MAX_PER_NETWORK_GROUP,
  MAX_RELAYED_PER_ADDRESS,
  MAX_RELAYED_PER_NETWORK_GROUP,
} from '../../main/p2p/limits.ts';
import { originOf } from '../../main/p2p/network-group.ts';
import { standingOf } from '../../main/p2p/peer-standing.ts';
import { REACH_OFF } from '../../main/p2p/reach.ts';
import { createDevice } from '../../main/wallet/device.ts';
import { freePort } from '../helpers/free-port.ts';
import { RawDht } from '../helpers/raw-dht.ts';
import { waitFor } from '../helpers/wait.ts';

const HOP_PROTOCOL = '/libp2p/circuit/relay/0.2.0/hop';
/** With its length before it: a type that is 0, which asks for a place. */
const RESERVE = Uint8Array.of(2, 8, 0);

async function openHost(relayServer: boolean) {
  const port = await freePort();
  const host = await createHost({
    deviceSeed: createDevice().seed(),
    listen: [`/ip4/0.0.0.0/tcp/${port}`],
    reach: { ...REACH_OFF, dht: 'server', relayServer },
  });
  onTestFinished(async () => host.stop());
  const places = [multiaddr(`/ip4/127.0.0.1/tcp/${port}/p2p/${host.peerId}`)];
  const fromAddress = (address: string) =>
    host.getConnections().filter(({ remoteAddr }) => originOf(remoteAddr).address === address).length;
  const fromNetwork = (group: string) =>
    host.getConnections().filter(({ remoteAddr }) => originOf(remoteAddr).group === group).length;
  return { host, places, fromAddress, fromNetwork };
}

it('hold so many connections and no more, and keep out neither who comes from elsewhere nor a neighbour that paid', async () => {
  const { host, places, fromAddress, fromNetwork } = await openHost(false);
  const neighbour = await RawDht.come(places, '127.0.7.1');
  standingOf(host).paid(neighbour.host.peerId.toString(), 10);
  let most = 0;
  host.addEventListener('connection:open', () => {
    // Counted when whoever had to has gone.
    queueMicrotask(() => {
      most = Math.max(most, fromNetwork('127.0.7.0/24'));
    });
  });
  const come = (from: string) => RawDht.come(places, from).catch(() => null);
  for (let i = 0; i < MAX_PER_ADDRESS + 8; i++) await come('127.0.7.1');
  await waitFor('the others have gone', () => fromAddress('127.0.7.1') <= MAX_PER_ADDRESS + 1);
  expect(fromAddress('127.0.7.1')).toBeGreaterThan(MAX_PER_ADDRESS - 8);
  for (let i = 0; i < MAX_PER_NETWORK_GROUP; i++) await come(`127.0.7.${2 + (i % 4)}`);
  await waitFor('the others have gone', () => fromNetwork('127.0.7.0/24') <= MAX_PER_NETWORK_GROUP + 1);
  expect(most).toBeLessThanOrEqual(MAX_PER_NETWORK_GROUP + 2);
  expect(host.getConnections(neighbour.host.peerId)).toHaveLength(1);
  const elsewhere = await RawDht.come(places, '127.0.9.1');
  await waitFor('it is in', () => host.getConnections(elsewhere.host.peerId).length === 1);
});

it('get so many places at a relay and no more, and leave the rest to others', async () => {
  const { host, places } = await openHost(true);
  const { reservations } = (host.services as unknown as { relay: { reservations: Map<unknown, unknown> } })
    .relay;
  const reserve = async (from: string) => {
    const one = await RawDht.come(places, from);
    const stream = await one.open(HOP_PROTOCOL);
    const answered = new Promise((resolve) => {
      for (const event of ['message', 'close'] as const) stream.addEventListener(event, resolve);
    });
    stream.send(RESERVE);
    await answered;
  };
  for (let i = 0; i < MAX_RELAYED_PER_ADDRESS + 4; i++) await reserve('127.0.7.1');
  expect(reservations.size).toBe(MAX_RELAYED_PER_ADDRESS);
  for (let i = 0; i < MAX_RELAYED_PER_NETWORK_GROUP; i++) await reserve(`127.0.7.${2 + i}`);
  expect(reservations.size).toBe(MAX_RELAYED_PER_NETWORK_GROUP);
  await reserve('127.0.9.1');
  expect(reservations.size).toBe(MAX_RELAYED_PER_NETWORK_GROUP + 1);
});
