/**
 * What a host knows of its peers' worth: who must stay, who was of use, who has paid. Who serves a protocol says so;
 * when there is no room, the connections of the others go first (`eviction.ts`).
 */
import type { Libp2p } from '@libp2p/interface';
import { LRUCache } from 'lru-cache';
import { MAX_STANDINGS } from './limits.ts';

export interface Standing {
  readonly paidUnits: number;
  /** By the clock of `performance.now()`; `null`: never. */
  readonly usedAtMs: number | null;
}

const UNKNOWN: Standing = { paidUnits: 0, usedAtMs: null };

export class PeerStanding {
  /** Those that were of use last are kept. */
  readonly #known = new LRUCache<string, Standing>({ max: MAX_STANDINGS });
  readonly #spared = new Set<string>();
  readonly #nowMs: () => number;

  constructor(nowMs: () => number = () => performance.now()) {
    this.#nowMs = nowMs;
  }

  /** Validators of the network, which no stranger can become: their connections never go. */
  spare(peerIds: Iterable<string>): void {
    for (const peerId of peerIds) this.#spared.add(peerId);
  }

  isSpared(peerId: string): boolean {
    return this.#spared.has(peerId);
  }

  /** It leased, claimed or was served something. */
  used(peerId: string): void {
    this.#known.set(peerId, { ...this.of(peerId), usedAtMs: this.#nowMs() });
  }

  /** So many units in all went for pay between it and others. */
  paid(peerId: string, units: number): void {
    const { paidUnits, usedAtMs } = this.of(peerId);
    this.#known.set(peerId, { paidUnits: Math.max(paidUnits, units), usedAtMs });
  }

  of(peerId: string): Standing {
    return this.#known.peek(peerId) ?? UNKNOWN;
  }
}

/** A host's; see `createHost`. */
export function standingOf(host: Pick<Libp2p, 'services'>): PeerStanding {
  if ('standing' in host.services) return host.services.standing as PeerStanding;
  throw new Error('this host keeps no standing of its peers');
}
