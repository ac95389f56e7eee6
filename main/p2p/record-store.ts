/**
 * What libp2p keeps of others: peers with their addresses, and the DHT's records of who provides what. In memory, and
 * bounded: all of it comes from strangers, who can have as many identities as they like.
 */
import { randomInt } from 'node:crypto';
import { BaseDatastore } from 'datastore-core/base';
import { Key, type KeyQuery, type Pair, type Query } from 'interface-datastore';
import { NotFoundError } from 'interface-store';
import {
  MAX_CONTENTS_OF_PROVIDER,
  MAX_KNOWN_PEERS,
  MAX_PEER_RECORD_BYTES,
  MAX_PEER_RECORDS_BYTES,
  MAX_PROVIDER_RECORDS,
  MAX_PROVIDERS_OF_CONTENT,
  PROVIDER_RECORDS_DROPPED,
  PROVIDERS_TOLD,
} from './limits.ts';

export interface RecordLimits {
  readonly maxPeers: number;
  readonly maxPeerBytes: number;
  readonly maxPeersBytes: number;
  readonly maxProvidersOfContent: number;
  readonly maxContentsOfProvider: number;
  /** Provider records in all. */
  readonly maxRecords: number;
  /** Where there are as many, so many go at once. */
  readonly dropped: number;
  /** Providers of one content that an answer names. */
  readonly told: number;
}

/** What the host knows of who is there. */
export interface PresentPeers {
  /** Of a provider, by its id: the network that it comes from; `null` where that is not known, or the same for everybody. */
  networkOf(peerId: string): string | null;
  /** Whether a peer, by the CID of its id, is connected, or the host itself: without its record nobody could meet it. */
  isPresent(cid: string): boolean;
}

const NOBODY: PresentPeers = { networkOf: () => null, isPresent: () => false };

const LIMITS: RecordLimits = {
  maxPeers: MAX_KNOWN_PEERS,
  maxPeerBytes: MAX_PEER_RECORD_BYTES,
  maxPeersBytes: MAX_PEER_RECORDS_BYTES,
  maxProvidersOfContent: MAX_PROVIDERS_OF_CONTENT,
  maxContentsOfProvider: MAX_CONTENTS_OF_PROVIDER,
  maxRecords: MAX_PROVIDER_RECORDS,
  dropped: PROVIDER_RECORDS_DROPPED,
  told: PROVIDERS_TOLD,
};

/** `/dht/provider/<content>/<peer>` */
const PROVIDERS = '/dht/provider/';
const PEERS = '/peers';
/** `/dht/record/<key>`: values of the DHT, which this network keeps none of. */
const VALUES = '/dht/record';

export class RecordStore extends BaseDatastore {
  readonly #limits: RecordLimits;
  /** Peers by the last part of their key, the one that was written longest ago first. */
  readonly #peers = new Map<string, Uint8Array>();
  #peersBytes = 0;
  /** All else by the key without its last part, so that a query reads what it asks for and no more. */
  readonly #groups = new Map<string, Map<string, Uint8Array>>();
  /** Groups in which a provider has a record, and the network that it came from with its first. */
  readonly #byProvider = new Map<string, { readonly owner: string; readonly groups: Set<string> }>();
  readonly #present: PresentPeers;
  #records = 0;

  constructor(present = NOBODY, limits: RecordLimits = LIMITS) {
    super();
    this.#limits = limits;
    this.#present = present;
  }

  /** Provider records. */
  get records(): number {
    return this.#records;
  }

  override put(key: Key, value: Uint8Array): Key {
    const { group, name } = partsOf(key);
    // kad-dht looks validators up in a plain object: a value under `/constructor/…` would pass, unchecked and unbounded.
    if (group === VALUES) throw new Error('this network keeps no values in its DHT');
    if (group === PEERS) {
      // Each record of the DHT adds addresses to those that are known of its peer.
      if (value.byteLength <= this.#limits.maxPeerBytes) this.#putPeer(name, value);
      return key;
    }
    const known = this.#groups.get(group)?.has(name) === true;
    if (!known && group.startsWith(PROVIDERS) && !this.#makeRoom(group, name)) return key;
    const entries = this.#groups.get(group) ?? new Map<string, Uint8Array>();
    this.#groups.set(group, entries);
    entries.set(name, value);
    return key;
  }

  override get(key: Key): Uint8Array {
    const { group, name } = partsOf(key);
    const value = group === PEERS ? this.#peers.get(name) : this.#groups.get(group)?.get(name);
    if (!value) throw new NotFoundError();
    return value;
  }

  override has(key: Key): boolean {
    const { group, name } = partsOf(key);
    return (group === PEERS ? this.#peers : this.#groups.get(group))?.has(name) === true;
  }

  override delete(key: Key): void {
    const { group, name } = partsOf(key);
    if (group === PEERS) this.#dropPeer(name);
    else this.#drop(group, name);
  }

  override *_all({ prefix }: Query): Generator<Pair> {
    for (const [group, entries] of this.#chosen(prefix)) {
      for (const [name, value] of [...entries]) yield { key: new Key(`${group}/${name}`, false), value };
    }
  }

  override *_allKeys({ prefix }: KeyQuery): Generator<Key> {
    for (const { key } of this._all(prefix === undefined ? {} : { prefix })) yield key;
  }

  #chosen(prefix: string | undefined): [string, Iterable<[string, Uint8Array]>][] {
    const peers: [string, Iterable<[string, Uint8Array]>] = [PEERS, this.#peers.entries()];
    if (prefix === PEERS) return [peers];
    const exact = prefix === undefined ? undefined : this.#groups.get(prefix);
    if (prefix !== undefined && exact) return [[prefix, this.#told(exact)]];
    // No content is known by this key; all others are no part of the answer.
    if (prefix?.startsWith(PROVIDERS) && prefix.length > PROVIDERS.length) return [];
    return [peers, ...this.#groups];
  }

  #putPeer(name: string, value: Uint8Array): void {
    this.#dropPeer(name);
    this.#peers.set(name, value);
    this.#peersBytes += value.byteLength;
    const { maxPeers, maxPeersBytes } = this.#limits;
    // Once round at most: all may be present.
    for (let left = this.#peers.size; left > 0; left--) {
      const [oldest] = this.#peers.keys();
      if (oldest === undefined || (this.#peers.size <= maxPeers && this.#peersBytes <= maxPeersBytes)) return;
      const kept = this.#peers.get(oldest);
      this.#dropPeer(oldest);
      if (!kept || !(oldest === name || this.#present.isPresent(oldest))) continue;
      this.#peers.set(oldest, kept);
      this.#peersBytes += kept.byteLength;
    }
  }

  #dropPeer(name: string): void {
    const known = this.#peers.get(name);
    if (known && this.#peers.delete(name)) this.#peersBytes -= known.byteLength;
  }

  /** Of too many a random choice, one of each network in turn: no crowd of one owner hides the others. */
  #told(entries: Map<string, Uint8Array>): Iterable<[string, Uint8Array]> {
    const { told } = this.#limits;
    if (entries.size <= told) return entries;
    const owners = [...Map.groupBy(shuffled([...entries]), ([name]) => this.#ownerOf(name)).values()];
    const rounds = Array.from({ length: told }, (_, round) =>
      owners.flatMap((of) => of.slice(round, round + 1)),
    );
    return rounds.flat().slice(0, told);
  }

  /**
   * A provider has a fixed share. A content that too many claim to have loses a random one of the network that has most of
   * them, and where there are too many in all, those lose who have most: a crowd of one owner pushes out itself.
   */
  #makeRoom(group: string, provider: string): boolean {
    const known = this.#byProvider.get(provider);
    if (known && known.groups.size >= this.#limits.maxContentsOfProvider) return false;
    const mine = known ?? { owner: this.#present.networkOf(provider) ?? provider, groups: new Set<string>() };
    const others = this.#groups.get(group);
    if (others && others.size >= this.#limits.maxProvidersOfContent) this.#dropOneOf(group, others);
    if (this.#records >= this.#limits.maxRecords) this.#dropMost();
    // Only now: it may just have lost all that it had.
    this.#byProvider.set(provider, mine);
    mine.groups.add(group);
    this.#records++;
    return true;
  }

  #dropOneOf(group: string, entries: Map<string, Uint8Array>): void {
    const owners = Map.groupBy(entries.keys(), (name) => this.#ownerOf(name));
    const most = Math.max(...[...owners.values()].map(({ length }) => length));
    const crowds = [...owners.values()].filter(({ length }) => length === most);
    const crowd = crowds[randomInt(crowds.length)] ?? [];
    const leaving = crowd[randomInt(crowd.length)];
    if (leaving !== undefined) this.#drop(group, leaving);
  }

  #dropMost(): void {
    const { dropped } = this.#limits;
    const owners = Map.groupBy(this.#byProvider, ([, { owner }]) => owner);
    const weighed = [...owners.values()].map((providers) => ({ providers, weight: weightOf(providers) }));
    let left = dropped;
    for (const { item, excess } of aboveLevel(weighed, ({ weight }) => weight, dropped)) {
      const loses = Math.min(excess, left);
      left -= loses;
      this.#dropOf(item.providers, loses);
    }
  }

  /** So many records of these providers, of those that have most. */
  #dropOf(providers: readonly Provided[], count: number): void {
    let left = count;
    for (const { item, excess } of aboveLevel(providers, ([, { groups }]) => groups.size, count)) {
      const [name, { groups }] = item;
      const leaving = shuffled([...groups]).slice(0, Math.min(excess, left));
      for (const group of leaving) this.#drop(group, name);
      left -= leaving.length;
    }
  }

  #ownerOf(provider: string): string {
    return this.#byProvider.get(provider)?.owner ?? provider;
  }

  #drop(group: string, name: string): void {
    const entries = this.#groups.get(group);
    if (!entries?.delete(name)) return;
    if (entries.size === 0) this.#groups.delete(group);
    if (!group.startsWith(PROVIDERS)) return;
    this.#records--;
    const groups = this.#byProvider.get(name)?.groups;
    groups?.delete(group);
    if (groups?.size === 0) this.#byProvider.delete(name);
  }
}

type Provided = [name: string, { readonly groups: ReadonlySet<string> }];

function weightOf(providers: readonly Provided[]): number {
  return providers.reduce((sum, [, { groups }]) => sum + groups.size, 0);
}

/** Those that have more than the level down to which all have to come so that together they lose so many, and what each is above it. */
function aboveLevel<T>(
  items: readonly T[],
  weigh: (item: T) => number,
  loses: number,
): { readonly item: T; readonly excess: number }[] {
  const heaviest = items.map((item) => ({ item, weight: weigh(item) })).sort((a, b) => b.weight - a.weight);
  let count = 0;
  let sum = 0;
  for (const { weight } of heaviest) {
    // All up to here come down to this one, which is enough.
    if (sum - count * weight >= loses) break;
    count += 1;
    sum += weight;
  }
  const level = Math.max(0, Math.floor((sum - loses) / count));
  return heaviest.slice(0, count).flatMap(({ item, weight }) => {
    const excess = weight - level;
    return excess > 0 ? [{ item, excess }] : [];
  });
}

function shuffled<T>(items: T[]): T[] {
  for (let i = 0; i < items.length - 1; i++) {
    const j = randomInt(i, items.length);
    [items[i], items[j]] = [items[j] as T, items[i] as T];
  }
  return items;
}

function partsOf(key: Key): { group: string; name: string } {
  const text = key.toString();
  const at = text.lastIndexOf('/');
  return { group: text.slice(0, at), name: text.slice(at + 1) };
}
