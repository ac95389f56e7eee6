/**
 * What a host knows of its peers' worth: who must stay, who was of use, who has paid. Who serves a protocol says so;
 * when there is no room, the connections of the others go first (`eviction.ts`).
 */
import type { Libp2p } from '@libp2p/interface';
import { LRUCache } from 'lru-cache';
import { MAX_STANDINGS } from './limits.ts';

export interface Standing {
  readonly paidUnits: number;
  /** Who paid them, where that is known; as good as an account of its own: the peer. */
  readonly account: string;
  /** By the clock of `performance.now()`; `null`: never. */
  readonly usedAtMs: number | null;
}

export class PeerStanding {
  /** Those that were of use last are kept. Strangers, who are as many as they like, push out none that has paid. */
  readonly #paying = new LRUCache<string, Standing>({ max: MAX_STANDINGS });
  readonly #others = new LRUCache<string, Standing>({ max: MAX_STANDINGS });
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
    this.#put(peerId, { ...this.of(peerId), usedAtMs: this.#nowMs() });
  }

  /** So many units in all went for pay between it, or all devices of its account, and others. What another account paid is none of them. */
  paid(peerId: string, units: number, account = peerId): void {
    const known = this.of(peerId);
    const paidUnits = known.account === account ? Math.max(known.paidUnits, units) : units;
    this.#put(peerId, { paidUnits, account, usedAtMs: known.usedAtMs });
  }

  /** It is a stranger again, unless what it is known by is another account's. */
  forget(peerId: string, account: string): void {
    if (this.of(peerId).account !== account) return;
    this.#paying.delete(peerId);
    this.#others.delete(peerId);
  }

  of(peerId: string): Standing {
    return this.#paying.peek(peerId) ?? this.#others.peek(peerId) ?? unknown(peerId);
  }

  #put(peerId: string, standing: Standing): void {
    const [kept, other] =
      standing.paidUnits === 0 ? [this.#others, this.#paying] : [this.#paying, this.#others];
    other.delete(peerId);
    kept.set(peerId, standing);
  }
}

function unknown(peerId: string): Standing {
  return { paidUnits: 0, account: peerId, usedAtMs: null };
}

/** A host's; see `createHost`. */
export function standingOf(host: Pick<Libp2p, 'services'>): PeerStanding {
  if ('standing' in host.services) return host.services.standing as PeerStanding;
  throw new Error('this host keeps no standing of its peers');
}
