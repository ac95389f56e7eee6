/** A line to a shard that breaks before anybody keeps it: a node that starts asks once more. */
import { connect, createServer, type Socket } from 'node:net';
import { multiaddr } from '@multiformats/multiaddr';
import { expect, it, onTestFinished } from 'vitest';
import { createHost } from '../../main/p2p/host.ts';
import { ShardClient } from '../../main/p2p/protocols/shard/client.ts';
import { createDevice } from '../../main/wallet/device.ts';
import { useDevnet } from '../helpers/devnet.ts';
import { waitFor } from '../helpers/wait.ts';

it('is opened again by the first call on it', async () => {
  const net = await useDevnet();
  const [, port, peerId] = /\/tcp\/(\d+)\/p2p\/(\w+)/.exec(net.validator.multiaddr) ?? [];
  const sockets = new Set<Socket>();
  const proxy = createServer((near) => {
    const far = connect(Number(port), '127.0.0.1');
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(one);
      one.on('error', () => other.destroy()).on('close', () => other.destroy());
      one.pipe(other);
    }
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  const address = proxy.address();
  if (address === null || typeof address === 'string') throw new Error('The proxy has no port');
  const host = await createHost({ deviceSeed: createDevice().seed(), listen: [] });
  let opened = 0;
  const client = new ShardClient(host, [multiaddr(`/ip4/127.0.0.1/tcp/${address.port}/p2p/${peerId}`)], {
    onConnected: () => void opened++,
    onDisconnected: () => undefined,
    onAccountChanged: () => undefined,
  });
  onTestFinished(async () => {
    await client.stop();
    await host.stop();
    for (const socket of sockets) socket.destroy();
    proxy.close();
  });
  await client.connect();
  for (const socket of sockets) socket.destroy();
  await waitFor('the connection is gone', () => host.getConnections().length === 0);

  expect((await client.call('hello', {})).settings.networkId).toBe(net.validator.chain.settings().networkId);
  expect(opened).toBe(2);
});
