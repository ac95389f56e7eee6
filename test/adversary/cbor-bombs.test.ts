/**
 * Transport files, records and requests that are small on the wire and large once decoded. Before their items were
 * counted, a transport file of 2 MiB took up to 1.8 s and 267 MB, and a request to a shard half as much; now some
 * milliseconds and nothing.
 */
import * as dagCbor from '@ipld/dag-cbor';
import { describe, expect, it, onTestFinished } from 'vitest';
import { contentIdOf, MAX_TRANSPORT_BYTES, readAnyTransportFile } from '../../main/content/transport-file.ts';
import { createHost, openStream, serveProtocol } from '../../main/p2p/host.ts';
import { SHARD_LIMITS, SHARD_PROTOCOL } from '../../main/p2p/protocols/shard/constants.ts';
import { RequestClient } from '../../main/p2p/requests.ts';
import { decodeMessage } from '../../main/pieces/messages.ts';
import { createDevice } from '../../main/wallet/device.ts';
import { hasAtMostItems, MAX_RECORD_ITEMS, MAX_REQUEST_ITEMS } from '../../shared/bounded-cbor.ts';
import { expectAceError, expectAceRejection } from '../helpers/ace-error.ts';
import { useDevnet } from '../helpers/devnet.ts';

const device = createDevice();
const ROOM = MAX_TRANSPORT_BYTES - 200;
/** A list that says it has so many items. */
const listOf = (count: number) =>
  Buffer.from([0x9a, count >>> 24, (count >>> 16) & 255, (count >>> 8) & 255, count & 255]);
const sealed = (body: Uint8Array) => dagCbor.encode(['ace-transport-1', body, device.sign(body)]);

const COUNT = 0x1f_0000;
const BOMBS: readonly (readonly [string, Uint8Array])[] = [
  ['a list in a list, two million deep', Buffer.alloc(ROOM, 0x81)],
  ['a million numbers', Buffer.concat([listOf(COUNT), Buffer.alloc(COUNT)])],
  ['a million empty maps', Buffer.concat([listOf(COUNT), Buffer.alloc(COUNT, 0xa0)])],
  ['2^40 items, of which none comes', Buffer.from([0x9b, 0, 0, 1, 0, 0, 0, 0, 0])],
  ['bytes of 2^53', Buffer.from([0x83, 0x5b, 0, 0x20, 0, 0, 0, 0, 0, 0])],
];

describe('a bomb', () => {
  it.each(BOMBS)('of %s is refused as a transport file, as its body, and as a message', (_, bomb) => {
    for (const bytes of [bomb, sealed(bomb)]) {
      const error = expectAceError('TransportFileInvalid', () =>
        readAnyTransportFile(contentIdOf(bytes), bytes),
      );
      expect(error.reaction).toBe('drop-peer');
    }
    const open = Buffer.concat([Buffer.from([2]), bomb.subarray(0, 65_000)]);
    expect(() => decodeMessage(open)).toThrow();
  });

  it('is refused in less than half of the time that it takes to decode', () => {
    const bytes = sealed(BOMBS[2]?.[1] ?? new Uint8Array());
    const id = contentIdOf(bytes);
    const timed = (run: () => unknown) => {
      const startMs = performance.now();
      run();
      return performance.now() - startMs;
    };
    const decodeMs = timed(() => dagCbor.decode(BOMBS[2]?.[1] ?? new Uint8Array()));
    const refuseMs = timed(() =>
      expectAceError('TransportFileInvalid', () => readAnyTransportFile(id, bytes)),
    );
    expect(refuseMs).toBeLessThan(decodeMs / 2);
  });

  it('is refused by a shard, which goes on', async () => {
    const net = await useDevnet();
    const peer = await net.peer();
    const contentIds = Array.from({ length: 2 * MAX_REQUEST_ITEMS }, () => '');
    const { certificate } = peer;
    await expectAceRejection(
      'PeerClosed',
      peer.shardClient.call('announce', { certificate, contentIds, multiaddrs: [] }),
    );
    const other = await net.peer();
    expect((await other.shardClient.call('hello', {})).shard).toBe(0);
  });
});

it('a bomb is refused as a shard’s answer before it is decoded, and ends the line', async () => {
  const [shard, node] = await Promise.all(
    [createDevice(), createDevice()].map((one) =>
      createHost({ deviceSeed: one.seed(), listen: ['/ip4/127.0.0.1/tcp/0'] }),
    ),
  );
  onTestFinished(async () => void (await Promise.all([shard?.stop(), node?.stop()])));
  if (!shard || !node) throw new Error('No hosts');
  const result = Array.from({ length: 1_000_000 }, () => ({}));
  const bomb = dagCbor.encode({ id: 1, result });
  await serveProtocol(
    shard,
    SHARD_PROTOCOL,
    SHARD_LIMITS,
    async (frames) => {
      await frames.read();
      frames.send(bomb);
      await frames.read();
    },
    () => undefined,
  );
  const line = new RequestClient(
    await openStream(node, shard.getMultiaddrs(), SHARD_PROTOCOL, SHARD_LIMITS),
    () => undefined,
  );
  // Before, a million maps were made for the schema to look at.
  await expectAceRejection('MessageMalformed', line.request('statement', {}));
  expect(await line.closed).toMatchObject({ code: 'MessageMalformed' });
});

it('items are counted as the decoder makes them, to the limit and not beyond', () => {
  const one = { a: [1, 'text', Buffer.alloc(300), null, { b: -1, c: 2 ** 40 }], d: 0.5 };
  // The map, 2 keys, the list and its 5, of which a map with 2 keys and 2 numbers, and the fraction.
  const items = 1 + 2 + 1 + 5 + 4 + 1;
  expect(hasAtMostItems(dagCbor.encode(one), items)).toBe(true);
  expect(hasAtMostItems(dagCbor.encode(one), items - 1)).toBe(false);
  for (const length of [0, 23, 24, 255, 256, 65_535, 65_536]) {
    expect(hasAtMostItems(dagCbor.encode([Buffer.alloc(length), 'x'.repeat(length)]), 3)).toBe(true);
  }
  expect(hasAtMostItems(dagCbor.encode(Array(MAX_RECORD_ITEMS - 1).fill(0)), MAX_RECORD_ITEMS)).toBe(true);
  expect(hasAtMostItems(dagCbor.encode(Array(MAX_RECORD_ITEMS).fill(0)), MAX_RECORD_ITEMS)).toBe(false);
});
