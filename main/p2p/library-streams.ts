/**
 * Bounds the messages of libp2p's own protocols before they are decoded: the library takes up to 4 MiB, which two bytes an
 * item make into millions of objects, and any number of them. Both directions: who is asked may answer as badly as who asks.
 */
import type { Connection, Libp2p, Stream, StreamHandler, StreamMessageEvent } from '@libp2p/interface';
import type { Registrar } from '@libp2p/interface-internal';
import { varint } from 'multiformats';
import type { BucketRate } from '../../shared/token-bucket.ts';
import { KeyedRateLimiter } from '../util/rate-limiter.ts';
import {
  DHT_ADDRESS_RATE,
  DHT_BYTES_OF_ONE,
  DHT_GROUP_RATE,
  DHT_PEER_RATE,
  MAX_LIBRARY_ANSWER_BYTES,
  MAX_LIBRARY_REQUEST_BYTES,
} from './limits.ts';
import { originOf } from './network-group.ts';

/** Not below /ace/: an open stream of the DHT is no reason to keep a connection. */
export const DHT_PROTOCOL = '/ace-kad/1.0.0';
export const LIBRARY_PREFIX = 'ace';

/** Protocols whose messages have their length before them: of all of a stream, or of the first alone, before it carries others' bytes. */
const BOUNDED: Readonly<Record<string, 'all' | 'first'>> = {
  [DHT_PROTOCOL]: 'all',
  [`/${LIBRARY_PREFIX}/autonat/1.0.0`]: 'all',
  '/libp2p/dcutr': 'all',
  '/libp2p/circuit/relay/0.2.0/hop': 'first',
  '/libp2p/circuit/relay/0.2.0/stop': 'first',
};

export interface LibraryLimits {
  readonly peer: BucketRate;
  readonly address: BucketRate;
  readonly group: BucketRate;
}

const LIMITS: LibraryLimits = { peer: DHT_PEER_RATE, address: DHT_ADDRESS_RATE, group: DHT_GROUP_RATE };

/** How often others may ask this host's DHT. */
export class DhtPace {
  readonly #perPeer: KeyedRateLimiter;
  /** `null` on loopback, where everybody has the one address. */
  readonly #perAddress: KeyedRateLimiter | null;
  readonly #perGroup: KeyedRateLimiter;

  /** `nowMs` is a clock that nobody sets. */
  constructor(onLoopbackOnly: boolean, nowMs: () => number = () => performance.now(), limits = LIMITS) {
    this.#perPeer = new KeyedRateLimiter(limits.peer, nowMs);
    this.#perAddress = onLoopbackOnly ? null : new KeyedRateLimiter(limits.address, nowMs);
    this.#perGroup = new KeyedRateLimiter(limits.group, nowMs);
  }

  /** Whether one more message of it, of so many bytes, may be looked at. */
  takes({ remotePeer, remoteAddr }: Pick<Connection, 'remotePeer' | 'remoteAddr'>, bytes: number): boolean {
    const cost = 1 + bytes / DHT_BYTES_OF_ONE;
    const [peer, { address, group }] = [remotePeer.toString(), originOf(remoteAddr)];
    // What is refused counts for none of them: one that floods must not use up what its household has.
    if (this.#perPeer.retryAfterMs(peer) > 0) return false;
    if (this.#perAddress) {
      if (this.#perGroup.retryAfterMs(group) > 0 || this.#perAddress.take(address, cost).retryAfterMs > 0)
        return false;
      this.#perGroup.charge(group, cost);
    }
    this.#perPeer.charge(peer, cost);
    return true;
  }
}

/** A service that has every service of the host serve its protocols within bounds: listed before them. */
export function boundedServing(pace: DhtPace): (components: { readonly registrar: Registrar }) => object {
  return ({ registrar }) => {
    const handle = registrar.handle.bind(registrar);
    registrar.handle = (protocol, handler, options) => handle(protocol, bounded(handler, pace), options);
    return {};
  };
}

/** The same of what this host asks others. */
export function boundAsking(host: Libp2p): void {
  host.addEventListener('connection:open', ({ detail: connection }) => {
    const newStream = connection.newStream.bind(connection);
    connection.newStream = async (protocols, options) => {
      const stream = await newStream(protocols, options);
      bound(stream, MAX_LIBRARY_ANSWER_BYTES);
      return stream;
    };
  });
}

function bounded(handler: StreamHandler, pace: DhtPace): StreamHandler {
  return (stream, connection) => {
    const takes =
      stream.protocol === DHT_PROTOCOL ? (bytes: number) => pace.takes(connection, bytes) : undefined;
    bound(stream, MAX_LIBRARY_REQUEST_BYTES, takes);
    return handler(stream, connection);
  };
}

/** Resets the stream at a message that is too long, or one too many. */
function bound(stream: Stream, maxBytes: number, takes: (bytes: number) => boolean = () => true): void {
  const mode = BOUNDED[stream.protocol];
  if (mode === undefined) return;
  const lengths = new MessageLengths();
  const look = (event: StreamMessageEvent) => {
    for (const lengthBytes of lengths.read(event.data.subarray())) {
      if (lengthBytes <= maxBytes && takes(lengthBytes)) {
        if (mode === 'all') continue;
        stream.removeEventListener('message', look);
        return;
      }
      // Before the library sees it.
      event.stopImmediatePropagation();
      stream.abort(new Error('a message that is too long, or one too many'));
      return;
    }
  };
  stream.addEventListener('message', look);
}

/** Lengths to 256 MiB: far more than any limit. */
const MAX_PREFIX_BYTES = 4;

/** Reads the lengths of messages out of a stream, wherever it is cut. */
export class MessageLengths {
  #prefix: number[] = [];
  #bodyLeftBytes = 0;

  /** The lengths that are whole with these bytes. One that cannot be read is infinite. */
  *read(bytes: Uint8Array): Generator<number> {
    for (let at = 0; at < bytes.byteLength; ) {
      if (this.#bodyLeftBytes > 0) {
        const taken = Math.min(this.#bodyLeftBytes, bytes.byteLength - at);
        this.#bodyLeftBytes -= taken;
        at += taken;
        continue;
      }
      const byte = bytes[at++] ?? 0;
      this.#prefix.push(byte);
      if (byte < 0x80) {
        const [lengthBytes] = varint.decode(Uint8Array.from(this.#prefix));
        this.#prefix = [];
        this.#bodyLeftBytes = lengthBytes;
        yield lengthBytes;
      } else if (this.#prefix.length >= MAX_PREFIX_BYTES) yield Number.POSITIVE_INFINITY;
    }
  }
}
