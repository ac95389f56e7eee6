/**
 * A node's line to its home shard: one stream, kept open, opened again when it breaks. Calls made while it is down
 * fail at once with `ShardUnavailable`, so that nothing waits in the dark.
 */
import type { Libp2p } from '@libp2p/interface';
import type { Multiaddr } from '@multiformats/multiaddr';
import type { z } from 'zod';
import { AceError } from '../../../../shared/errors.ts';
import { openStream } from '../../host.ts';
import { type PlainMap, RequestClient } from '../../requests.ts';
import { SHARD_LIMITS, SHARD_PROTOCOL } from './constants.ts';
import { checked, methods, type ShardMethod, type ShardResult } from './messages.ts';

const RECONNECT_MIN_MS = 250;
const RECONNECT_MAX_MS = 10_000;

export interface ShardClientEvents {
  /** The line is up: a good moment to announce, watch and hand in claims. */
  onConnected(): void;
  onDisconnected(): void;
  /** The shard settled something of an account that this node watches. */
  onAccountChanged(account: string): void;
}

export class ShardClient {
  readonly address: Multiaddr;
  readonly #host: Libp2p;
  readonly #events: ShardClientEvents;
  #line: RequestClient | null = null;
  #stopped = false;
  #wake: (() => void) | null = null;
  #loop: Promise<void> | null = null;

  constructor(host: Libp2p, address: Multiaddr, events: ShardClientEvents) {
    this.#host = host;
    this.address = address;
    this.#events = events;
  }

  get connected(): boolean {
    return this.#line !== null;
  }

  /** Connects for the first time. @throws AceError `ShardUnavailable`; `keepTrying` may still be called then */
  async connect(): Promise<void> {
    try {
      await this.#connect();
    } catch (cause) {
      const hint = 'check that it runs and that the address is right';
      throw new AceError('ShardUnavailable', `The validator at ${this.address} cannot be reached: ${hint}`, {
        cause,
      });
    }
  }

  /** Keeps the line from now on: opens it again whenever it breaks. */
  keepTrying(): void {
    this.#loop ??= this.#keep();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#wake?.();
    await this.#line?.close();
    await this.#loop;
  }

  /** @throws AceError `ShardUnavailable`, `RequestTimeout`, `MessageMalformed`, or what the shard refuses with */
  async call<M extends ShardMethod>(method: M, params: PlainMap): Promise<ShardResult<M>> {
    if (!this.#line) throw new AceError('ShardUnavailable', 'The validator cannot be reached right now');
    const result = await this.#line.request(method, params);
    return checked(methods[method].result as unknown as z.ZodType<ShardResult<M>, unknown>, result);
  }

  async #connect(): Promise<void> {
    const frames = await openStream(this.#host, [this.address], SHARD_PROTOCOL, SHARD_LIMITS);
    this.#line = new RequestClient(frames, (event, data) => {
      const account = (data as { account?: unknown } | null)?.account;
      if (event === 'account' && typeof account === 'string') this.#events.onAccountChanged(account);
    });
    this.#events.onConnected();
  }

  async #keep(): Promise<void> {
    let delayMs = RECONNECT_MIN_MS;
    while (!this.#stopped) {
      if (this.#line) {
        await this.#line.closed;
        this.#line = null;
        this.#events.onDisconnected();
        delayMs = RECONNECT_MIN_MS;
      }
      if (this.#stopped) return;
      await this.#sleep(delayMs);
      if (this.#stopped) return;
      delayMs = Math.min(delayMs * 2, RECONNECT_MAX_MS);
      // A failed attempt is no news: the state "disconnected" was told, and the next attempt follows.
      await this.#connect().catch(() => undefined);
    }
  }

  #sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
