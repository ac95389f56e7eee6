/**
 * What a host does to be found and reached: each part can be switched on and off. None of them is waited for at the
 * start, and none needs anybody outside to answer.
 */
import { autoNAT } from '@libp2p/autonat';
import { circuitRelayServer } from '@libp2p/circuit-relay-v2';
import { dcutr } from '@libp2p/dcutr';
import type { PeerInfo } from '@libp2p/interface';
import { kadDHT, type SingleKadDHT } from '@libp2p/kad-dht';
import { mdns } from '@libp2p/mdns';
import { uPnPNAT } from '@libp2p/upnp-nat';
import type { DialGuard } from './dial-guard.ts';
import { hasPublicInterface } from './ip-ranges.ts';
import { DHT_PROTOCOL, LIBRARY_PREFIX } from './library-streams.ts';
import { MAX_DHT_NEWCOMERS, MAX_DHT_STREAMS_IN, MAX_DHT_STREAMS_OUT, MAX_RELAYED_PEERS } from './limits.ts';
import type { Scope } from './listen.ts';

export interface ReachSettings {
  /** `server` answers others' queries, `client` only asks, `auto` serves once others can reach it. */
  readonly dht: 'off' | 'auto' | 'client' | 'server';
  /** Finds nodes on the same LAN, and is found there. */
  readonly mdns: boolean;
  /** Asks others whether the addresses it believes in can be reached. */
  readonly autonat: boolean;
  /** Takes a place at a relay, so that peers outside of its NAT can ask to be dialed. */
  readonly relayClient: boolean;
  /** Passes on, within small limits, what peers behind a NAT send each other to connect. */
  readonly relayServer: boolean;
  /** Turns a relayed connection into a direct one (DCUtR). */
  readonly holePunch: boolean;
  /** Asks the router for a port. */
  readonly upnp: boolean;
}

export const REACH_OFF: ReachSettings = {
  dht: 'off',
  mdns: false,
  autonat: false,
  relayClient: false,
  relayServer: false,
  holePunch: false,
  upnp: false,
};

/** What a node does unless its configuration differs. */
export function nodeReach(scope: Scope): ReachSettings {
  switch (scope) {
    case 'loopback':
      return { ...REACH_OFF, dht: 'server' };
    case 'lan':
      // Everybody is on the same network: all are reachable, and no relay or router is needed.
      return { ...REACH_OFF, dht: 'server', mdns: true };
    case 'public': {
      const reachable = hasPublicInterface();
      return {
        dht: 'auto',
        mdns: true,
        autonat: true,
        relayClient: !reachable,
        relayServer: reachable,
        holePunch: true,
        upnp: !reachable,
      };
    }
  }
}

/** A validator is meant to be reached by everybody; that is why nodes behind a NAT meet through it. */
export function validatorReach(loopbackOnly: boolean): ReachSettings {
  return loopbackOnly
    ? { ...REACH_OFF, dht: 'server' }
    : { ...REACH_OFF, dht: 'server', autonat: true, relayServer: true };
}

const MDNS_SERVICE = '_ace-node._udp.local';

const SECONDS_PER_DAY = 86_400;
/** A relay is for arranging a direct connection: seconds, and a few messages. */
const RELAY_LIMITS = {
  hopTimeout: 10_000,
  maxInboundHopStreams: 4,
  maxOutboundHopStreams: 64,
  maxOutboundStopStreams: 64,
  reservations: {
    maxReservations: MAX_RELAYED_PEERS,
    reservationTtl: 30 * 60_000,
    reservationClearInterval: 60_000,
    applyDefaultLimit: true,
    defaultDurationLimit: 60_000,
    defaultDataLimit: 131_072n,
  },
} as const;

/** libp2p services for these settings, each under the name that the host has it by. */
export function reachServices(reach: ReachSettings, guard: DialGuard) {
  return {
    ...(reach.dht !== 'off' && {
      dht: kadDHT({
        protocol: DHT_PROTOCOL,
        ...(reach.dht !== 'auto' && { clientMode: reach.dht === 'client' }),
        // Only who provides what is kept: a value that anybody puts has no validator here, and is refused.
        validators: { pk: refuseValue },
        selectors: {},
        // A query without anyone to ask ends at once, and the walk for relays would begin the next one at once.
        allowQueryWithZeroPeers: false,
        // An address from a stranger that may not be dialed is neither kept nor passed on.
        peerInfoMapper: (peer: PeerInfo) => ({
          ...peer,
          multiaddrs: peer.multiaddrs.filter((address) => guard.allows(address)).slice(0, MAX_ADDRESSES),
        }),
        alpha: 3,
        disjointPaths: 3,
        maxInboundStreams: MAX_DHT_STREAMS_IN,
        maxOutboundStreams: MAX_DHT_STREAMS_OUT,
        initialQuerySelfInterval: 500,
        routingTableUpdateMaxQueueSize: MAX_DHT_NEWCOMERS,
        providers: { provideValidity: SECONDS_PER_DAY, cleanupInterval: 3_600 },
      }),
    }),
    ...(reach.mdns && { mdns: mdns({ serviceTag: MDNS_SERVICE, interval: 10_000 }) }),
    ...(reach.autonat && {
      autonat: autoNAT({ protocolPrefix: LIBRARY_PREFIX, maxInboundStreams: 2, maxOutboundStreams: 2 }),
    }),
    ...(reach.relayServer && { relay: circuitRelayServer(RELAY_LIMITS) }),
    ...(reach.holePunch && { dcutr: dcutr() }),
    ...(reach.upnp && { upnp: uPnPNAT() }),
  };
}

const MAX_ADDRESSES = 16;

function refuseValue(): never {
  throw new Error('this network keeps no values in its DHT');
}

/** The DHT of a host that has one. */
export function dhtOf(host: { readonly services: object }): SingleKadDHT | null {
  return 'dht' in host.services ? (host.services.dht as SingleKadDHT) : null;
}

/** The DHT of a host that knows somebody there: without, a query would wait for the first. */
export function livingDhtOf(host: { readonly services: object }): SingleKadDHT | null {
  const dht = dhtOf(host);
  return dht && dht.routingTable.size > 0 ? dht : null;
}
