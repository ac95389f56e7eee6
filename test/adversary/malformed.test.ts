import * as dagCbor from '@ipld/dag-cbor';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FrameStream } from '../../main/p2p/frames.ts';
import { SHARD_PROTOCOL } from '../../main/p2p/protocols/shard/constants.ts';
import { TRANSPORT_PROTOCOL } from '../../main/p2p/protocols/transport/protocol.ts';
import { PIECES_PROTOCOL } from '../../main/pieces/constants.ts';
import type { ErrorCode } from '../../shared/errors.ts';
import { Devnet, fetchWhole, MIB, type TestPeer } from '../helpers/devnet.ts';
import { RawViewer } from '../helpers/raw-viewer.ts';
import { standsStill, waitFor } from '../helpers/wait.ts';

const TIMEOUTS = { handshakeMs: 300, paymentMs: 500, dataMs: 5_000 };

let net: Devnet;
let provider: TestPeer;

beforeAll(async () => {
  net = await Devnet.start();
  provider = await net.peer('provider', undefined, TIMEOUTS);
});
afterAll(() => net.stop());

/** Opens a stream of the protocol and writes these bytes as they are; the answer tells how the stream ended. */
async function write(target: 'provider' | 'validator', protocol: string, bytes: Uint8Array, end: boolean) {
  const viewer = await RawViewer.start(net);
  const host = target === 'provider' ? provider.host : net.validator.host;
  const connection = await viewer.host.dial(host.getMultiaddrs());
  const stream = await connection.newStream(protocol);
  const frames = new FrameStream(stream, { maxFrameBytes: 4 * MIB, maxBufferedBytes: 8 * MIB });
  if (bytes.byteLength > 0) stream.send(bytes);
  if (end) await stream.close();
  for (;;) {
    const frame = await frames.read(5_000).catch(() => null);
    if (!frame) return stream.status;
  }
}

const varint = (length: number) => {
  const bytes: number[] = [];
  for (; length >= 0x80; length = Math.floor(length / 128)) bytes.push((length % 128) | 0x80);
  return Uint8Array.of(...bytes, length);
};
const framed = (body: Uint8Array) => Buffer.concat([varint(body.byteLength), body]);
const request = (value: unknown) => framed(dagCbor.encode(value));

const ANY_PROTOCOL: [string, Uint8Array, boolean, ErrorCode][] = [
  ['a length of 2^40', varint(2 ** 40), false, 'MessageTooLarge'],
  ['a length past the limit', varint(2 * MIB), false, 'MessageTooLarge'],
  ['a length that never ends', new Uint8Array(64).fill(0x80), false, 'MessageTooLarge'],
  ['a frame cut short', Buffer.concat([varint(100), new Uint8Array(10)]), true, 'MessageMalformed'],
  ['half a length', Uint8Array.of(0x80), true, 'MessageMalformed'],
];

async function expectHonestPeersServed(): Promise<void> {
  const { contentId } = await net.content(provider, MIB, `honest-${Math.random()}.bin`);
  const viewer = await net.peer();
  await fetchWhole(viewer, contentId);
  await viewer.stop();
}

describe(PIECES_PROTOCOL, () => {
  it.each<[string, Uint8Array, boolean, ErrorCode]>([
    ...ANY_PROTOCOL,
    ['an empty frame', framed(new Uint8Array(0)), false, 'MessageMalformed'],
    ['an unknown type', framed(Uint8Array.of(99, 1, 2)), false, 'MessageMalformed'],
    ['a greeting that is no CBOR', framed(Uint8Array.of(0, 255, 255)), false, 'MessageMalformed'],
    [
      'a certificate that is noise',
      framed(Buffer.concat([Uint8Array.of(0), dagCbor.encode([new Uint8Array(200)])])),
      false,
      'InvalidCertificate',
    ],
    [
      'a request before the greeting',
      framed(Buffer.concat([Uint8Array.of(4), dagCbor.encode([1, 'x', 0])])),
      false,
      'MessageUnexpected',
    ],
    ['nothing at all', new Uint8Array(0), false, 'RequestTimeout'],
    [
      'a frame that never comes whole',
      Buffer.concat([varint(100), new Uint8Array(10)]),
      false,
      'RequestTimeout',
    ],
  ])('ends a stream with %s by name', async (_what, bytes, end, code) => {
    const before = provider.warnings.length;
    expect(await write('provider', PIECES_PROTOCOL, bytes, end)).not.toBe('open');
    await waitFor('the provider names it', () => provider.warnings.length > before);
    expect(provider.warnings.slice(before).map((w) => w.code)).toEqual([code]);
  });

  it('ends the stream of a viewer that breaks the rules while a window of pieces is on its way to it', async () => {
    const { contentId } = await net.content(provider, 20 * MIB, 'unread.bin');
    const viewer = await RawViewer.start(net);
    const channel = await viewer.lease(provider, 20);
    const stream = await viewer.open(provider, channel);
    for (let i = 0; i < 7; i++) {
      stream.request(contentId, i);
      await stream.takePiece();
      stream.pay(channel, i + 1);
    }
    // A window of 8 units: more than the pipe takes while nobody reads.
    stream.frames.stream.pause();
    for (let i = 7; i < 15; i++) stream.request(contentId, i);
    await standsStill('what was sent', () => provider.meter.totals().upBytes);
    const before = provider.warnings.length;
    stream.sendFrame(Uint8Array.of(99));
    await waitFor('the provider names it', () => provider.warnings.length > before);
    expect(provider.warnings.at(-1)?.code).toBe('MessageMalformed');
  });

  it('still serves honest peers', expectHonestPeersServed);
});

describe(TRANSPORT_PROTOCOL, () => {
  it.each<[string, Uint8Array, boolean, ErrorCode]>([
    ...ANY_PROTOCOL,
    ['a content id of 200 characters', framed(new Uint8Array(200).fill(97)), false, 'MessageTooLarge'],
  ])('ends a stream with %s by name', async (_what, bytes, end, code) => {
    const before = provider.warnings.length;
    expect(await write('provider', TRANSPORT_PROTOCOL, bytes, end)).not.toBe('open');
    await waitFor('the provider names it', () => provider.warnings.length > before);
    expect(provider.warnings.slice(before).map((w) => w.code)).toEqual([code]);
  });

  it('still serves honest peers', expectHonestPeersServed);
});

describe(SHARD_PROTOCOL, () => {
  it.each<[string, Uint8Array, boolean, ErrorCode]>([
    ...ANY_PROTOCOL,
    ['an empty frame', framed(new Uint8Array(0)), false, 'MessageMalformed'],
    ['noise', framed(Uint8Array.of(255, 0, 1)), false, 'MessageMalformed'],
    ['a list for a request', request([1, 2, 3]), false, 'MessageMalformed'],
    ['a request without an id', request({ method: 'hello', params: {} }), false, 'MessageMalformed'],
    [
      'more channels than one request may ask for',
      request({
        id: 1,
        method: 'channels',
        params: { channelIds: Array.from({ length: 501 }, () => new Uint8Array(32)) },
      }),
      false,
      'MessageMalformed',
    ],
    [
      'a channel id of 31 bytes',
      request({ id: 1, method: 'channels', params: { channelIds: [new Uint8Array(31)] } }),
      false,
      'MessageMalformed',
    ],
    ['an unknown method', request({ id: 1, method: 'format', params: {} }), false, 'MessageUnexpected'],
    ['a method of Object', request({ id: 1, method: 'toString', params: {} }), false, 'MessageUnexpected'],
    [
      'the wrong parameters',
      request({ id: 1, method: 'account', params: { address: 7 } }),
      false,
      'MessageMalformed',
    ],
    [
      'an address in capitals',
      request({ id: 1, method: 'account', params: { address: `0x${'AB'.repeat(20)}` } }),
      false,
      'MessageMalformed',
    ],
    [
      'a negative amount',
      request({ id: 1, method: 'faucet', params: { account: `0x${'ab'.repeat(20)}`, amountXat: -5 } }),
      false,
      'MessageMalformed',
    ],
    [
      'a lease of noise',
      request({
        id: 1,
        method: 'lease',
        params: {
          terms: new Uint8Array(9),
          termsSignature: new Uint8Array(64),
          certificate: new Uint8Array(9),
        },
      }),
      false,
      'MessageMalformed',
    ],
  ])('ends a stream with %s by name', async (_what, bytes, end, code) => {
    const before = net.validatorErrors().length;
    expect(await write('validator', SHARD_PROTOCOL, bytes, end)).not.toBe('open');
    await waitFor('the validator names it', () => net.validatorErrors().length > before);
    expect(net.validatorErrors().slice(before)).toEqual([code]);
  });

  it('still serves honest peers', expectHonestPeersServed);
});
