/** Which addresses one owner is likely to have all of: a /24 of IPv4, a /48 of IPv6. */
import { isIPv4, isIPv6 } from 'node:net';
import type { Multiaddr } from '@multiformats/multiaddr';
import { ipOf } from './ip-ranges.ts';

/** IPv4 inside IPv6, as a multiaddr writes it. */
const MAPPED = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/i;
const HEXTETS = 8;
const HOUSEHOLD_HEXTETS = 4;
const GROUP_HEXTETS = 3;

export interface Origin {
  /** Of IPv6 the /64, of which a household has all. */
  readonly address: string;
  readonly group: string;
}

/** Each connection is looked at whenever another one opens. */
const known = new WeakMap<Multiaddr, Origin>();

/** Where a connection comes from; one by way of a relay comes from there. */
export function originOf(remote: Multiaddr): Origin {
  const origin = known.get(remote) ?? readOrigin(remote);
  known.set(remote, origin);
  return origin;
}

function readOrigin(remote: Multiaddr): Origin {
  const ip = plainIp(ipOf(remote));
  if (ip === null) return { address: 'unknown', group: 'unknown' };
  return { address: householdOf(ip), group: networkGroupOf(ip) };
}

export function networkGroupOf(ip: string): string {
  if (isIPv4(ip)) return `${ip.split('.').slice(0, 3).join('.')}.0/24`;
  if (!isIPv6(ip)) return 'unknown';
  return `${hextets(ip).slice(0, GROUP_HEXTETS).join(':')}::/48`;
}

function householdOf(ip: string): string {
  return isIPv6(ip) ? `${hextets(ip).slice(0, HOUSEHOLD_HEXTETS).join(':')}::/64` : ip;
}

/** A socket that takes both families gives IPv4 inside IPv6. */
function plainIp(ip: string | null): string | null {
  const halves = ip === null ? null : MAPPED.exec(ip);
  if (!halves) return ip;
  const bytes = halves.slice(1).flatMap((half) => {
    const value = Number.parseInt(half, 16);
    return [value >> 8, value & 0xff];
  });
  return bytes.join('.');
}

function hextets(ip: string): string[] {
  const [head = '', tail] = ip.split('::');
  const parts = (text: string) => (text === '' ? [] : text.split(':'));
  const [first, last] = [parts(head), parts(tail ?? '')];
  const zeros = tail === undefined ? 0 : Math.max(0, HEXTETS - first.length - last.length);
  return [...first, ...Array<string>(zeros).fill('0'), ...last].map((part) =>
    Number.parseInt(part, 16).toString(16),
  );
}
