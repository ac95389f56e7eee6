/** Whose debts count together: those of one network of addresses, and of all that come by way of a relay. */
import type { Multiaddr } from '@multiformats/multiaddr';
import { ipOf, rangeOf } from '../p2p/ip-ranges.ts';
import { originOf } from '../p2p/network-group.ts';

const RELAYED = 'relayed';

/** `null` of this machine itself on a devnet, where everybody is at home. */
export function addressGroup(address: Multiaddr, isDevnet: boolean): string | null {
  if (address.getComponents().some(({ name }) => name === 'p2p-circuit')) return RELAYED;
  const ip = ipOf(address);
  if (isDevnet && ip !== null && rangeOf(ip) === 'loopback') return null;
  return originOf(address).group;
}
