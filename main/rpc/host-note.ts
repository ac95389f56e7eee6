/** What both shells say when the pages are served to other machines. */
import { BlockList, isIP } from 'node:net';
import { networkInterfaces } from 'node:os';

/** Tells a user who has the pages served to other machines what that means, and where they are. */
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
