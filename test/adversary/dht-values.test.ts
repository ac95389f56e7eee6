import { Uint8ArrayList } from 'uint8arraylist';
import { expect, it, onTestFinished } from 'vitest';
import { createHost } from '../../main/p2p/host.ts';
import { REACH_OFF } from '../../main/p2p/reach.ts';
import { createDevice } from '../../main/wallet/device.ts';

async function host(dht: 'server' | 'off') {
  const made = await createHost({
    deviceSeed: createDevice().seed(),
    listen: ['/ip4/127.0.0.1/tcp/0'],
    reach: { ...REACH_OFF, dht },
  });
  onTestFinished(async () => made.stop());
  return made;
}

/** A field of a protobuf message that is bytes, with its length in two bytes. */
function field(number: number, bytes: Uint8Array): Buffer {
  const { length } = bytes;
  return Buffer.concat([Buffer.of((number << 3) | 2, (length & 0x7f) | 0x80, length >> 7), bytes]);
}

/** The message of the DHT that has a value kept under a key. */
function putValue(key: string, value: Uint8Array): Buffer {
  const record = Buffer.concat([
    field(1, Buffer.from(key)),
    field(2, value),
    field(5, Buffer.from(new Date().toISOString())),
  ]);
  const message = Buffer.concat([field(2, Buffer.from(key)), field(3, record)]);
  return Buffer.concat([Buffer.of((message.length & 0x7f) | 0x80, message.length >> 7), message]);
}

// Namespaces are looked up in a plain object, which has more names than were put there.
it.each(['constructor', 'toString', 'pk', 'anything'])(
  'a stranger’s value is not kept in the DHT under /%s/',
  async (namespace) => {
    const [victim, stranger] = await Promise.all([host('server'), host('off')]);
    const stream = await stranger.dialProtocol(victim.getMultiaddrs(), '/ace-kad/1.0.0');
    const answer = new Uint8ArrayList();
    const ended = new Promise<string>((resolve) => {
      stream.addEventListener('message', ({ data }) => {
        answer.append(data);
        resolve('kept');
      });
      stream.addEventListener('close', () => resolve('refused'));
    });
    stream.send(putValue(`/${namespace}/1`, Buffer.alloc(8_000, 'x')));
    expect(await ended).toBe('refused');
    expect(answer.byteLength).toBe(0);
  },
);
