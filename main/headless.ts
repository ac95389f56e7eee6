/** The shell without a window: the same pages, in the user's own browser. */
import { BlockList, isIP } from 'node:net';
import { networkInterfaces } from 'node:os';
import { DEFAULT_HTTP_PORT } from './config.ts';
import { type NodeConfig, startNode } from './node.ts';
import { stopSignal } from './stop-signals.ts';

/**
 * Runs until a stop signal or the `shutdown` procedure, then stops the node cleanly. A later signal does not wait.
 * Standard output gets exactly one line: the address with the token, for people to click and programs to read. The
 * token is in the fragment, which browsers never send anywhere.
 */
export async function runHeadless(config: NodeConfig): Promise<void> {
  const node = await startNode(config);
  const signalled = stopSignal(); // whoever reads the address may send one at once
  process.stdout.write(`${pagesAddress(node.http)}\n`);
  for (const note of [portNote(config, node.http), hostNote(config, node.http)]) {
    if (note !== null) process.stderr.write(`${note}\n`);
  }

  await Promise.race([signalled, node.stopped]);
  await node.stop();
}

export function pagesAddress(http: { readonly url: string; readonly token: string }): string {
  return `${http.url.replace(/\/?$/, '/')}#token=${encodeURIComponent(http.token)}`;
}

/** Whoever has the pages served to other machines is told what that means, and where they are. */
export function hostNote(
  { httpHost }: { readonly httpHost?: string },
  { port }: { readonly port: number },
): string | null {
  if (httpHost === undefined || LOOPBACK.check(httpHost, isIP(httpHost) === 6 ? 'ipv6' : 'ipv4')) return null;
  const all = httpHost === '0.0.0.0' || httpHost === '::';
  const urls = (all ? otherAddresses() : [httpHost]).map(
    (address) => `http://${address.includes(':') ? `[${address}]` : address}:${port}/`,
  );
  return (
    `Warning: pages and players are served to other machines, unencrypted (${urls.join(', ') || 'no network now'}). ` +
    'Whoever has the token can spend this wallet’s money: ace-node token prints it, ace-node token --renew makes a new one'
  );
}

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4');
LOOPBACK.addAddress('::1', 'ipv6');

function otherAddresses(): string[] {
  return Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .filter(({ internal, scopeid }) => !internal && !scopeid)
    .map(({ address }) => address);
}

/** Players and scripts look at the usual port by themselves; they have to be told of another. */
export function portNote(
  { httpPort }: { readonly httpPort?: number },
  http: { readonly url: string; readonly port: number },
): string | null {
  if (httpPort !== undefined || http.port === DEFAULT_HTTP_PORT) return null;
  return `Port ${DEFAULT_HTTP_PORT} is in use by another program: give players ${http.url} instead`;
}
