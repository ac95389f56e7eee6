/**
 * Addresses that one party is likely to have many of count as one: those of one IPv4 network of 256, or of one IPv6 site.
 * Whoever comes by way of a relay may come from anywhere: all of them count as one.
 */
import { isIPv6 } from 'node:net';
import type { Multiaddr } from '@multiformats/multiaddr';
import { ipOf, rangeOf } from '../p2p/ip-ranges.ts';

const RELAYED = 'relayed';
/** Of an address that names no place, which no honest connection has. */
const NOWHERE = 'nowhere';
/** Bits of an IPv6 address that a provider gives to one customer. */
const SITE_GROUPS = 3;

/** `null` of this machine itself on a devnet, where everybody is at home. */
export function addressGroup(address: Multiaddr, isDevnet: boolean): string | null {
  if (address.getComponents().some(({ name }) => name === 'p2p-circuit')) return RELAYED;
  const ip = ipOf(address);
  if (ip === null) return NOWHERE;
  if (isDevnet && rangeOf(ip) === 'loopback') return null;
  return isIPv6(ip) ? siteOf(ip) : ip.slice(0, ip.lastIndexOf('.'));
}

function siteOf(ip: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+)\.\d+$/i.exec(ip)?.[1];
  if (mapped) return mapped;
  const [head = '', tail] = ip.split('::');
  const first = head === '' ? [] : head.split(':');
  const last = tail ? tail.split(':') : [];
  const zeros = tail === undefined ? 0 : 8 - first.length - last.length;
  const groups = [...first, ...Array<string>(Math.max(0, zeros)).fill('0'), ...last];
  return groups
    .slice(0, SITE_GROUPS)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':');
}
