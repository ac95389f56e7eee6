/** Has every stream of this process carry its bytes in pieces that have nothing to do with its messages: cut and joined anywhere. */
import type { Stream } from '@libp2p/interface';
import { onTestFinished } from 'vitest';

interface Streams {
  send(data: Uint8Array | { subarray(): Uint8Array }): boolean;
  close(options?: object): Promise<void>;
}

export interface CutStreams {
  /** By protocol: what was said, and what went out, in pieces. */
  readonly said: ReadonlyMap<string, number>;
  readonly sent: ReadonlyMap<string, number>;
}

const SIZES_BYTES = [1, 2, 3, 5, 17, 1_000, 65_537];

/** From now on, until the test ends. `stream` is any: the others are of the same class. */
export function cutStreams(stream: Stream, seed: number): CutStreams {
  const random = randomFrom(seed);
  const said = new Map<string, number>();
  const sent = new Map<string, number>();
  const count = (of: Map<string, number>, stream: Partial<Stream>) => {
    // Until both sides have agreed on one there is none.
    const { protocol = '' } = stream;
    of.set(protocol, (of.get(protocol) ?? 0) + 1);
  };
  const streams = ownerOf(stream, 'send');
  const { send } = streams;
  const closing = ownerOf(stream, 'close');
  const { close } = closing;
  const held = new Map<Stream, Uint8Array>();

  const flush = (one: Stream) => {
    const rest = held.get(one);
    held.delete(one);
    if (rest && one.writeStatus === 'writable') send.call(one, rest);
  };
  streams.send = function (this: Stream, data) {
    count(said, this);
    let rest: Uint8Array = Buffer.concat([held.get(this) ?? new Uint8Array(0), data.subarray()]);
    held.delete(this);
    let isWritable = true;
    while (rest.byteLength > 0) {
      const size = SIZES_BYTES[Math.floor(random() * SIZES_BYTES.length)] ?? 1;
      // The last piece may wait for what is said next, and go out as one with it.
      if (size >= rest.byteLength && random() < 0.5) break;
      isWritable = send.call(this, rest.subarray(0, size));
      count(sent, this);
      rest = rest.subarray(size);
    }
    if (rest.byteLength > 0) {
      held.set(this, rest);
      setTimeout(() => flush(this), 1);
    }
    return isWritable;
  };
  closing.close = function (this: Stream, options) {
    flush(this);
    return close.call(this, options);
  };
  onTestFinished(() => {
    Object.assign(streams, { send });
    Object.assign(closing, { close });
  });
  return { said, sent };
}

/** The prototype that has the method of its own. */
function ownerOf(stream: Stream, method: 'send' | 'close'): Streams {
  let owner: object = stream;
  while (!Object.hasOwn(owner, method)) owner = Object.getPrototypeOf(owner);
  return owner as Streams;
}

/** Mulberry32: the same numbers for the same seed. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
