/** Which of a host's own addresses are advertised, by identify, announcements and the DHT alike. */
import type { Multiaddr } from '@multiformats/multiaddr';
import { type IpRange, ipOf, rangeOf } from './ip-ranges.ts';

/** As many as an announcement has room for. */
export const MAX_ADVERTISED = 16;
const ORDER: Readonly<Record<IpRange, number>> = { public: 0, private: 2, loopback: 3, never: 4 };
const RELAYED = 1;

/**
 * Best first: the internet, by way of a relay, the LAN. Loopback and link-local mean another machine to everybody else,
 * so they are advertised only by a host that has nothing else, which nobody outside can meet.
 */
export function advertisedAddresses(own: readonly Multiaddr[]): Multiaddr[] {
  const ranked = own.map((address) => ({ address, rank: rankOf(address) }));
  const elsewhere = ranked.filter(({ rank }) => rank < ORDER.loopback);
  const advertised = elsewhere.length > 0 ? elsewhere : ranked.filter(({ rank }) => rank === ORDER.loopback);
  return advertised
    .sort((a, b) => a.rank - b.rank)
    .slice(0, MAX_ADVERTISED)
    .map(({ address }) => address);
}

function rankOf(address: Multiaddr): number {
  const ip = ipOf(address);
  const rank = ip === null ? ORDER.public : ORDER[rangeOf(ip)];
  return rank < ORDER.loopback && isRelayed(address) ? RELAYED : rank;
}

export function isRelayed(address: Multiaddr): boolean {
  return address.getComponents().some(({ name }) => name === 'p2p-circuit');
}
