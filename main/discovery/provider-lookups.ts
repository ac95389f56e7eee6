/** Where providers are found: at the shards, among the peers that this node knows, in the DHT. */
import type { Libp2p, PeerInfo } from '@libp2p/interface';
import { EventTypes } from '@libp2p/kad-dht';
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr';
import { CID } from 'multiformats';
import { isDirect } from '../p2p/direct.ts';
import type { KnownPeers } from '../p2p/known-peers.ts';
import { HAVE_PROTOCOL } from '../p2p/protocols/have/protocol.ts';
import type { ShardClient } from '../p2p/protocols/shard/client.ts';
import { livingDhtOf } from '../p2p/reach.ts';
import type { Provider } from '../transfer/transfer.ts';
import { Signal } from '../util/signal.ts';
import type { ProviderLookup } from './finder.ts';
import {
  DHT_ANSWER_KEPT_MS,
  DHT_LOOKUP_MS,
  MAX_NAMED,
  MAX_NAMED_ADDRESSES,
  MAX_PEERS_ASKED,
  PEERS_ANSWER_KEPT_MS,
  PEERS_LOOKUP_MS,
  SHARD_LOOKUP_MS,
} from './limits.ts';
import type { Candidate, Prober } from './prober.ts';

/** The rendezvous of whichever shard `line` gives. Its answer is not asked for again: the shard forgets by itself. */
export function shardLookup(line: () => ShardClient): ProviderLookup {
  return {
    name: 'shard',
    deadlineMs: SHARD_LOOKUP_MS,
    keepMs: 0,
    async find(contentId, { found }) {
      const { providers } = await line().call('providers', { contentId });
      for (const record of providers) for (const provider of toProvider(record)) found(provider);
    },
  };
}

/** Peers on the LAN, peers that are connected, and those it heard of. */
export function peersLookup(host: Libp2p, known: KnownPeers, prober: Prober): ProviderLookup {
  return {
    name: 'peers',
    deadlineMs: PEERS_LOOKUP_MS,
    keepMs: PEERS_ANSWER_KEPT_MS,
    async find(contentId, heard, signal) {
      const candidates = new Map<string, Candidate>();
      for (const peer of known.list()) candidates.set(peer.peerId, peer);
      for (const peer of await connectedPeers(host)) candidates.set(peer.peerId, peer);
      const asked = [...candidates.values()].slice(0, MAX_PEERS_ASKED);
      await prober.ask(contentId, each(asked), heard, signal);
    },
  };
}

/** Provider records of the DHT. */
export function dhtLookup(host: Libp2p, prober: Prober): ProviderLookup {
  return {
    name: 'dht',
    deadlineMs: DHT_LOOKUP_MS,
    keepMs: DHT_ANSWER_KEPT_MS,
    async find(contentId, heard, signal) {
      const dht = livingDhtOf(host);
      if (!dht) return;
      const events = dht.findProviders(CID.parse(contentId), { signal });
      await prober.ask(contentId, named(events), heard, signal);
    },
  };
}

async function* each(candidates: readonly Candidate[]): AsyncGenerator<Candidate> {
  yield* candidates;
}

/** One name of each answer, round and round, as the answers arrive. */
async function* named(
  events: AsyncIterable<{ readonly type: EventTypes } & object>,
): AsyncGenerator<Candidate> {
  const seen = new Set<string>();
  const waiting: Candidate[][] = [];
  let ended = false;
  let failure: unknown = null;
  const news = new Signal();
  const reading = (async () => {
    try {
      for await (const event of events) {
        if (event.type !== EventTypes.PROVIDER) continue;
        const { providers } = event as unknown as { providers: PeerInfo[] };
        waiting.push(shuffled(providers).slice(0, MAX_NAMED).map(toCandidate));
        news.notify();
      }
    } catch (error) {
      failure = error;
    } finally {
      ended = true;
      news.notify();
    }
  })();
  for (;;) {
    const answer = waiting.shift();
    const candidate = answer?.shift();
    if (answer && answer.length > 0) waiting.push(answer);
    if (candidate) {
      const key = [candidate.peerId, ...candidate.addresses.map(String)].join(' ');
      if (candidate.addresses.length > 0 && !seen.has(key)) {
        seen.add(key);
        yield candidate;
      }
    } else if (waiting.length === 0) {
      if (ended) break;
      await news.wait();
    }
  }
  await reading;
  if (failure) throw failure;
}

/** A liar may name the honest one last, but each name has the same chance. */
function shuffled<T>(items: readonly T[]): T[] {
  return items
    .map((item) => ({ item, at: Math.random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item);
}

function toCandidate({ id, multiaddrs }: PeerInfo): Candidate {
  const peerId = id.toString();
  return {
    peerId,
    addresses: multiaddrs.slice(0, MAX_NAMED_ADDRESSES).map((address) => ofPeer(address, peerId)),
  };
}

function ofPeer(address: Multiaddr, peerId: string): Multiaddr {
  return address.toString().endsWith(`/p2p/${peerId}`) ? address : address.encapsulate(`/p2p/${peerId}`);
}

async function connectedPeers(host: Libp2p): Promise<Candidate[]> {
  const direct = host.getConnections().filter(isDirect);
  const peers = new Map(direct.map((connection) => [connection.remotePeer.toString(), connection]));
  const asked = [...peers.values()].map(async ({ remotePeer, remoteAddr }) => {
    const peer = await host.peerStore.get(remotePeer).catch(() => null); // it has gone meanwhile
    if (!peer?.protocols.includes(HAVE_PROTOCOL)) return [];
    const peerId = remotePeer.toString();
    const addresses = peer.addresses.map(({ multiaddr: address }) => address);
    const places = addresses.length > 0 ? addresses : [remoteAddr];
    return [
      { peerId, addresses: places.slice(0, MAX_NAMED_ADDRESSES).map((address) => ofPeer(address, peerId)) },
    ];
  });
  return (await Promise.all(asked)).flat();
}

/** A record that cannot be read is left out: one bad provider must not hide the others. */
function toProvider(record: { account: string; peerId: string; multiaddrs: string[] }): Provider[] {
  try {
    const addresses = record.multiaddrs.map((text) => multiaddr(text));
    return addresses.length > 0 ? [{ peerId: record.peerId, account: record.account, addresses }] : [];
  } catch {
    return [];
  }
}
