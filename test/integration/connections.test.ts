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
  limitConnections(server, { idleMs: IDLE_MS });
  await serveProtocol(
    server,
    '/ace/test/1.0.0',
    LIMITS,
    async (frames) => {
      await frames.read();
    },
    () => undefined,
  );
  await openStream(busy, server.getMultiaddrs(), '/ace/test/1.0.0', LIMITS);
  await idle.dial(server.getMultiaddrs());
  await waitFor('the idle connection closed', () => idle.getConnections().length === 0);
  const remotes = () => server.getConnections().map(({ remotePeer }) => remotePeer.toString());
  expect(await staysFor('who is connected', 5 * IDLE_MS, remotes)).toEqual([busy.peerId.toString()]);
});

it('resets a stream on which nothing comes, and one that goes silent, and reports neither', async () => {
  const [server, viewer] = [await host(), await host()];
  const errors: unknown[] = [];
  await serveProtocol(
    server,
    '/ace/test/1.0.0',
    { ...LIMITS, firstMessageMs: IDLE_MS, idleMs: 3 * IDLE_MS },
    async (frames) => {
      while (await frames.read());
    },
    (error) => errors.push(error),
  );
  const open = () => openStream(viewer, server.getMultiaddrs(), '/ace/test/1.0.0', LIMITS);
  const [never, once] = [await open(), await open()];
  once.send(new Uint8Array(1));
  await expectAceRejection('PeerClosed', never.read());
  await expectAceRejection('PeerClosed', once.read());
  expect(errors).toEqual([]);
});

it('says so when an address to listen on is not one of this machine', async () => {
  const listen = ['/ip4/9.9.9.9/tcp/0'];
  await expectAceRejection('InvalidInput', createHost({ deviceSeed: createDevice().seed(), listen }));
});

it('tells a peer that speaks another version from one that is away', async () => {
  const [server, node] = [await host(), await host()];
  await serveProtocol(
    server,
    '/ace/test/1.0.0',
    LIMITS,
    async () => undefined,
    () => undefined,
  );
  const addresses = server.getMultiaddrs();
  const older = await expectAceRejection(
    'PeerUnreachable',
    openStream(node, addresses, '/ace/test/2.0.0', LIMITS),
  );
  expect(older.message).toMatch(/does not speak \/ace\/test\/2\.0\.0: it runs another version/);
  await server.stop();
  const away = await expectAceRejection(
    'PeerUnreachable',
    openStream(node, addresses, '/ace/test/2.0.0', LIMITS),
  );
  expect(away.message).toMatch(/^No connection to /);
});
