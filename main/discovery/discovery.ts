/** How one peer finds providers and is found as one: composed of the sources, the announcer and the peers it knows. */
import type { Libp2p } from '@libp2p/interface';
import type { ShardLines } from '../account/lines.ts';
import { isShared } from '../db/node/contents.ts';
import type { NodeStore } from '../db/node/store.ts';
import { KnownPeers } from '../p2p/known-peers.ts';
import type { Offer } from '../p2p/offer.ts';
import { serveHave } from '../p2p/protocols/have/protocol.ts';
import type { ShardClient } from '../p2p/protocols/shard/client.ts';
import type { CertificateCheck } from '../pieces/remote.ts';
import type { Log } from '../process/log.ts';
import { peerIdOf } from '../wallet/device-peer-id.ts';
import { Announcer } from './announcer.ts';
import { ProviderFinder } from './finder.ts';
import { MetProviders } from './met-providers.ts';
import { Prober } from './prober.ts';
import { dhtLookup, peersLookup, shardLookup } from './provider-lookups.ts';

export interface DiscoveryOptions {
  readonly host: Libp2p;
  readonly store: NodeStore;
  readonly lines: ShardLines;
  /** The line to the home shard. */
  readonly home: ShardClient;
  readonly account: string;
  /** This device's certificate, canonical bytes. */
  readonly certificate: Uint8Array;
  readonly checkCertificate: CertificateCheck;
  /** What others are told of a content or a broadcast. */
  readonly offerOf: (contentId: string) => Offer;
  /** Whether others may fetch from here at all. */
  readonly isOffering: () => boolean;
  /** Broadcasts that others can watch from here, by id. */
  readonly broadcasts: () => readonly string[];
  readonly nowMs: () => number;
  /** Wall clock: for what peers say of the time of day. */
  readonly wallMs: () => number;
  readonly log: Log;
}

export interface Discovery {
  readonly finder: ProviderFinder;
  readonly announcer: Announcer;
  readonly known: KnownPeers;
  readonly met: MetProviders;
}

/** Where the peers that it has heard of are kept. */
const PEERS_KEY = 'peers';

export async function startDiscovery(
  options: DiscoveryOptions,
  resources: AsyncDisposableStack,
): Promise<Discovery> {
  const {
    host,
    store,
    lines,
    home,
    account,
    certificate,
    checkCertificate,
    offerOf,
    isOffering,
    broadcasts,
    nowMs,
    wallMs,
    log,
  } = options;
  await serveHave(host, { offerOf, certificate, log });

  const known = new KnownPeers(host, {
    load: () => store.meta.get(PEERS_KEY),
    save: (text) => store.commit(() => store.meta.set(PEERS_KEY, text)),
  });
  const met = metBefore(store);
  const prober = new Prober({ host, checkCertificate, met, nowMs, wallMs });
  // Providers announce to every shard: another one knows them too while the own one is away.
  const anyShard = () => (home.connected ? home : (lines.connected()[0]?.[1] ?? home));
  const finder = new ProviderFinder({
    lookups: [shardLookup(anyShard), peersLookup(host, known, prober), dhtLookup(host, prober)],
    peerId: host.peerId.toString(),
    account,
    met,
    nowMs,
    log,
  });
  resources.defer(() => finder.stop());
  const announcer = new Announcer({
    host,
    certificate,
    contentIds: async () => {
      if (!isOffering()) return [];
      const shared = (await store.contents.listInParts()).filter(isShared);
      return shared.map(({ contentId }) => contentId).concat(broadcasts());
    },
    lines: () => lines.connected().map(([, line]) => line),
    nowMs,
    log,
  });
  resources.defer(() => announcer.stop());
  return { finder, announcer, known, met };
}

/** Providers that were paid before this start: their device stands in the books of the channel. */
function metBefore(store: NodeStore): MetProviders {
  const met = new MetProviders();
  for (const { state, payee, payeeDevice } of store.payerChannels.all()) {
    if (state.revealedUnits > 0) met.served(peerIdOf(payeeDevice), payee);
  }
  return met;
}
