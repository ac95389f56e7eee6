import type { Libp2p } from '@libp2p/interface';
import { expect, it, onTestFinished } from 'vitest';
import { limitConnections } from '../../main/p2p/connection-limits.ts';
import { createHost, openStream, serveProtocol } from '../../main/p2p/host.ts';
import { createDevice } from '../../main/wallet/device.ts';
import { expectAceRejection } from '../helpers/ace-error.ts';
import { staysFor, waitFor } from '../helpers/wait.ts';

const LIMITS = { maxFrameBytes: 100, maxBufferedBytes: 1_000 };
const IDLE_MS = 100;

async function host(): Promise<Libp2p> {
  const created = await createHost({
    deviceSeed: createDevice().seed(),
    listen: ['/ip4/127.0.0.1/tcp/0'],
  });
  onTestFinished(() => created.stop());
  return created;
}

it('closes a connection that nobody uses, and leaves one that carries a stream', async () => {
  const [server, idle, busy] = [await host(), await host(), await host()];
  limitConnections(server, IDLE_MS);
  await serveProtocol(
    server,
    '/ace/test/1.0.0',
    LIMITS,
    async (frames) => {
      await frames.read();
    },
    () => undefined,
  );
  await idle.dial(server.getMultiaddrs());
  await openStream(busy, server.getMultiaddrs(), '/ace/test/1.0.0', LIMITS);
  expect(server.getConnections()).toHaveLength(2);
  await waitFor('the idle connection closed', () => idle.getConnections().length === 0);
  const remotes = () => server.getConnections().map(({ remotePeer }) => remotePeer.toString());
  expect(await staysFor('who is connected', 5 * IDLE_MS, remotes)).toEqual([busy.peerId.toString()]);
});

it('says so when an address to listen on is not one of this machine', async () => {
  const listen = ['/ip4/9.9.9.9/tcp/0'];
  await expectAceRejection('InvalidInput', createHost({ deviceSeed: createDevice().seed(), listen }));
});
