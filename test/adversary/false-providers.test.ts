/**
 * Providers that are none: announced by fresh identities, at an address that answers nothing. Before, 64 under the viewer's
 * own account kept it from its first byte for more than 40 s, 500 under foreign ones for more than 60 s.
 */
import { createServer, type Socket } from 'node:net';
import { describe, it, onTestFinished } from 'vitest';
import { expectAceRejection } from '../helpers/ace-error.ts';
import { fetchWhole, MIB, settleUp, useDevnet } from '../helpers/devnet.ts';
import { RawViewer } from '../helpers/raw-viewer.ts';
import { waitFor } from '../helpers/wait.ts';

/** More than an answer has room for. */
const FAKES = 40;

/** Takes every connection and never says a word: a dial there ends with the dialer's patience. */
async function blackHole(): Promise<number> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket.on('error', () => undefined));
  });
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as { port: number }).port;
}

describe('an announcement', () => {
  it('is taken with the certificate of the device that announces, and with no other’s', async () => {
    const net = await useDevnet();
    const [victim, thief] = [await RawViewer.start(net), await RawViewer.start(net)];
    const other = { contentIds: [], multiaddrs: [] };
    await victim.shard.call('announce', { certificate: victim.certificate, ...other });
    // Every provider that it ever greeted knows the certificate.
    const stolen = thief.shard.call('announce', { certificate: victim.certificate, ...other });
    await expectAceRejection('InvalidCertificate', stolen);
  });
});

describe('a crowd of providers that are none', () => {
  it('keeps nobody from a provider that was paid before, nor from the first byte', {
    tags: 'long',
  }, async () => {
    const net = await useDevnet();
    const provider = await net.peer('provider');
    const { contentId } = await net.content(provider, 2 * MIB);
    const before = await net.peer('before');
    await fetchWhole(before, contentId);
    await settleUp(before, provider, contentId);
    await before.stop();
    // At its next announcement the shard sees that it was paid.
    await provider.shardClient.call('announce', {
      certificate: provider.certificate,
      contentIds: [contentId],
      multiaddrs: provider.host.getMultiaddrs().map(String),
    });

    const port = await blackHole();
    for (let i = 0; i < FAKES; i++) {
      const fake = await RawViewer.start(net);
      const multiaddrs = [`/ip4/127.0.0.1/tcp/${port}/p2p/${fake.host.peerId}`];
      await fake.shard.call('announce', {
        certificate: fake.certificate,
        contentIds: [contentId],
        multiaddrs,
      });
    }
    const viewer = await net.peer('viewer');
    await waitFor('the paid one is named', async () => {
      const { providers } = await viewer.shardClient.call('providers', { contentId });
      return providers.some(({ peerId }) => peerId === provider.host.peerId.toString());
    });
    const startedAtMs = performance.now();
    const transfer = await viewer.library.transfer(contentId);
    transfer.download();
    await waitFor('the first piece', () => transfer.haveBytes > 0);
    console.info(
      `the first piece among ${FAKES} made-up providers after ${Math.round(performance.now() - startedAtMs)} ms`,
    );
    await waitFor('all of it', () => transfer.state === 'done');
  });
});
