/** A stranger who says anything to a host's DHT, right or wrong, from any address of 127.0.0.0/8. */
import { noise } from '@chainsafe/libp2p-noise';
import { yamux } from '@chainsafe/libp2p-yamux';
import { generateKeyPair } from '@libp2p/crypto/keys';
import type { Connection, Libp2p, Stream } from '@libp2p/interface';
import { tcp } from '@libp2p/tcp';
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr';
import { createLibp2p } from 'libp2p';
import type { CID } from 'multiformats';
import { varint } from 'multiformats';
import { onTestFinished } from 'vitest';

const DHT_PROTOCOL = '/ace-kad/1.0.0';
const ADD_PROVIDER = 2;
const GET_PROVIDERS = 3;
const FIELD = { type: 1, key: 2, providers: 9 } as const;

export class RawDht {
  readonly host: Libp2p;
  readonly #connection: Connection | null;

  private constructor(host: Libp2p, connection: Connection | null) {
    this.host = host;
    this.#connection = connection;
  }

  /** A fresh identity at this address of the loopback, connected to the host; without one it waits for others. */
  static async come(to: readonly Multiaddr[], from = '127.0.0.1'): Promise<RawDht> {
    const host = await createLibp2p({
      privateKey: await generateKeyPair('Ed25519'),
      addresses: { listen: to.length > 0 ? [] : [`/ip4/${from}/tcp/0`] },
      transports: [tcp({ dialOpts: { localAddress: from } as object })],
      connectionEncrypters: [noise()],
      streamMuxers: [yamux()],
      connectionMonitor: { enabled: false },
    });
    onTestFinished(async () => host.stop());
    return new RawDht(host, to.length > 0 ? await host.dial([...to]) : null);
  }

  async open(protocol = DHT_PROTOCOL): Promise<Stream> {
    if (!this.#connection) throw new Error('it is connected to nobody');
    return this.#connection.newStream(protocol);
  }

  /** Says this to whoever asks anything. */
  async answer(bytes: Uint8Array): Promise<void> {
    await this.host.handle(DHT_PROTOCOL, (stream) => {
      stream.send(bytes);
    });
  }

  /** "I provide this content, at these addresses." */
  provides(content: CID, addresses: readonly string[] = ['/ip4/198.51.100.9/tcp/4001']): Uint8Array {
    const places = addresses.map((address) => field(2, multiaddr(address).bytes));
    const peer = Buffer.concat([field(1, this.host.peerId.toMultihash().bytes), ...places]);
    return message(ADD_PROVIDER, content, field(FIELD.providers, peer));
  }

  /** "Who provides this content?" */
  static asks(content: CID): Uint8Array {
    return message(GET_PROVIDERS, content);
  }
}

/** A message of the DHT, with its length before it. */
function message(type: number, content: CID, ...rest: readonly Uint8Array[]): Uint8Array {
  const body = Buffer.concat([Buffer.of(FIELD.type << 3, type), field(FIELD.key, content.bytes), ...rest]);
  return Buffer.concat([lengthOf(body), body]);
}

/** One that names this many providers of nothing: two bytes each on the wire, an object each once decoded. */
export function emptyProviders(content: CID, count: number): Uint8Array {
  return message(ADD_PROVIDER, content, Buffer.alloc(2 * count, Buffer.of((FIELD.providers << 3) | 2, 0)));
}

/** A field of a protobuf message that is bytes. */
function field(number: number, bytes: Uint8Array): Buffer {
  return Buffer.concat([Buffer.of((number << 3) | 2), lengthOf(bytes), bytes]);
}

function lengthOf({ byteLength }: Uint8Array): Uint8Array {
  return varint.encodeTo(byteLength, new Uint8Array(varint.encodingLength(byteLength)));
}
