/** One libp2p host: TCP, Noise, Yamux, identify, ping. The device key is its identity. */
import { noise } from '@chainsafe/libp2p-noise';
import { yamux } from '@chainsafe/libp2p-yamux';
import { generateKeyPairFromSeed } from '@libp2p/crypto/keys';
import { identify } from '@libp2p/identify';
import type { Connection, Libp2p, PeerId } from '@libp2p/interface';
import { ping } from '@libp2p/ping';
import { tcp } from '@libp2p/tcp';
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr';
import { createLibp2p } from 'libp2p';
import { AceError } from '../../shared/errors.ts';
import { limitConnections } from './connection-limits.ts';
import { type FrameLimits, FrameStream, MAX_STREAM_WINDOW_BYTES } from './frames.ts';

export interface HostOptions {
  /** 32-byte Ed25519 seed. */
  readonly deviceSeed: Uint8Array;
  /** Multiaddrs to listen on; `/ip4/127.0.0.1/tcp/0` takes a free port. */
  readonly listen: readonly string[];
  readonly maxConnections?: number;
}

const DIAL_TIMEOUT_MS = 10_000;
/** libp2p's own 5 would turn away peers that share an address: a household, a carrier's NAT, one test machine. */
const INBOUND_PER_SECOND_AND_ADDRESS = 100;
const INBOUND_HANDSHAKES = 50;

/** @throws AceError `PortInUse` when a listen address is taken */
export async function createHost(options: HostOptions): Promise<Libp2p> {
  const privateKey = await generateKeyPairFromSeed('Ed25519', options.deviceSeed);
  try {
    const host = await createLibp2p({
      privateKey,
      addresses: { listen: [...options.listen] },
      transports: [tcp()],
      connectionEncrypters: [noise()],
      streamMuxers: [yamux({ streamOptions: { maxStreamWindowSize: MAX_STREAM_WINDOW_BYTES } })],
      connectionManager: {
        maxConnections: options.maxConnections ?? 300,
        inboundConnectionThreshold: INBOUND_PER_SECOND_AND_ADDRESS,
        maxIncomingPendingConnections: INBOUND_HANDSHAKES,
      },
      services: { identify: identify(), ping: ping() },
    });
    limitConnections(host);
    return host;
  } catch (error) {
    if (String((error as Error).message).includes('EADDRINUSE') || hasCode(error, 'EADDRINUSE')) {
      throw new AceError(
        'PortInUse',
        `The peer-to-peer address ${options.listen.join(', ')} is taken by another program`,
        {
          cause: error,
        },
      );
    }
    throw error;
  }
}

/** Raw Ed25519 public key behind a peer id: the peer's device key. @throws AceError `InvalidCertificate` */
export function deviceKeyOf(peer: PeerId): Uint8Array {
  if (peer.type !== 'Ed25519') {
    throw new AceError('InvalidCertificate', 'The peer has no Ed25519 identity', { reaction: 'drop-peer' });
  }
  return peer.publicKey.raw;
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

/** Opens a stream of one protocol. @throws AceError `PeerUnreachable` */
export async function openStream(
  host: Libp2p,
  addresses: readonly Multiaddr[],
  protocol: string,
  limits: FrameLimits,
): Promise<FrameStream> {
  try {
    const signal = AbortSignal.timeout(DIAL_TIMEOUT_MS);
    const connection = await host.dial([...addresses], { signal });
    return new FrameStream(await connection.newStream(protocol, { signal }), limits);
  } catch (error) {
    throw new AceError('PeerUnreachable', `No connection to ${addresses.map(String).join(', ')}`, {
      cause: error,
    });
  }
}

export type StreamHandler = (frames: FrameStream, connection: Connection) => Promise<void>;

/** Serves a protocol: each stream gets its own run of `handler`; what it throws ends that stream and is reported. */
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
      const frames = new FrameStream(stream, limits);
      handler(frames, connection).then(
        () => frames.close(),
        (error: unknown) => {
          frames.abort(error instanceof Error ? error : new Error(String(error)));
          onError(error, connection);
        },
      );
    },
    { maxInboundStreams: 16, maxOutboundStreams: 16 },
  );
}

function hasCode(error: unknown, code: string): boolean {
  if (error instanceof AggregateError) return error.errors.some((e) => hasCode(e, code));
  return error instanceof Error && ('code' in error ? error.code === code : hasCode(error.cause, code));
}
