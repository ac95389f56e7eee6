import { setTimeout as delay } from 'node:timers/promises';
import type { Libp2p, Stream } from '@libp2p/interface';
import { Uint8ArrayList } from 'uint8arraylist';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type FrameLimits, FrameStream } from '../../../../main/p2p/frames.ts';
import { createHost } from '../../../../main/p2p/host.ts';
import { expectAceError, expectAceRejection } from '../../../helpers/ace-error.ts';
import { waitFor } from '../../../helpers/wait.ts';

const PROTOCOL = '/test/frames/1';
const LIMITS: FrameLimits = { maxFrameBytes: 100_000, maxBufferedBytes: 1_000_000 };
/** From here on the library leaves a frame in the buffers that it came in. */
const LARGE_FRAME_BYTES = 16_384;

let [sender, receiver]: Libp2p[] = [];
let accept: (stream: Stream) => void = () => {};

beforeAll(async () => {
  const listen = ['/ip4/127.0.0.1/tcp/0'];
  sender = await createHost({ deviceSeed: new Uint8Array(32).fill(1), listen });
  receiver = await createHost({ deviceSeed: new Uint8Array(32).fill(2), listen });
  await receiver.handle(PROTOCOL, (stream) => accept(stream));
});

afterAll(async () => {
  await Promise.all([sender?.stop(), receiver?.stop()]);
});

interface Pair {
  /** The end that the test writes to, without frames. */
  readonly raw: Stream;
  readonly frames: FrameStream;
  /** Bytes that the receiving end was handed. */
  readonly arrived: () => number;
  /** Sends these bytes as they are and waits until all of them were handed over. */
  push(bytes: Uint8Array): Promise<void>;
}

/** Both ends of one stream over loopback. */
async function pair(limits: FrameLimits = LIMITS): Promise<Pair> {
  if (!sender || !receiver) throw new Error('No hosts');
  const accepted = new Promise<Stream>((resolve) => {
    accept = resolve;
  });
  const connection = await sender.dial(receiver.getMultiaddrs());
  const raw = await connection.newStream(PROTOCOL);
  const stream = await accepted;
  const frames = new FrameStream(stream, limits);
  let arrivedBytes = 0;
  let pushedBytes = 0;
  let onArrival = () => {};
  stream.addEventListener('message', (event) => {
    arrivedBytes += event.data.byteLength;
    onArrival();
  });
  return {
    raw,
    frames,
    arrived: () => arrivedBytes,
    async push(bytes) {
      raw.send(bytes);
      pushedBytes += bytes.byteLength;
      while (arrivedBytes < pushedBytes) {
        await new Promise<void>((resolve) => {
          onArrival = resolve;
        });
      }
    },
  };
}

/** The length prefix of a frame. */
function prefix(length: number): Uint8Array {
  const bytes: number[] = [];
  for (let rest = length; ; rest >>>= 7) {
    if (rest < 0x80) return Uint8Array.from([...bytes, rest]);
    bytes.push((rest & 0x7f) | 0x80);
  }
}

function framed(...frames: Uint8Array[]): Uint8Array {
  return Buffer.concat(frames.flatMap((frame) => [prefix(frame.byteLength), frame]));
}

/** So many bytes, none of them a run that could hide a shift. */
const body = (length: number, seed = 1) => Uint8Array.from({ length }, (_, i) => (i * 31 + seed * 17) & 0xff);

const bytesOf = (frame: Uint8Array | Uint8ArrayList | null) => frame && Buffer.from(frame.subarray());

describe('FrameStream', () => {
  it.each([0, 1, 127, 128, LARGE_FRAME_BYTES - 1, LARGE_FRAME_BYTES, LIMITS.maxFrameBytes])(
    'carries a frame of %i bytes both ways',
    async (length) => {
      const { raw, frames } = await pair();
      const other = new FrameStream(raw, LIMITS);
      expect(other.send(body(length))).toBe(prefix(length).byteLength + length);
      expect(bytesOf(await frames.read())).toEqual(Buffer.from(body(length)));
      frames.send(new Uint8ArrayList(body(length, 2)), body(3));
      expect(bytesOf(await other.read())).toEqual(Buffer.from(body(length, 2)));
      expect(bytesOf(await other.read())).toEqual(Buffer.from(body(3)));
      raw.abort(new Error('done'));
    },
  );

  it('reads the same frames wherever the bytes are cut', async () => {
    const { raw, frames, push } = await pair();
    const sent = [body(0), body(1), body(200), body(2)];
    const bytes = framed(...sent);
    for (let cut = 1; cut < bytes.byteLength; cut++) {
      await push(bytes.subarray(0, cut));
      await push(bytes.subarray(cut));
      for (const frame of sent) {
        expect(bytesOf(await frames.read(1_000)), `cut at ${cut}`).toEqual(Buffer.from(frame));
      }
    }
    raw.abort(new Error('done'));
  });

  it('reads frames that come byte by byte', async () => {
    const { raw, frames, push } = await pair();
    const read = frames.read(5_000);
    for (const byte of framed(body(150))) await push(Uint8Array.of(byte));
    expect(bytesOf(await read)).toEqual(Buffer.from(body(150)));
    raw.abort(new Error('done'));
  });

  it('refuses a frame above the limit by its prefix alone', async () => {
    const { raw, frames } = await pair();
    raw.send(prefix(LIMITS.maxFrameBytes + 1));
    const error = await expectAceRejection('MessageTooLarge', frames.read(5_000));
    expect(error.reaction).toBe('drop-peer');
    expect(frames.stream.status).not.toBe('open');
  });

  it('refuses a prefix that does not end', async () => {
    const { raw, frames } = await pair();
    raw.send(Uint8Array.from([0x80, 0x80, 0x80, 0x80]));
    await expectAceRejection('MessageTooLarge', frames.read(5_000));
  });

  it('gives what came before a frame that is too large, then the refusal', async () => {
    const { frames, push } = await pair();
    await push(Buffer.concat([framed(body(5)), prefix(LIMITS.maxFrameBytes + 1)]));
    expect(bytesOf(await frames.read())).toEqual(Buffer.from(body(5)));
    await expectAceRejection('MessageTooLarge', frames.read());
  });

  it.each([
    ['inside the prefix', Uint8Array.of(0x80)],
    ['before the body', prefix(10)],
    ['inside the body', framed(body(10)).subarray(0, 8)],
  ])('names a stream that ends %s', async (_what, bytes) => {
    const { raw, frames } = await pair();
    raw.send(bytes);
    await raw.close();
    const error = await expectAceRejection('MessageMalformed', frames.read(5_000));
    expect(error.reaction).toBe('drop-peer');
  });

  it('gives every frame of a stream that ended, then null for ever', async () => {
    const { raw, frames } = await pair();
    raw.send(framed(body(1), body(20_000)));
    await raw.close();
    expect(bytesOf(await frames.read())).toHaveLength(1);
    expect(bytesOf(await frames.read())).toHaveLength(20_000);
    expect(await frames.read(5_000)).toBeNull();
    expect(await frames.read(5_000)).toBeNull();
  });

  it('tells a waiting reader that the peer broke the stream', async () => {
    const { raw, frames } = await pair();
    const read = frames.read(5_000);
    raw.abort(new Error('gone'));
    await expectAceRejection('PeerClosed', read);
    await expectAceRejection('PeerClosed', frames.read());
    expectAceError('PeerClosed', () => frames.send(body(1)));
  });

  it('ends a wait in time, and the late frame is not lost', async () => {
    const { raw, frames } = await pair();
    expect((await expectAceRejection('RequestTimeout', frames.read(20))).reaction).toBe('drop-peer');
    raw.send(framed(body(9)));
    expect(bytesOf(await frames.read(5_000))).toEqual(Buffer.from(body(9)));
    raw.abort(new Error('done'));
  });

  it('holds back a peer that sends more than is read, and loses nothing', async () => {
    const limits = { maxFrameBytes: 64_000, maxBufferedBytes: 256_000 };
    const { raw, frames, arrived } = await pair(limits);
    const other = new FrameStream(raw, limits);
    const count = 800;
    let sent = 0;
    const sending = (async () => {
      for (; sent < count; sent++) {
        await other.writable();
        const frame = body(64_000);
        new DataView(frame.buffer).setUint32(0, sent);
        other.send(frame);
      }
    })();
    await waitFor('the reader is full', () => frames.stream.readStatus === 'paused');
    let before = -1;
    await waitFor('the sender stands still', async () => {
      const still = sent === before;
      before = sent;
      await delay(100);
      return still;
    });
    expect(sent).toBeLessThan(count / 2);
    // What was taken in one go may go beyond the limit by one read of the socket, no more.
    expect(arrived()).toBeLessThan(limits.maxBufferedBytes * 2);
    for (let i = 0; i < count; i++) {
      const frame = bytesOf(await frames.read(5_000));
      expect(frame).toHaveLength(64_000);
      expect(frame?.readUInt32BE(0)).toBe(i);
    }
    await sending;
    raw.abort(new Error('done'));
  });

  it('pauses for a flood of empty frames as well, and goes on when they are read', async () => {
    const { raw, frames } = await pair({ maxFrameBytes: 1_000, maxBufferedBytes: 25_600 });
    const flood = 2_000;
    for (let i = 0; i < flood / 50; i++) {
      raw.send(new Uint8Array(50));
      await delay(1);
    }
    await waitFor('the reader is full', () => frames.stream.readStatus === 'paused');
    for (let i = 0; i < flood; i++) expect((await frames.read(5_000))?.byteLength).toBe(0);
    expect(frames.stream.readStatus).toBe('readable');
    raw.abort(new Error('done'));
  });

  it('lets a writer wait for room, and says when the peer is gone instead', async () => {
    const { raw, frames } = await pair({ maxFrameBytes: 64_000, maxBufferedBytes: 64_000 });
    const other = new FrameStream(raw, LIMITS);
    await expectAceRejection(
      'PeerClosed',
      (async () => {
        for (;;) {
          if (raw.writableNeedsDrain) setTimeout(() => frames.abort(new Error('gone')), 20);
          await other.writable();
          other.send(body(60_000));
        }
      })(),
    );
  });
});
