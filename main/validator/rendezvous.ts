/**
 * Who provides what, as providers announce it: a devnet's meeting point. In memory; records expire by themselves.
 *
 * Room is shared by network group, then by account: where it is full, the group that has most of it loses, so a crowd of one
 * owner pushes out itself before a provider that comes from elsewhere, however large that one's library is. Providers that
 * were paid lose last.
 */
import { randomInt } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { ANNOUNCE_TTL_MS } from '../p2p/protocols/shard/constants.ts';
import {
  RENDEZVOUS_MAX_CONTENTS,
  RENDEZVOUS_MAX_PAIRS,
  RENDEZVOUS_MAX_PEERS,
  RENDEZVOUS_TOLD,
  RENDEZVOUS_TOLD_PROVEN,
} from './limits.ts';

export interface ProviderRecord {
  /** By its certificate. */
  readonly account: string;
  readonly peerId: string;
  readonly multiaddrs: readonly string[];
}

export interface AnnouncedRecord extends ProviderRecord {
  /** The network group that it announces from; `null` where everybody has the one address. */
  readonly group: string | null;
  /** Units were paid between it and others, as far as this shard knows. */
  readonly proven: boolean;
}

interface Announcement extends AnnouncedRecord {
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
  readonly maxContents: number;
  readonly maxPairs: number;
}

const LIMITS: RendezvousLimits = {
  maxPeers: RENDEZVOUS_MAX_PEERS,
  maxContents: RENDEZVOUS_MAX_CONTENTS,
  maxPairs: RENDEZVOUS_MAX_PAIRS,
};

export class Rendezvous {
  /** In the order of announcing, newest first: it is only peeked at. */
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
  announce(record: AnnouncedRecord, contentIds: readonly string[]): void {
    this.#byPeer.delete(record.peerId);
    this.#dropExpired();
    const wanted = new Set(contentIds.slice(0, this.#limits.maxContents));
    if (wanted.size === 0) return;

    const shared = new Set<string>();
    for (const contentId of wanted) {
      const content = this.#byContent.get(contentId) ?? { id: contentId, peerIds: new Set() };
      this.#byContent.set(content.id, content);
      content.peerIds.add(record.peerId);
      shared.add(content.id);
    }
    if (this.#byPeer.size >= this.#limits.maxPeers) this.#dropOne(() => 1);
    this.#pairs += shared.size;
    const { account, peerId, multiaddrs, group, proven } = record;
    this.#byPeer.set(peerId, {
      ...{ account, peerId, group, proven },
      multiaddrs: [...multiaddrs],
      contentIds: shared,
      untilMs: this.#nowMs() + ANNOUNCE_TTL_MS,
    });
    // It may itself be of the crowd that has most: then it is the one that loses.
    while (this.#pairs > this.#limits.maxPairs) this.#dropOne((one) => one.contentIds.size);
  }

  /**
   * All, newest first. Of too many: first those that were paid, then one of each network group and account, round and round,
   * a random choice within each, so that a crowd of one owner hides no provider.
   */
  providers(contentId: string): ProviderRecord[] {
    this.#dropExpired();
    const peerIds = [...(this.#byContent.get(contentId)?.peerIds ?? [])].reverse();
    const all = peerIds.flatMap((id) => this.#byPeer.peek(id) ?? []);
    return (all.length > RENDEZVOUS_TOLD ? chosenOf(all) : all).map(({ account, peerId, multiaddrs }) => ({
      account,
      peerId,
      multiaddrs,
    }));
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

  /**
   * Of the network group that weighs most, the account that weighs most loses its heaviest announcement. Nobody who was paid
   * loses while there is another.
   */
  #dropOne(weigh: (announcement: Announcement) => number): void {
    const all = [...this.#byPeer.values()];
    const strangers = all.filter(({ proven }) => !proven);
    const losing = strangers.length > 0 ? strangers : all;
    const ofGroup = heaviest(losing, ownerOf, weigh);
    const ofAccount = heaviest(ofGroup, ({ account }) => account, weigh);
    const [victim] = ofAccount.sort((a, b) => weigh(b) - weigh(a));
    if (victim) this.#byPeer.delete(victim.peerId);
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

/** Where everybody has the one address, an account is as much as is known of an owner. */
function ownerOf({ group, account }: AnnouncedRecord): string {
  return group ?? account;
}

/** Those of the key whose announcements weigh most together. */
function heaviest(
  announcements: readonly Announcement[],
  keyOf: (announcement: Announcement) => string,
  weigh: (announcement: Announcement) => number,
): Announcement[] {
  const weights = new Map<string, number>();
  let most: string | null = null;
  for (const one of announcements) {
    const key = keyOf(one);
    const weight = (weights.get(key) ?? 0) + weigh(one);
    weights.set(key, weight);
    if (most === null || weight > (weights.get(most) ?? 0)) most = key;
  }
  return announcements.filter((one) => keyOf(one) === most);
}

function chosenOf(all: readonly Announcement[]): Announcement[] {
  const proven = sample(
    all.filter((one) => one.proven),
    RENDEZVOUS_TOLD_PROVEN,
  );
  const others = all.filter((one) => !proven.includes(one));
  const byOwner = [...Map.groupBy(others, ownerOf).values()].map((ofOwner) => [
    ...Map.groupBy(sample([...ofOwner], ofOwner.length), ({ account }) => account).values(),
  ]);
  const owners = sample(byOwner, byOwner.length);
  const chosen: Announcement[] = [];
  while (chosen.length + proven.length < RENDEZVOUS_TOLD && owners.some((accounts) => accounts.length > 0)) {
    for (const accounts of owners) {
      const account = accounts.shift();
      const one = account?.shift();
      if (account && account.length > 0) accounts.push(account);
      if (one) chosen.push(one);
    }
  }
  return [...proven, ...chosen].slice(0, RENDEZVOUS_TOLD);
}

/** Up to `size` of the items, each as likely as any other. */
function sample<T>(items: T[], size: number): T[] {
  for (let i = 0; i < Math.min(size, items.length - 1); i++) {
    const j = randomInt(i, items.length);
    [items[i], items[j]] = [items[j] as T, items[i] as T];
  }
  return items.slice(0, size);
}
