/**
 * Peers that this node has heard of, kept over restarts: where it begins when no validator answers, and whom it asks
 * for contents. Those on its LAN have places of their own, so that nobody outside can push them out.
 */
import type { Libp2p, PeerInfo } from '@libp2p/interface';
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr';
import { LRUCache } from 'lru-cache';
import { z } from 'zod';
import { MAX_ADVERTISED } from './advertised-addresses.ts';

export interface KnownPeer {
  readonly peerId: string;
  /** Each ends with the peer's id. */
  readonly addresses: readonly Multiaddr[];
}

export interface KnownPeersStore {
  load(): string | null;
  save(text: string): void;
}

/** Peers that this node heard of: more than one start dials, and one line of the database. */
const MAX_KNOWN = 64;
/** Those on the local network, each of which may say that it is many. */
const MAX_ON_LAN = 32;
/** Of the known ones, those that are dialed at the start. */
const DIALED_AT_START = 4;
const DIAL_MS = 5_000;

const storedSchema = z.array(z.array(z.string().max(300)).max(MAX_ADVERTISED)).max(MAX_KNOWN);

export class KnownPeers {
  readonly #host: Libp2p;
  readonly #store: KnownPeersStore;
  /** Those heard of last are kept longest; asking for them refreshes nothing. */
  readonly #heardOf = new LRUCache<string, KnownPeer>({ max: MAX_KNOWN });
  readonly #onLan = new LRUCache<string, KnownPeer>({ max: MAX_ON_LAN });

  constructor(host: Libp2p, store: KnownPeersStore) {
    this.#host = host;
    this.#store = store;
    for (const texts of readStored(store.load())) this.#keep(texts);
    if ('mdns' in host.services) {
      const discovery = host.services.mdns as EventTarget;
      discovery.addEventListener('peer', (event) => this.#met((event as CustomEvent<PeerInfo>).detail));
    }
  }

  /** All, those on the LAN first, then the newest. */
  list(): KnownPeer[] {
    const elsewhere = [...this.#heardOf.values()].filter(({ peerId }) => !this.#onLan.has(peerId));
    return [...[...this.#onLan.values()].reverse(), ...elsewhere];
  }

  /** Peers that a shard named, as lists of addresses; what cannot be read is left out. */
  learn(addressLists: readonly (readonly string[])[]): void {
    for (const texts of addressLists) this.#keep(texts);
    const kept = [...this.#heardOf.values()].reverse().map(({ addresses }) => addresses.map(String));
    this.#store.save(JSON.stringify(kept));
  }

  /** Dials a few, in the background: the DHT begins with them. */
  async meetSome(): Promise<void> {
    const some = this.list().slice(0, DIALED_AT_START);
    // Nobody has to be there: what is not reached now is tried when it is asked for a content.
    await Promise.allSettled(
      some.map(({ addresses }) => this.#host.dial([...addresses], { signal: AbortSignal.timeout(DIAL_MS) })),
    );
  }

  #keep(texts: readonly string[]): void {
    const addresses = texts.slice(0, MAX_ADVERTISED).flatMap(readable);
    const peerId = addresses[0] && idOf(addresses[0]);
    if (!peerId || peerId === this.#host.peerId.toString()) return;
    const own = addresses.filter((address) => idOf(address) === peerId);
    this.#heardOf.set(peerId, { peerId, addresses: own });
  }

  #met({ id, multiaddrs }: PeerInfo): void {
    const peerId = id.toString();
    if (peerId === this.#host.peerId.toString() || multiaddrs.length === 0) return;
    const addresses = multiaddrs
      .slice(0, MAX_ADVERTISED)
      .map((address) => address.encapsulate(`/p2p/${peerId}`));
    this.#onLan.set(peerId, { peerId, addresses });
  }
}

function readStored(text: string | null): string[][] {
  if (text === null) return [];
  try {
    return storedSchema.parse(JSON.parse(text));
  } catch {
    return []; // of another version: it is learnt again
  }
}

function readable(text: string): Multiaddr[] {
  try {
    return [multiaddr(text)];
  } catch {
    return [];
  }
}

function idOf(address: Multiaddr): string | undefined {
  const last = address.getComponents().at(-1);
  return last?.name === 'p2p' ? last.value : undefined;
}
