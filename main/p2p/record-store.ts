/**
 * What libp2p keeps of others: peers with their addresses, and the DHT's records of who provides what. In memory, and
 * bounded: all of it comes from strangers, who can have as many identities as they like.
 */
import { randomInt } from 'node:crypto';
import { BaseDatastore } from 'datastore-core/base';
import { Key, type KeyQuery, type Pair, type Query } from 'interface-datastore';
import { NotFoundError } from 'interface-store';
import { LRUCache } from 'lru-cache';

export interface RecordLimits {
  readonly maxPeers: number;
  readonly maxProvidersOfContent: number;
  readonly maxContentsOfProvider: number;
  /** Provider records in all. */
  readonly maxRecords: number;
}

const LIMITS: RecordLimits = {
  maxPeers: 20_000,
  maxProvidersOfContent: 256,
  maxContentsOfProvider: 2_000,
  maxRecords: 100_000,
};

/** `/dht/provider/<content>/<peer>` */
const PROVIDERS = '/dht/provider/';
const PEERS = '/peers';
/** `/dht/record/<key>`: values of the DHT, which this network keeps none of. */
const VALUES = '/dht/record';

export class RecordStore extends BaseDatastore {
  readonly #limits: RecordLimits;
  /** The peers that were written last, by the last part of their key. */
  readonly #peers: LRUCache<string, Uint8Array>;
  /** All else by the key without its last part, so that a query reads what it asks for and no more. */
  readonly #groups = new Map<string, Map<string, Uint8Array>>();
  /** Groups in which a provider has a record. */
  readonly #byProvider = new Map<string, Set<string>>();
  #records = 0;

  constructor(limits: RecordLimits = LIMITS) {
    super();
    this.#limits = limits;
    this.#peers = new LRUCache({ max: limits.maxPeers });
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
      this.#peers.set(name, value);
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
    const value = group === PEERS ? this.#peers.peek(name) : this.#groups.get(group)?.get(name);
    if (!value) throw new NotFoundError();
    return value;
  }

  override has(key: Key): boolean {
    const { group, name } = partsOf(key);
    return (group === PEERS ? this.#peers : this.#groups.get(group))?.has(name) === true;
  }

  override delete(key: Key): void {
    const { group, name } = partsOf(key);
    if (group === PEERS) this.#peers.delete(name);
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
    if (prefix !== undefined && exact) return [[prefix, exact]];
    // No content is known by this key; all others are no part of the answer.
    if (prefix?.startsWith(PROVIDERS) && prefix.length > PROVIDERS.length) return [];
    return [peers, ...this.#groups];
  }

  /**
   * A provider has a fixed share; a content that too many claim to have keeps a random choice of them, so that a crowd
   * of new ones hides nobody for good; and room in all is made at the cost of who takes most of it.
   */
  #makeRoom(group: string, provider: string): boolean {
    const mine = this.#byProvider.get(provider) ?? new Set<string>();
    if (mine.size >= this.#limits.maxContentsOfProvider) return false;
    const others = [...(this.#groups.get(group)?.keys() ?? [])];
    if (others.length >= this.#limits.maxProvidersOfContent) {
      const leaving = others[randomInt(others.length)];
      if (leaving !== undefined) this.#drop(group, leaving);
    }
    if (this.#records >= this.#limits.maxRecords) this.#dropLargest();
    mine.add(group);
    this.#byProvider.set(provider, mine);
    this.#records++;
    return true;
  }

  #dropLargest(): void {
    let largest: [string, Set<string>] | null = null;
    for (const entry of this.#byProvider) if (!largest || entry[1].size > largest[1].size) largest = entry;
    if (!largest) return;
    const [provider, groups] = largest;
    for (const group of [...groups]) this.#drop(group, provider);
  }

  #drop(group: string, name: string): void {
    const entries = this.#groups.get(group);
    if (!entries?.delete(name)) return;
    if (entries.size === 0) this.#groups.delete(group);
    if (!group.startsWith(PROVIDERS)) return;
    this.#records--;
    const groups = this.#byProvider.get(name);
    groups?.delete(group);
    if (groups?.size === 0) this.#byProvider.delete(name);
  }
}

function partsOf(key: Key): { group: string; name: string } {
  const text = key.toString();
  const at = text.lastIndexOf('/');
  return { group: text.slice(0, at), name: text.slice(at + 1) };
}
