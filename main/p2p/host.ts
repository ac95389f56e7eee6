/**
 * One libp2p host: TCP, Noise, Yamux, identify, ping, gossip where it is wanted, and what makes it found and reached
 * (`reach.ts`). The device key is its identity.
 */
import { noise } from '@chainsafe/libp2p-noise';
import { yamux } from '@chainsafe/libp2p-yamux';
import { circuitRelayTransport } from '@libp2p/circuit-relay-v2';
import { privateKeyFromRaw } from '@libp2p/crypto/keys';
import { identify } from '@libp2p/identify';
import type { Connection, ConnectionGater, Libp2p } from '@libp2p/interface';
import { ping } from '@libp2p/ping';
import { tcp } from '@libp2p/tcp';
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr';
import { createLibp2p } from 'libp2p';
import { AceError } from '../../shared/errors.ts';
import { deviceFromSeed } from '../wallet/device.ts';
import { advertisedAddresses } from './advertised-addresses.ts';
import { limitConnections } from './connection-limits.ts';
import { forgetMessages, noteMessage } from './connection-signs.ts';
import { DialGuard } from './dial-guard.ts';
import { DialPace, paced } from './dial-pace.ts';
import { directConnection } from './direct.ts';
import { type FrameLimits, FrameStream, MAX_STREAM_WINDOW_BYTES } from './frames.ts';
import { HandshakeGate } from './handshake-gate.ts';
import { boundAsking, boundedServing, DhtPace } from './library-streams.ts';
import {
  CONNECTIONS_HEADROOM,
  FIRST_MESSAGE_MS,
  HANDSHAKE_MS,
  INBOUND_PER_SECOND_AND_ADDRESS,
  INBOUND_PER_SECOND_ON_LOOPBACK,
  MAX_CONNECTIONS,
  MAX_HANDSHAKES,
  MAX_RELAYS_WAITING,
  MAX_STREAMS_OF_PROTOCOL,
  STREAM_IDLE_MS,
} from './limits.ts';
import { onLoopbackOnly } from './listen.ts';
import { noiseCrypto } from './noise-cipher.ts';
import { ownAddresses } from './own-addresses.ts';
import { PeerStanding } from './peer-standing.ts';
import { Presence } from './presence.ts';
import type { GossipRouter } from './protocols/gossip/router.ts';
import { REACH_OFF, type ReachSettings, reachServices } from './reach.ts';
import { RecordStore } from './record-store.ts';

export interface HostOptions {
  /** 32-byte Ed25519 seed. */
  readonly deviceSeed: Uint8Array;
  /** Multiaddrs to listen on; `/ip4/127.0.0.1/tcp/0` takes a free port. */
  readonly listen: readonly string[];
  /** Addresses that lead here beside those that are found out. */
  readonly announce?: readonly string[];
  readonly maxConnections?: number;
  /** A host without one takes no part in the gossip. */
  readonly gossip?: GossipRouter;
  /** Left out: only those who are given its address reach it. */
  readonly reach?: ReachSettings;
  /** Left out: one that fits the listen addresses. */
  readonly guard?: DialGuard;
}

const DIAL_TIMEOUT_MS = 10_000;
/** Addresses of one peer that strangers name: more only cost dials. */
const MAX_PEER_ADDRESSES = 32;
/** Searches for a relay, and listens there. */
const AT_A_RELAY = '/p2p-circuit';

/** @throws AceError `PortInUse` when a listen address is taken, `InvalidInput` when it is not this machine's */
export async function createHost(options: HostOptions): Promise<Libp2p> {
  // With the public key, which libp2p would else work out in JavaScript.
  const { deviceSeed } = options;
  const privateKey = privateKeyFromRaw(Buffer.concat([deviceSeed, deviceFromSeed(deviceSeed).publicKey]));
  const { listen, reach = REACH_OFF, guard = new DialGuard(onLoopbackOnly(listen)) } = options;
  const relayed = reach.relayClient || reach.holePunch;
  const { maxConnections = MAX_CONNECTIONS } = options;
  const loopbackOnly = onLoopbackOnly(listen);
  const dialPace = new DialPace();
  const presence = new Presence(loopbackOnly);
  try {
    const host = await createLibp2p({
      privateKey,
      datastore: new RecordStore(presence),
      addresses: {
        listen: reach.relayClient ? [...listen, AT_A_RELAY] : [...listen],
        appendAnnounce: [...(options.announce ?? [])],
        announceFilter: advertisedAddresses,
      },
      connectionGater: gaterOf(guard, presence, loopbackOnly),
      transports: [
        (components) => (loopbackOnly ? tcp()(components) : paced(tcp()(components), dialPace, guard)),
        ...(relayed ? [circuitRelayTransport({ maxReservationQueueLength: MAX_RELAYS_WAITING })] : []),
      ],
      connectionEncrypters: [noise({ crypto: noiseCrypto() })],
      streamMuxers: [yamux({ streamOptions: { maxStreamWindowSize: MAX_STREAM_WINDOW_BYTES } })],
      connectionManager: {
        // Turned away here would be who comes last; `limitConnections` chooses better, when it is known who comes.
        maxConnections: maxConnections + CONNECTIONS_HEADROOM,
        inboundConnectionThreshold: loopbackOnly
          ? INBOUND_PER_SECOND_ON_LOOPBACK
          : INBOUND_PER_SECOND_AND_ADDRESS,
        maxIncomingPendingConnections: MAX_HANDSHAKES,
        inboundUpgradeTimeout: HANDSHAKE_MS,
        maxPeerAddrsToDial: MAX_PEER_ADDRESSES,
      },
      services: {
        // First, because it is how the others serve.
        libraryStreams: boundedServing(new DhtPace(loopbackOnly)),
        identify: identify(),
        ping: ping(),
        ownAddresses,
        standing: () => new PeerStanding(),
        ...reachServices(reach, guard),
        ...(options.gossip && { gossip: options.gossip.service }),
      },
    });
    presence.begin(host);
    boundAsking(host);
    limitConnections(host, { maxConnections, onLoopbackOnly: loopbackOnly });
    return host;
  } catch (error) {
    if (String((error as Error).message).includes('EADDRINUSE') || hasCode(error, 'EADDRINUSE')) {
      throw new AceError(
        'PortInUse',
        `The peer-to-peer address ${listen.join(', ')} is taken by another program`,
        {
          cause: error,
        },
      );
    }
    for (const code of ['EADDRNOTAVAIL', 'EACCES']) {
      if (!String((error as Error).message).includes(code)) continue;
      const why = code === 'EACCES' ? 'this user may not use the port' : 'it is no address of this machine';
      throw new AceError('InvalidInput', `--listen cannot take ${listen.join(', ')}: ${why}`, {
        cause: error,
      });
    }
    throw error;
  }
}

function gaterOf(guard: DialGuard, presence: Presence, loopbackOnly: boolean): ConnectionGater {
  const gate = new HandshakeGate();
  return {
    denyDialMultiaddr: (address) => !guard.allows(address),
    denyInboundConnection: (connection) => !loopbackOnly && gate.refuses(connection),
    denyInboundUpgradedConnection: (_, connection) => {
      gate.ended(connection);
      return false;
    },
    denyInboundRelayReservation: (peer) => presence.refusesPlace(peer),
  };
}

/** @throws AceError `InvalidInput` */
export function parseMultiaddr(text: string): Multiaddr {
  try {
    const address = multiaddr(text);
    if (!text.includes('/p2p/')) throw new Error('it lacks the /p2p/… part');
    return address;
  } catch (error) {
    throw new AceError(
      'InvalidInput',
      `"${text}" is not a peer address such as /ip4/127.0.0.1/tcp/4001/p2p/12D3…`,
      {
        cause: error,
      },
    );
  }
}

/** Opens a stream of one protocol, on a direct connection. @throws AceError `PeerUnreachable` */
export async function openStream(
  host: Libp2p,
  addresses: readonly Multiaddr[],
  protocol: string,
  limits: FrameLimits,
  until?: AbortSignal,
): Promise<FrameStream> {
  try {
    const late = AbortSignal.timeout(DIAL_TIMEOUT_MS);
    const signal = until ? AbortSignal.any([late, until]) : late;
    const connection = await directConnection(host, addresses, signal);
    const stream = await connection.newStream(protocol, { signal });
    return new FrameStream(stream, limits, () => noteMessage(connection));
  } catch (error) {
    const peer = addresses.map(String).join(', ');
    const isOtherVersion = error instanceof Error && error.name === 'UnsupportedProtocolError';
    throw new AceError(
      'PeerUnreachable',
      isOtherVersion
        ? `${peer} does not speak ${protocol}: it runs another version of Ace Node, or something else. Update the older one`
        : `No connection to ${peer}`,
      { cause: error },
    );
  }
}

export type StreamHandler = (frames: FrameStream, connection: Connection) => Promise<void>;

/**
 * Serves a protocol: each stream gets its own run of `handler`; what it throws ends that stream and is reported. A stream
 * that is silent for too long is reset, which is nobody's fault and is not reported.
 */
export async function serveProtocol(
  host: Libp2p,
  protocol: string,
  limits: FrameLimits,
  handler: StreamHandler,
  onError: (error: unknown, connection: Connection) => void,
): Promise<void> {
  await host.handle(
    protocol,
    (stream, connection) => {
      const frames = new FrameStream(stream, limits, () => noteMessage(connection));
      const { firstMessageMs = FIRST_MESSAGE_MS, idleMs = STREAM_IDLE_MS } = limits;
      frames.resetWhenSilent({ firstMs: firstMessageMs, idleMs });
      handler(frames, connection).then(
        () => frames.close(),
        (error: unknown) => {
          frames.abort(error instanceof Error ? error : new Error(String(error)));
          if (frames.wasSilent) return;
          if (error instanceof AceError && error.reaction === 'drop-peer') forgetMessages(connection);
          onError(error, connection);
        },
      );
    },
    { maxInboundStreams: MAX_STREAMS_OF_PROTOCOL, maxOutboundStreams: MAX_STREAMS_OF_PROTOCOL },
  );
}

function hasCode(error: unknown, code: string): boolean {
  if (error instanceof AggregateError) return error.errors.some((e) => hasCode(e, code));
  return error instanceof Error && ('code' in error ? error.code === code : hasCode(error.cause, code));
}
