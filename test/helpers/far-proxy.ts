/** A TCP proxy that is far away: what goes in on one side comes out on the other so much later, in order. */
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

export interface FarProxy {
  /** The address behind it, as it is seen from the far side. */
  readonly multiaddr: string;
  close(): Promise<void>;
}

/** @param multiaddr an IPv4 TCP address with a peer id */
export async function farFrom(multiaddr: string, oneWayMs: number): Promise<FarProxy> {
  const port = Number(/\/tcp\/(\d+)/.exec(multiaddr)?.[1]);
  const sockets = new Set<Socket>();
  const server = createServer({ noDelay: true }, (near) => {
    const far = connect({ port, host: '127.0.0.1', noDelay: true });
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from);
      from.on('data', (data) => setTimeout(() => to.writable && to.write(data), oneWayMs));
      from.on('end', () => setTimeout(() => to.end(), oneWayMs));
      from.on('error', () => to.destroy());
      from.on('close', () => sockets.delete(from));
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const own = typeof address === 'object' && address ? address.port : 0;
  return {
    multiaddr: multiaddr.replace(/\/tcp\/\d+/, `/tcp/${own}`),
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
