/**
 * Where a host listens. A devnet of one's own is for this machine; a node that joins a validator elsewhere is there to be
 * reached (docs/decisions/0012).
 */
import { isIP } from 'node:net';
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr';
import { AceError } from '../../shared/errors.ts';
import { hasIpv6, ipOf, rangeOf } from './ip-ranges.ts';

/** How far a network reaches, judged by where its validator is. */
export type Scope = 'loopback' | 'lan' | 'public';

export const LOOPBACK_ONLY = ['127.0.0.1'] as const;
const MAX_LISTEN = 16;

/** All interfaces; IPv6 where the machine has it. */
export function everywhere(): string[] {
  return hasIpv6() ? ['0.0.0.0', '::'] : ['0.0.0.0'];
}

/**
 * Listen addresses as multiaddrs.
 * @param given IP addresses (they get `port`) or multiaddrs of TCP such as `/ip4/0.0.0.0/tcp/4001`
 * @throws AceError `InvalidInput`
 */
export function listenMultiaddrs(given: readonly string[], port: number): string[] {
  if (given.length === 0 || given.length > MAX_LISTEN) throw invalid(given.join(','));
  return [...new Set(given.map((text) => listenMultiaddr(text.trim(), port)))];
}

function listenMultiaddr(text: string, port: number): string {
  const version = isIP(text);
  if (version !== 0 && !text.includes('%')) return `/ip${version}/${text}/tcp/${port}`;
  try {
    const parts = multiaddr(text).getComponents();
    const [ip, tcp] = parts;
    const isTcp = parts.length === 2 && (ip?.name === 'ip4' || ip?.name === 'ip6') && tcp?.name === 'tcp';
    if (!isTcp) throw new Error('it is no TCP address');
    return text;
  } catch (cause) {
    throw invalid(text, cause);
  }
}

function invalid(text: string, cause?: unknown): AceError {
  return new AceError(
    'InvalidInput',
    `--listen cannot take "${text}": give an IP address of this machine, 0.0.0.0 or :: for all, or /ip4/…/tcp/…`,
    { cause },
  );
}

/**
 * Addresses that the user knows to lead here: a forwarded port, a machine behind its provider's address.
 * @throws AceError `InvalidInput`
 */
export function announceMultiaddrs(given: readonly string[]): string[] {
  return given.map((text) => {
    try {
      const parts = multiaddr(text).getComponents();
      const [host, tcp] = parts;
      if (parts.length !== 2 || tcp?.name !== 'tcp') throw new Error('it is no TCP address');
      if (!['ip4', 'ip6', 'dns4', 'dns6'].includes(host?.name ?? '')) throw new Error('it has no host');
      return text;
    } catch (cause) {
      throw new AceError(
        'InvalidInput',
        `--announce cannot take "${text}": give an address such as /ip4/203.0.113.7/tcp/4001`,
        { cause },
      );
    }
  });
}

/** The same places, each at any free port: for the other peers of one process. @throws AceError `InvalidInput` */
export function anyPort(given: readonly string[]): string[] {
  return listenMultiaddrs(given, 0).map((text) => text.replace(/\/tcp\/\d+$/, '/tcp/0'));
}

/** A text of the command line, with commas or without. */
export function splitListen(text: string): string[] {
  return text.split(',').map((part) => part.trim());
}

export function scopeOf(validator: Multiaddr): Scope {
  const ip = ipOf(validator);
  if (ip === null) return validator.getComponents()[0]?.value === 'localhost' ? 'loopback' : 'public';
  const range = rangeOf(ip);
  if (range === 'loopback') return 'loopback';
  return range === 'public' ? 'public' : 'lan';
}

/** Where a node listens by default. */
export function defaultListen(scope: Scope): readonly string[] {
  return scope === 'loopback' ? LOOPBACK_ONLY : everywhere();
}

/** The same of a host that listens. */
export function isOnLoopbackOnly(host: { getMultiaddrs(): Multiaddr[] }): boolean {
  return onLoopbackOnly(host.getMultiaddrs().map(String));
}

/** Whether nobody outside of this machine can come in, as far as the listen addresses show. */
export function onLoopbackOnly(listen: readonly string[]): boolean {
  return listen.every((text) => {
    const ip = ipOf(multiaddr(text));
    return ip !== null && rangeOf(ip) === 'loopback';
  });
}
