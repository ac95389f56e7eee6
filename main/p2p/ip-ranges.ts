/** What kind of place an address is: this machine, a network of one's own, or the internet. */
import { BlockList, isIP } from 'node:net';
import { networkInterfaces } from 'node:os';
import type { Multiaddr } from '@multiformats/multiaddr';

/** `never`: nobody can be dialed there, or not meant to be (unspecified, link-local, multicast, mapped, reserved). */
export type IpRange = 'loopback' | 'private' | 'public' | 'never';

type Subnet = readonly [network: string, prefix: number];

const LOOPBACK = listOf(['127.0.0.0', 8], ['::1', 128]);
const PRIVATE = listOf(
  ['10.0.0.0', 8],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
  ['100.64.0.0', 10],
  ['fc00::', 7],
);
const NEVER = listOf(
  ['0.0.0.0', 8],
  ['169.254.0.0', 16],
  ['192.0.0.0', 24],
  ['224.0.0.0', 3],
  ['::', 128],
  ['64:ff9b::', 96],
  ['64:ff9b:1::', 48],
  ['2002::', 16],
  ['fe80::', 10],
  ['ff00::', 8],
);
/** IPv4 inside IPv6, as text: `BlockList` takes such an address for the IPv4 one. */
const MAPPED = /^::(ffff:)?(\d+\.|[0-9a-f]{1,4}:[0-9a-f]{1,4}$)/i;

function listOf(...subnets: Subnet[]): BlockList {
  const list = new BlockList();
  for (const [network, prefix] of subnets) list.addSubnet(network, prefix, familyOf(network));
  return list;
}

function familyOf(ip: string): 'ipv4' | 'ipv6' {
  return isIP(ip) === 6 ? 'ipv6' : 'ipv4';
}

export function rangeOf(ip: string): IpRange {
  if (isIP(ip) === 0 || MAPPED.test(ip)) return 'never';
  const family = familyOf(ip);
  if (LOOPBACK.check(ip, family)) return 'loopback';
  if (PRIVATE.check(ip, family)) return 'private';
  return NEVER.check(ip, family) ? 'never' : 'public';
}

/** The IP address that is dialed first, also of an address by way of a relay; `null` where a name stands there. */
export function ipOf(address: Multiaddr): string | null {
  const [first] = address.getComponents();
  return (first?.name === 'ip4' || first?.name === 'ip6') && first.value ? first.value : null;
}

/** The networks that this machine's interfaces are on, loopback left out. */
export function ownSubnets(): BlockList {
  const list = new BlockList();
  for (const addresses of Object.values(networkInterfaces())) {
    for (const { address, cidr, family, internal } of addresses ?? []) {
      const prefix = Number(cidr?.split('/')[1]);
      if (!internal && Number.isInteger(prefix))
        list.addSubnet(address, prefix, family === 'IPv6' ? 'ipv6' : 'ipv4');
    }
  }
  return list;
}

export function isIn(list: BlockList, ip: string): boolean {
  return list.check(ip, familyOf(ip));
}

/** Whether an interface of this machine has an address of the internet. */
export function hasPublicInterface(): boolean {
  return Object.values(networkInterfaces()).some((addresses) =>
    addresses?.some(({ address, internal }) => !internal && rangeOf(address) === 'public'),
  );
}

/** Whether this machine speaks IPv6 to others. */
export function hasIpv6(): boolean {
  return Object.values(networkInterfaces()).some((addresses) =>
    addresses?.some(
      ({ address, family, internal }) => !internal && family === 'IPv6' && rangeOf(address) !== 'never',
    ),
  );
}
