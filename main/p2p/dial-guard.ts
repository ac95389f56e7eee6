/**
 * Which addresses are dialed. Strangers name most of them: without a guard anyone could have every node of the network
 * knock at a printer, a router's page, or a service on this machine.
 */
import type { BlockList } from 'node:net';
import type { Multiaddr } from '@multiformats/multiaddr';
import { ipOf, isIn, ownSubnets, rangeOf } from './ip-ranges.ts';

/** Interfaces come and go; so often they are looked at again. */
const SUBNETS_MS = 5_000;
/** Places that the user or a shard named: so many shards with some addresses each. */
const MAX_TRUSTED = 4_096;

export class DialGuard {
  readonly #loopback: boolean;
  readonly #nowMs: () => number;
  readonly #trusted = new Set<string>();
  #subnets: BlockList | null = null;
  #subnetsAtMs = 0;

  /** @param loopback whether this host is itself on loopback only, and so are the peers it meets */
  constructor(loopback: boolean, nowMs: () => number = () => performance.now()) {
    this.#loopback = loopback;
    this.#nowMs = nowMs;
  }

  /** The user gave these, or the validator that the user gave. */
  trust(addresses: readonly Multiaddr[]): void {
    for (const address of addresses) {
      if (this.#trusted.size < MAX_TRUSTED) this.#trusted.add(placeOf(address));
    }
  }

  isTrusted(address: Multiaddr): boolean {
    return this.#trusted.has(placeOf(address));
  }

  /**
   * The internet always; loopback only from loopback; a private address only on a network that this machine is on. A
   * name could mean any of them, so it has to be trusted.
   */
  allows(address: Multiaddr): boolean {
    if (this.isTrusted(address)) return true;
    const ip = ipOf(address);
    if (ip === null) return false;
    switch (rangeOf(ip)) {
      case 'public':
        return true;
      case 'loopback':
        return this.#loopback;
      case 'private':
        return isIn(this.#ownSubnets(), ip);
      case 'never':
        return false;
    }
  }

  #ownSubnets(): BlockList {
    const nowMs = this.#nowMs();
    if (this.#subnets === null || nowMs - this.#subnetsAtMs > SUBNETS_MS) {
      this.#subnets = ownSubnets();
      this.#subnetsAtMs = nowMs;
    }
    return this.#subnets;
  }
}

/** Host and port, which is what is knocked at. */
function placeOf(address: Multiaddr): string {
  return address
    .getComponents()
    .slice(0, 2)
    .map(({ name, value }) => `${name}/${value ?? ''}`)
    .join('/');
}
