/**
 * Length-prefixed frames over one libp2p stream.
 *
 * Memory is bounded on both sides: a frame longer than the protocol allows is refused before it is buffered, and a
 * reader that falls behind pauses the stream, so the peer's window fills instead of our heap.
 */
import { setImmediate } from 'node:timers/promises';
import type { Stream } from '@libp2p/interface';
import { varint } from 'multiformats';
import { Uint8ArrayList } from 'uint8arraylist';
import { AceError } from '../../shared/errors.ts';

export interface FrameLimits {
  /** Longest frame that is read. */
  readonly maxFrameBytes: number;
  /** Frames wait unread up to this many bytes; then the stream is paused. */
  readonly maxBufferedBytes: number;
  /** A served stream whose first message does not come in this time is reset; left out: `FIRST_MESSAGE_MS`. */
  readonly firstMessageMs?: number;
  /** A served stream that carries nothing for so long is reset; left out: `STREAM_IDLE_MS`. */
  readonly idleMs?: number;
}

/** Bytes of one message; a large one may lie in several buffers. */
export type Frame = Uint8Array | Uint8ArrayList;

interface Waiter {
  resolve(frame: Frame | null): void;
  reject(error: unknown): void;
}

const MAX_PREFIX_BYTES = 4;
/** Who does not take a stream's end in this time has it reset. */
const CLOSE_MS = 2_000;
/** What a peer may send ahead on one stream. A reader that pauses may get all of it, and what an update overtook. */
export const MAX_STREAM_WINDOW_BYTES = 4 * 1_048_576;
/** A peer that leaves its window full this long is given up. */
const WRITE_TIMEOUT_MS = 30_000;
/** What is on the wire before a peer's reset arrives is still read; this bounds a peer that ignores our pause. */
const OVERFLOW_FACTOR = 4;
/** Frames that one reader takes before others go on. */
const FRAMES_PER_TURN = 16;
/** Counted for each waiting frame beside its bytes, so that a flood of tiny ones is bounded too. */
const FRAME_COST_BYTES = 256;
/** From here on a frame is not made contiguous. */
const LARGE_FRAME_BYTES = 16_384;

export class FrameStream {
  readonly stream: Stream;
  readonly #limits: FrameLimits;
  readonly #received = new Uint8ArrayList();
  readonly #frames: Frame[] = [];
  #queuedBytes = 0;
  #readInARow = 0;
  #paused = false;
  #resuming = false;
  #waiter: Waiter | null = null;
  /** Why no more frames come: `null` is a clean end. */
  #end: { readonly error: unknown } | null = null;
  readonly #onFrame: (() => void) | null;
  /** When a message came or went last. */
  #movedAtMs = performance.now();
  #hasCome = false;
  #silence: NodeJS.Timeout | null = null;
  #wasSilent = false;

  /** @param onFrame hears of each message that has come whole */
  constructor(stream: Stream, limits: FrameLimits, onFrame: (() => void) | null = null) {
    this.stream = stream;
    this.#limits = limits;
    this.#onFrame = onFrame;
    // The muxer's own limits must not be the ones that bite first.
    stream.maxReadBufferLength = Math.max(
      stream.maxReadBufferLength,
      limits.maxBufferedBytes * OVERFLOW_FACTOR,
      2 * MAX_STREAM_WINDOW_BYTES,
    );
    stream.addEventListener('message', (event) => this.#onData(event.data));
    // Not 'remoteCloseWrite': what the peer sent before it closed may still wait behind our pause.
    stream.addEventListener('end', () => {
      // A reset ends the stream too; its error comes with 'close'.
      if (stream.status !== 'reset' && stream.status !== 'aborted') this.#finish(null);
    });
    stream.addEventListener('close', (event) => this.#finish(event.error ?? null));
  }

  /**
   * The next frame, or `null` when the peer has ended the stream.
   * @throws AceError `PeerClosed`, `MessageTooLarge`, `RequestTimeout` (only with `timeoutMs`)
   */
  async read(timeoutMs?: number): Promise<Frame | null> {
    const frame = this.#frames.shift();
    if (frame) {
      // A reader that always finds the next frame would keep everybody else from going on.
      if (++this.#readInARow % FRAMES_PER_TURN === 0) await setImmediate();
      this.#queuedBytes -= frame.byteLength + FRAME_COST_BYTES;
      if (this.#paused && this.#queuedBytes < this.#limits.maxBufferedBytes / 2) {
        this.#resume();
      }
      return frame;
    }
    if (this.#end) {
      if (this.#end.error === null) return null;
      throw this.#end.error;
    }
    return new Promise((resolve, reject) => {
      const timer =
        timeoutMs === undefined
          ? undefined
          : setTimeout(() => {
              this.#waiter = null;
              reject(
                new AceError('RequestTimeout', `The peer was silent for ${timeoutMs} ms`, {
                  reaction: 'drop-peer',
                }),
              );
            }, timeoutMs);
      this.#waiter = {
        resolve: (value) => {
          clearTimeout(timer);
          resolve(value);
        },
        reject: (error) => {
          clearTimeout(timer);
          reject(error);
        },
      };
    });
  }

  /**
   * From now on the stream is reset when its first message does not come, and when nothing comes or goes, for so long.
   * Only while this side waits for the peer: what is still worked on here is not the peer's silence.
   */
  resetWhenSilent({ firstMs, idleMs }: { readonly firstMs: number; readonly idleMs: number }): void {
    const look = () => {
      if (this.#end) return;
      const allowedMs = this.#hasCome ? idleMs : firstMs;
      const silentMs = this.#waiter ? performance.now() - this.#movedAtMs : 0;
      if (silentMs < allowedMs) {
        this.#silence = setTimeout(look, allowedMs - silentMs);
        this.#silence.unref();
        return;
      }
      this.#wasSilent = true;
      this.abort(new AceError('RequestTimeout', `The peer was silent for ${Math.round(silentMs)} ms`));
    };
    look();
  }

  /** Whether it was reset because of that. */
  get wasSilent(): boolean {
    return this.#wasSilent;
  }

  /**
   * Lets the peer send so much ahead from the start, as far as the stream's own limit goes. Yamux begins with 256 KiB and
   * widens as data flows: on a long way the first piece would take a round trip for each of its quarters.
   */
  widen(bytes: number): void {
    if (!isWindowed(this.stream)) return;
    const wanted = Math.min(bytes, this.stream.maxStreamWindowSize);
    if (this.stream.recvWindow >= wanted) return;
    this.stream.recvWindow = wanted;
    this.stream.sendWindowUpdate();
  }

  /** Hands frames to the stream. The answer is the number of bytes that go on the wire. @throws AceError `PeerClosed` */
  send(...frames: (Uint8Array | Uint8ArrayList<ArrayBufferLike>)[]): number {
    const list = new Uint8ArrayList<ArrayBufferLike>();
    for (const frame of frames) {
      list.append(varint.encodeTo(frame.byteLength, new Uint8Array(varint.encodingLength(frame.byteLength))));
      list.append(frame);
    }
    if (this.stream.status !== 'open' || this.stream.writeStatus !== 'writable') {
      throw new AceError('PeerClosed', 'The peer has closed the stream');
    }
    this.#movedAtMs = performance.now();
    this.stream.send(list);
    return list.byteLength;
  }

  /** Waits until the stream takes more. @throws AceError `PeerClosed`, `RequestTimeout` when the peer reads nothing */
  async writable(timeoutMs = WRITE_TIMEOUT_MS): Promise<void> {
    // A stream that has drained may be full again at once.
    while (this.stream.writableNeedsDrain) await this.#drained(timeoutMs);
  }

  async #drained(timeoutMs: number): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const drained = () => resolve();
    const closed = () => reject(new AceError('PeerClosed', 'The peer has closed the stream'));
    const timer = setTimeout(
      () =>
        reject(
          new AceError('RequestTimeout', 'The peer does not read what it asked for', {
            reaction: 'drop-peer',
          }),
        ),
      timeoutMs,
    );
    this.stream.addEventListener('drain', drained, { once: true });
    this.stream.addEventListener('close', closed, { once: true });
    try {
      await promise;
    } finally {
      clearTimeout(timer);
      this.stream.removeEventListener('drain', drained);
      this.stream.removeEventListener('close', closed);
    }
  }

  async close(): Promise<void> {
    try {
      await this.stream.close({ signal: AbortSignal.timeout(CLOSE_MS) });
    } catch (error) {
      this.stream.abort(error instanceof Error ? error : new Error('close timed out'));
    }
  }

  abort(error: Error): void {
    this.#finish(error);
    this.stream.abort(error);
  }

  #onData(data: Uint8Array | Uint8ArrayList): void {
    if (this.#end) return;
    this.#received.append(data);
    try {
      for (let frame = this.#takeFrame(); frame; frame = this.#takeFrame()) this.#deliver(frame);
    } catch (error) {
      this.abort(error as AceError);
      return;
    }
    if (!this.#resuming) this.#pauseWhenFull();
  }

  #pauseWhenFull(): void {
    if (this.#paused || this.#end || this.#queuedBytes <= this.#limits.maxBufferedBytes) return;
    this.#paused = true;
    this.stream.pause();
  }

  /**
   * Resuming hands over what has waited, at once, and only then opens the peer's window: a pause in between would be
   * undone by that, and the peer never held back again.
   */
  #resume(): void {
    this.#paused = false;
    if (this.stream.readStatus !== 'paused') return; // it has ended meanwhile; what was read is still here
    this.#resuming = true;
    this.stream.resume();
    this.#resuming = false;
    this.#pauseWhenFull();
  }

  #takeFrame(): Frame | null {
    const available = this.#received.byteLength;
    if (available === 0) return null;
    const head = this.#received.subarray(0, Math.min(MAX_PREFIX_BYTES, available));
    const prefixBytes = head.findIndex((byte) => byte < 0x80) + 1;
    if (prefixBytes === 0) {
      if (available < MAX_PREFIX_BYTES) return null;
      throw tooLarge(this.#limits.maxFrameBytes);
    }
    const [length] = varint.decode(head);
    if (length > this.#limits.maxFrameBytes) throw tooLarge(this.#limits.maxFrameBytes);
    if (available < prefixBytes + length) return null;
    // A large frame stays in the buffers it came in: its reader copies it once, to where it belongs.
    const part = this.#received.sublist(prefixBytes, prefixBytes + length);
    const frame = length < LARGE_FRAME_BYTES ? part.slice() : part;
    this.#received.consume(prefixBytes + length);
    return frame;
  }

  #deliver(frame: Frame): void {
    this.#hasCome = true;
    this.#movedAtMs = performance.now();
    this.#onFrame?.();
    if (this.#waiter) {
      const waiter = this.#waiter;
      this.#waiter = null;
      waiter.resolve(frame);
      return;
    }
    this.#frames.push(frame);
    this.#queuedBytes += frame.byteLength + FRAME_COST_BYTES;
  }

  #finish(error: unknown): void {
    if (this.#end) return;
    if (this.#silence) clearTimeout(this.#silence);
    const broken =
      error === null && this.#received.byteLength > 0
        ? new AceError('MessageMalformed', 'The stream ended inside a message', { reaction: 'drop-peer' })
        : error;
    this.#end = {
      error:
        broken === null || broken instanceof AceError
          ? broken
          : new AceError('PeerClosed', 'The connection to the peer broke', { cause: broken }),
    };
    const waiter = this.#waiter;
    this.#waiter = null;
    if (!waiter) return;
    if (this.#end.error === null) waiter.resolve(null);
    else waiter.reject(this.#end.error);
  }
}

/** A Yamux stream, as far as its window goes. */
interface Windowed {
  recvWindow: number;
  readonly maxStreamWindowSize: number;
  sendWindowUpdate(): void;
}

function isWindowed(stream: object): stream is Windowed {
  return 'recvWindow' in stream && 'maxStreamWindowSize' in stream && 'sendWindowUpdate' in stream;
}

function tooLarge(maxBytes: number): AceError {
  return new AceError('MessageTooLarge', `A message is longer than ${maxBytes} bytes`, {
    reaction: 'drop-peer',
  });
}
