/** Strangers that send what no peer can read, each stream a fresh one. */
import * as dagCbor from '@ipld/dag-cbor';
import { multiaddr } from '@multiformats/multiaddr';
import { createHost } from '../../main/p2p/host.ts';
import { createDevice } from '../../main/wallet/device.ts';

const framed = (body: Uint8Array) => Buffer.concat([Uint8Array.of(body.byteLength), body]);
/** A length without an end, no CBOR, a request with the wrong fields. */
const GARBAGE = [
  new Uint8Array(64).fill(0x80),
  framed(Uint8Array.of(0, 255, 255)),
  framed(dagCbor.encode({ id: 1, method: 'account', params: { address: 7 } })),
];

export interface GarbageOptions {
  /** Fresh identities. */
  readonly peers?: number;
  readonly streamsOfEach?: number;
}

/** How many streams there were. */
export async function floodWithGarbage(
  address: string,
  protocols: readonly string[],
  { peers = 2, streamsOfEach = 6 }: GarbageOptions = {},
): Promise<number> {
  let streams = 0;
  const stranger = async () => {
    const host = await createHost({ deviceSeed: createDevice().seed(), listen: [] });
    try {
      for (let i = 0; i < streamsOfEach; i++) {
        const connection = await host.dial(multiaddr(address));
        const stream = await connection.newStream(protocols[i % protocols.length] ?? '');
        const closed = new Promise<void>((resolve) => {
          if (stream.status !== 'open') resolve();
          stream.addEventListener('close', () => resolve(), { once: true });
        });
        stream.send(GARBAGE[i % GARBAGE.length] ?? new Uint8Array());
        // It may have been reset by now.
        await stream.close().catch(() => undefined);
        await closed;
        streams += 1;
      }
    } finally {
      await host.stop();
    }
  };
  await Promise.all(Array.from({ length: peers }, stranger));
  return streams;
}
