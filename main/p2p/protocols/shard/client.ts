/**
 * A node's line to its home shard: one stream, kept open, opened again when it breaks. Calls made while it is down
 * fail at once with `ShardUnavailable`, so that nothing waits in the dark.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Libp2p } from '@libp2p/interface';
import type { Multiaddr } from '@multiformats/multiaddr';
import type { z } from 'zod';
import { AceError, isAceError } from '../../../../shared/errors.ts';
import { Signal } from '../../../util/signal.ts';
import { openStream } from '../../host.ts';
import { RequestClient } from '../../requests.ts';
import type { Sent } from '../../typed-rpc.ts';
import { SHARD_LIMITS, SHARD_PROTOCOL } from './constants.ts';
import { type methods, type ShardMethod, type ShardResult, shardRpc } from './messages.ts';

const RECONNECT_MIN_MS = 250;
const RECONNECT_MAX_MS = 10_000;
/** Of a call that the shard has no room for now; the caller waits no longer than two of these pauses. */
const MAX_TRIES = 3;
const MAX_RETRY_WAIT_MS = 2_000;

export interface ShardClientEvents {
  /** The line is up: a good moment to announce, watch and hand in claims. */
  onConnected(): void;
  onDisconnected(): void;
  /** The shard settled something of an account that this node watches. */
  onAccountChanged(account: string): void;
}

export class ShardClient {
  #addresses: readonly Multiaddr[];
  readonly #host: Libp2p;
  readonly #events: ShardClientEvents;
  #line: RequestClient | null = null;
  #stopped = false;
  /** Ends the pause before the next attempt. */
  readonly #signal = new Signal();
  #loop: Promise<void> | null = null;

  /** Without an address it is down until `moveTo` gives one. */
  constructor(host: Libp2p, addresses: readonly Multiaddr[], events: ShardClientEvents) {
    this.#host = host;
    this.#addresses = addresses;
    this.#events = events;
  }

  /** Whether it is known where the shard is. */
  get known(): boolean {
    return this.#addresses.length > 0;
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
      const where = this.#addresses.map(String).join(', ');
      throw new AceError('ShardUnavailable', `The validator at ${where} cannot be reached: ${hint}`, {
        cause,
      });
    }
  }

  #away(): AceError {
    const where = this.known ? ` at ${this.#addresses.map(String).join(', ')}` : '';
    const text = `The validator${where} cannot be reached right now: check that it runs, and try again`;
    return new AceError('ShardUnavailable', text);
  }

  /** Keeps the line from now on: opens it again whenever it breaks. */
  keepTrying(): void {
    this.#loop ??= this.#keep();
  }

  /** Where the shard is from now on. A line that is up stays. */
  moveTo(addresses: readonly Multiaddr[]): void {
    if (addresses.map(String).join() === this.#addresses.map(String).join()) return;
    this.#addresses = addresses;
    this.#signal.notify();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#signal.notify();
    await this.#line?.close();
    await this.#loop;
  }

  /**
   * Asks again by itself when the shard answers to slow down, a few times.
   * @throws AceError `ShardUnavailable`, `RequestTimeout`, `MessageMalformed`, or what the shard refuses with
   */
  async call<M extends ShardMethod>(
    method: M,
    params: Sent<z.input<(typeof methods)[M]['params']>>,
  ): Promise<ShardResult<M>> {
    let isReopened = false;
    for (let triesLeft = MAX_TRIES - 1; ; triesLeft--) {
      if (!this.#line) throw this.#away();
      try {
        return await shardRpc.call(this.#line, method, params);
      } catch (error) {
        // Nobody keeps the line yet: while a node starts, a connection that breaks must not end it.
        if (isAceError(error, 'PeerClosed') && !this.#loop && !this.#stopped && !isReopened) {
          isReopened = true;
          await this.connect();
          continue;
        }
        const retryAfterMs = isAceError(error, 'TooManyRequests') ? error.details.retryAfterMs : undefined;
        if (typeof retryAfterMs !== 'number' || triesLeft <= 0 || this.#stopped) throw error;
        await delay(Math.min(Math.max(0, retryAfterMs), MAX_RETRY_WAIT_MS), null, { ref: false });
      }
    }
  }

  async #connect(): Promise<void> {
    if (this.#addresses.length === 0) {
      throw new AceError('PeerUnreachable', 'It is not known yet where the validator is');
    }
    const frames = await openStream(this.#host, this.#addresses, SHARD_PROTOCOL, SHARD_LIMITS);
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
      await this.#signal.wait(delayMs);
      if (this.#stopped) return;
      delayMs = Math.min(delayMs * 2, RECONNECT_MAX_MS);
      // A failed attempt is no news: `onDisconnected` was called, and the next attempt follows.
      await this.#connect().catch(() => undefined);
    }
  }
}
