import { connect, createServer, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { multiaddr } from '@multiformats/multiaddr';
import type { Devnet, TestPeer } from './devnet.ts';

/** A TCP proxy in front of a peer: `held` stops what the peer sends, `bytesPerMs` slows it, `cut` breaks it. */
async function proxyTo(peer: TestPeer) {
  const port = Number(/\/tcp\/(\d+)/.exec(String(peer.host.getMultiaddrs()[0]))?.[1]);
  const state = { held: false, bytesPerMs: Number.POSITIVE_INFINITY };
  const pairs = new Set<[Socket, Socket]>();
  const server = createServer((near) => {
    const far = connect(port, '127.0.0.1');
    const pair: [Socket, Socket] = [near, far];
    pairs.add(pair);
    near.on('error', () => far.destroy()).on('close', () => far.destroy());
    far.on('error', () => near.destroy()).on('close', () => near.destroy());
    near.pipe(far);
    void (async () => {
      for await (const data of far) {
        while (state.held) await delay(5);
        if (!near.write(data)) await new Promise((resolve) => near.once('drain', resolve));
        if (Number.isFinite(state.bytesPerMs)) await delay((data as Buffer).byteLength / state.bytesPerMs);
      }
    })().catch(() => near.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const proxyPort = typeof address === 'object' && address ? address.port : 0;
  return {
    state,
    multiaddr: `/ip4/127.0.0.1/tcp/${proxyPort}/p2p/${peer.host.peerId}`,
    cut() {
      for (const [a, b] of pairs) {
        a.destroy();
        b.destroy();
      }
      pairs.clear();
    },
    close: () => new Promise((resolve) => server.close(resolve)),
  };
}

/** From now on others find the contents of the peer at these addresses, however often it announces; at none: nowhere. */
export async function announceAt(peer: TestPeer, contentIds: string[], multiaddrs: string[]): Promise<void> {
  peer.host.getMultiaddrs = () => multiaddrs.map((text) => multiaddr(text));
  await peer.shardClient.call('announce', {
    certificate: peer.certificate,
    contentIds: multiaddrs.length === 0 ? [] : contentIds,
    multiaddrs,
  });
}

/** From now on others find these contents of the peer through a proxy, which ends with the devnet. */
export async function offerThroughProxy(net: Devnet, peer: TestPeer, contentIds: string[]) {
  const proxy = await proxyTo(peer);
  net.owns(async () => {
    proxy.cut();
    await proxy.close();
  });
  await announceAt(peer, contentIds, [proxy.multiaddr]);
  return proxy;
}
