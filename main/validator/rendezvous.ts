/** Who provides what, as providers announce it: a devnet's meeting point. In memory; records expire by themselves. */
import { randomInt } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { ANNOUNCE_TTL_MS } from '../p2p/protocols/shard/constants.ts';

export interface ProviderRecord {
  readonly account: string;
  readonly peerId: string;
  readonly multiaddrs: readonly string[];
}

interface Announcement extends ProviderRecord {
  readonly contentIds: ReadonlySet<string>;
  readonly untilMs: number;
}

interface Content {
  /** The one copy of this string; every announcement of it points here. */
  readonly id: string;
  readonly peerIds: Set<string>;
}

export interface RendezvousLimits {
  readonly maxPeers: number;
  /** Contents of one peer; those after are not announced. */
  readonly maxContents: number;
  /** (peer, content) pairs in all: what the memory depends on. */
  readonly maxPairs: number;
}

const LIMITS: RendezvousLimits = { maxPeers: 10_000, maxContents: 2_000, maxPairs: 200_000 };
const MAX_PROVIDERS_TOLD = 20;

export class Rendezvous {
  /** In the order of announcing, newest first: it is only peeked at. Of too many, the oldest is forgotten. */
  readonly #byPeer: LRUCache<string, Announcement>;
  readonly #byContent = new Map<string, Content>();
  readonly #nowMs: () => number;
  readonly #limits: RendezvousLimits;
  #pairs = 0;

  constructor(nowMs: () => number, limits: RendezvousLimits = LIMITS) {
    this.#nowMs = nowMs;
    this.#limits = limits;
    this.#byPeer = new LRUCache({
      max: limits.maxPeers,
      dispose: (announcement) => this.#unlink(announcement),
    });
  }

  /** (peer, content) pairs on file. */
  get pairs(): number {
    return this.#pairs;
  }

  /** A peer's newest announcement replaces the one before. */
  announce(record: ProviderRecord, contentIds: readonly string[]): void {
    this.#byPeer.delete(record.peerId);
    this.#dropExpired();
    const wanted = new Set(contentIds.slice(0, this.#limits.maxContents));
    if (wanted.size === 0) return;
    if (this.#byPeer.size >= this.#limits.maxPeers) this.#byPeer.pop();
    while (this.#pairs + wanted.size > this.#limits.maxPairs && this.#pairs > 0) this.#dropLargest();

    const { account, peerId, multiaddrs } = record;
    const shared = new Set<string>();
    for (const contentId of wanted) {
      const content = this.#byContent.get(contentId) ?? { id: contentId, peerIds: new Set() };
      this.#byContent.set(content.id, content);
      content.peerIds.add(peerId);
      shared.add(content.id);
    }
    this.#pairs += shared.size;
    this.#byPeer.set(peerId, {
      account,
      peerId,
      multiaddrs: [...multiaddrs],
      contentIds: shared,
      untilMs: this.#nowMs() + ANNOUNCE_TTL_MS,
    });
  }

  /** All, newest first; of too many a random choice, so that a crowd of new ones hides no provider for good. */
  providers(contentId: string): ProviderRecord[] {
    this.#dropExpired();
    const peerIds = [...(this.#byContent.get(contentId)?.peerIds ?? [])].reverse();
    const chosen = peerIds.length > MAX_PROVIDERS_TOLD ? sample(peerIds, MAX_PROVIDERS_TOLD) : peerIds;
    return chosen.flatMap((id) => {
      const found = this.#byPeer.peek(id);
      return found ? [{ account: found.account, peerId: id, multiaddrs: found.multiaddrs }] : [];
    });
  }

  /** Addresses of a few peers that have announced something, a random choice. */
  some(count: number): (readonly string[])[] {
    this.#dropExpired();
    return sample([...this.#byPeer.values()], count).map(({ multiaddrs }) => multiaddrs);
  }

  #dropExpired(): void {
    const nowMs = this.#nowMs();
    const expired: string[] = [];
    for (const peerId of this.#byPeer.rkeys()) {
      if ((this.#byPeer.peek(peerId)?.untilMs ?? 0) >= nowMs) break;
      expired.push(peerId);
    }
    for (const peerId of expired) this.#byPeer.delete(peerId);
  }

  /** Room is made at the cost of who takes most of it, so a flood pushes out itself before small providers. */
  #dropLargest(): void {
    let largest: Announcement | null = null;
    for (const announcement of this.#byPeer.rvalues()) {
      if (!announcement) continue;
      if (!largest || announcement.contentIds.size > largest.contentIds.size) largest = announcement;
    }
    if (largest) this.#byPeer.delete(largest.peerId);
  }

  /** An announcement has gone. */
  #unlink({ peerId, contentIds }: Announcement): void {
    this.#pairs -= contentIds.size;
    for (const contentId of contentIds) {
      const content = this.#byContent.get(contentId);
      content?.peerIds.delete(peerId);
      if (content?.peerIds.size === 0) this.#byContent.delete(contentId);
    }
  }
}

/** Up to `size` of the items, each as likely as any other. */
function sample<T>(items: T[], size: number): T[] {
  for (let i = 0; i < Math.min(size, items.length - 1); i++) {
    const j = randomInt(i, items.length);
    [items[i], items[j]] = [items[j] as T, items[i] as T];
  }
  return items.slice(0, size);
}
