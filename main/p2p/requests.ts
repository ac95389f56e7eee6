/**
 * Requests, answers and events over one frame stream, dag-cbor maps inside. A node's line to its shard.
 *
 * An error crosses as its code and figures only: the other side words it for its own user, and no local text leaks.
 */
import { setTimeout as delay } from 'node:timers/promises';
import * as dagCbor from '@ipld/dag-cbor';
import { hasAtMostItems, MAX_ANSWER_ITEMS, MAX_REQUEST_ITEMS } from '../../shared/bounded-cbor.ts';
import { AceError, type ErrorCode } from '../../shared/errors.ts';
import type { Frame, FrameStream } from './frames.ts';

export type Plain = null | boolean | number | bigint | string | Uint8Array | readonly Plain[] | PlainMap;
export interface PlainMap {
  readonly [key: string]: Plain;
}

interface Pending {
  resolve(result: unknown): void;
  reject(error: unknown): void;
  timer: NodeJS.Timeout;
}

/** As long as a busy shard or a bad line may take. */
const REQUEST_TIMEOUT_MS = 15_000;
/** Requests of one stream that wait for their answers: beyond that the other side is not answering. */
const MAX_PENDING_REQUESTS = 256;

/** The asking side. It owns the stream's reading end. */
export class RequestClient {
  readonly #frames: FrameStream;
  readonly #pending = new Map<number, Pending>();
  readonly #onEvent: (name: string, data: unknown) => void;
  #nextId = 1;
  /** Why the line is down, once it is. */
  #down: { readonly reason: unknown } | null = null;
  /** Settles when the line is down, with the reason. */
  readonly closed: Promise<unknown>;

  constructor(frames: FrameStream, onEvent: (name: string, data: unknown) => void) {
    this.#frames = frames;
    this.#onEvent = onEvent;
    this.closed = this.#run();
  }

  /** @throws AceError with the other side's code, `RequestTimeout`, `PeerClosed` */
  request(method: string, params: PlainMap): Promise<unknown> {
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      // The stream may still take what nobody will answer.
      if (this.#down) {
        reject(this.#down.reason);
        return;
      }
      if (this.#pending.size >= MAX_PENDING_REQUESTS) {
        reject(new AceError('TooManyRequests', 'Too many requests are waiting for the shard'));
        return;
      }
      const timer = setTimeout(() => {
        this.#pending.delete(id);
        reject(new AceError('RequestTimeout', `No answer to "${method}" in ${REQUEST_TIMEOUT_MS} ms`));
      }, REQUEST_TIMEOUT_MS);
      this.#pending.set(id, { resolve, reject, timer });
      try {
        this.#frames.send(dagCbor.encode({ id, method, params }));
      } catch (error) {
        this.#pending.delete(id);
        clearTimeout(timer);
        reject(error);
      }
    });
  }

  close(): Promise<void> {
    return this.#frames.close();
  }

  async #run(): Promise<unknown> {
    let reason: unknown = new AceError('PeerClosed', 'The shard ended the connection');
    try {
      for (let frame = await this.#frames.read(); frame; frame = await this.#frames.read())
        this.#onFrame(frame);
    } catch (error) {
      reason = error;
      if (this.#frames.stream.status === 'open') this.#frames.abort(error as Error);
    }
    this.#down = { reason };
    for (const { reject, timer } of this.#pending.values()) {
      clearTimeout(timer);
      reject(reason);
    }
    this.#pending.clear();
    return reason;
  }

  #onFrame(frame: Frame): void {
    const message = decodeMap(frame, MAX_ANSWER_ITEMS);
    if (typeof message.event === 'string') {
      this.#onEvent(message.event, message.data);
      return;
    }
    const pending = this.#pending.get(message.id as number);
    if (!pending) return; // its time was up
    this.#pending.delete(message.id as number);
    clearTimeout(pending.timer);
    if ('result' in message) pending.resolve(message.result);
    else pending.reject(remoteError(message.error));
  }
}

export type RequestHandler = (method: string, params: unknown) => Promise<PlainMap>;

/** What one peer may ask for; see `PeerLimits`. */
export interface RequestLimit {
  take(sizeBytes: number): { readonly retryAfterMs: number };
  charge(sizeBytes: number): void;
}

/** A refusal waits no longer than this before it goes out. */
const MAX_REFUSAL_DELAY_MS = 1_000;

/**
 * The answering side: runs until the peer ends the stream. One request at a time per stream bounds the work. A request
 * past the limit is refused with `TooManyRequests`, `retryAfterMs` in its details, after that time has passed, before
 * anything of it is read: a flood waits for itself.
 */
export async function serveRequests(
  frames: FrameStream,
  handle: RequestHandler,
  onError: (error: unknown) => void,
  limit?: RequestLimit,
): Promise<void> {
  for (let frame = await frames.read(); frame; frame = await frames.read()) {
    const retryAfterMs = limit?.take(frame.byteLength).retryAfterMs ?? 0;
    // Nobody waits for this timer: it ends by itself within a second, and a stream that has closed reports it then.
    if (retryAfterMs > 0) {
      await delay(Math.min(retryAfterMs, MAX_REFUSAL_DELAY_MS), null, { ref: false });
    }
    const { id, method, params } = decodeMap(frame, MAX_REQUEST_ITEMS);
    if (typeof id !== 'number' || typeof method !== 'string') throw malformed();
    let answer: PlainMap;
    try {
      if (retryAfterMs > 0) throw tooMany(retryAfterMs);
      answer = { id, result: await handle(method, params) };
    } catch (error) {
      const known =
        error instanceof AceError ? error : new AceError('Internal', 'A request failed', { cause: error });
      answer = { id, error: { code: known.code, details: { ...known.details } } };
      if (known.reaction === 'drop-peer') {
        frames.send(dagCbor.encode(answer));
        throw known;
      }
      if (known.code === 'Internal' || known.reaction === 'stop') onError(error);
    }
    const sentBytes = frames.send(dagCbor.encode(answer));
    limit?.charge(sentBytes);
    await frames.writable();
  }
}

function tooMany(retryAfterMs: number): AceError {
  return new AceError('TooManyRequests', 'The peer asks for more than one peer may', {
    details: { retryAfterMs },
  });
}

/** Tells the asking side something it did not ask for. */
export function sendEvent(frames: FrameStream, event: string, data: PlainMap): void {
  frames.send(dagCbor.encode({ event, data }));
}

/** Words for the errors that a peer or a shard may answer with. */
const REMOTE_TEXTS: Partial<Record<ErrorCode, string>> = {
  CreditExhausted: 'The credit is used up and there are no funds: top up to go on',
  ChannelUnleased: 'The provider does not accept an unleased channel',
  DeviceDisputed:
    'The shard gives this device no new lease: two records that it signed contradict each other',
  ClockWrong: 'The shard’s clock is wrong: it goes on when that is right again',
  ContentUnknown: 'The peer does not have this content',
  FundsReserved: 'These funds stand behind open channels or a loan: stop what plays, or try again later',
  InsufficientFunds: 'The funds do not cover it',
  ShardUnavailable: 'The shard cannot reach the main chain now: try again later',
  TooManyRequests: 'The peer asks to slow down',
};

/** An error as it came over the wire. */
export function remoteError(value: unknown): AceError {
  const { code, details } = (value ?? {}) as { code?: ErrorCode; details?: Record<string, string | number> };
  if (typeof code !== 'string' || !/^[A-Za-z]{1,40}$/.test(code)) return malformed();
  return new AceError(code, REMOTE_TEXTS[code] ?? `The other side refused: ${code}`, {
    details: details ?? {},
  });
}

function decodeMap(frame: Frame, maxItems: number): Record<string, unknown> {
  const bytes = frame.subarray();
  if (!hasAtMostItems(bytes, maxItems)) throw malformed();
  let value: unknown;
  try {
    value = dagCbor.decode(bytes);
  } catch (cause) {
    throw malformed(cause);
  }
  if (value === null || typeof value !== 'object' || Array.isArray(value)) throw malformed();
  return value as Record<string, unknown>;
}

function malformed(cause?: unknown): AceError {
  return new AceError('MessageMalformed', 'The peer sent a malformed message', {
    reaction: 'drop-peer',
    cause,
  });
}
