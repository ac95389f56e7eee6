/** Who provides what, as providers announce it: a devnet's meeting point. In memory; records expire by themselves. */
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

const MAX_PEERS = 10_000;
const MAX_PROVIDERS_TOLD = 20;

export class Rendezvous {
  readonly #byPeer = new Map<string, Announcement>();
  readonly #nowMs: () => number;

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  /** A peer's newest announcement replaces the one before. */
  announce(record: ProviderRecord, contentIds: readonly string[]): void {
    this.#byPeer.delete(record.peerId);
    if (contentIds.length === 0) return;
    this.#dropExpired();
    const oldest = this.#byPeer.keys().next();
    if (this.#byPeer.size >= MAX_PEERS && !oldest.done) this.#byPeer.delete(oldest.value);
    this.#byPeer.set(record.peerId, {
      ...record,
      contentIds: new Set(contentIds),
      untilMs: this.#nowMs() + ANNOUNCE_TTL_MS,
    });
  }

  /** Newest first. */
  providers(contentId: string): ProviderRecord[] {
    this.#dropExpired();
    return [...this.#byPeer.values()]
      .filter((announcement) => announcement.contentIds.has(contentId))
      .reverse()
      .slice(0, MAX_PROVIDERS_TOLD)
      .map(({ account, peerId, multiaddrs }) => ({ account, peerId, multiaddrs }));
  }

  #dropExpired(): void {
    const nowMs = this.#nowMs();
    for (const [peerId, { untilMs }] of this.#byPeer) {
      if (untilMs >= nowMs) break; // in the order of announcing
      this.#byPeer.delete(peerId);
    }
  }
}
