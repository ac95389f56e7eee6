/**
 * A node's lines to the shards of its network. It joined by one of them; the one that matters for its own account is
 * its home shard, which may be another; and its payers' claims and statements are at theirs. So a line is kept to each
 * shard whose address is known: they tell each other's, and the key in the settings says who is really there.
 */

import { EventEmitter } from 'node:events';
import type { Libp2p } from '@libp2p/interface';
import type { Multiaddr } from '@multiformats/multiaddr';
import { AceError, isAceError } from '../../shared/errors.ts';
import { fromHex } from '../../shared/hex.ts';
import { homeShard } from '../../shared/home-shard.ts';
import type { NodeStore } from '../db/node/store.ts';
import type { DialGuard } from '../p2p/dial-guard.ts';
import { parseMultiaddr } from '../p2p/host.ts';
import { ShardClient } from '../p2p/protocols/shard/client.ts';
import type { ShardAddresses, ShardResult } from '../p2p/protocols/shard/messages.ts';
import type { Log } from '../process/log.ts';
import { sha256 } from '../util/sha256.ts';
import { peerIdOf } from '../wallet/device-peer-id.ts';
import { meetShard, rememberShard } from './membership.ts';

export interface ShardLinesOptions {
  readonly host: Libp2p;
  /** Where the shards are may be dialed, wherever that is. */
  readonly guard: DialGuard;
  readonly store: NodeStore;
  readonly joinMultiaddr: string;
  /** Fail when the shard that is joined does not answer now. */
  readonly mustReach: boolean;
  readonly log: Log;
}

export interface ShardLinesEvents {
  /** The line to a shard is up, after lines are kept (`keepTrying`). */
  connected: [shard: number, line: ShardClient];
  disconnected: [];
  accountChanged: [];
}

/** How often the shards are asked for the addresses of those that cannot be reached. */
const LOOK_EVERY_MS = 5_000;

export class ShardLines extends EventEmitter<ShardLinesEvents> {
  readonly #options: ShardLinesOptions;
  /** Where this node joined. */
  readonly joined: Multiaddr;
  readonly #joinedLine: ShardClient;
  readonly #lines = new Map<number, ShardClient>();
  #hello: ShardResult<'hello'> | null = null;
  #looking: NodeJS.Timeout | undefined;
  #started = false;

  constructor(options: ShardLinesOptions) {
    super();
    this.#options = options;
    this.joined = parseMultiaddr(options.joinMultiaddr);
    options.guard.trust([this.joined]);
    this.#joinedLine = this.#newLine([this.joined]);
  }

  /** Meets the network. @throws AceError `ShardUnavailable`, `RequestTimeout`, `MessageMalformed` */
  async meet(): Promise<ShardResult<'hello'>> {
    const { store, mustReach, log } = this.#options;
    const hello = await meetShard(this.#joinedLine, store, mustReach, log);
    this.#hello = hello;
    this.#lines.set(hello.shard, this.#joinedLine);
    for (let shard = 0; shard < hello.settings.validatorKeys.length; shard++) {
      if (!this.#lines.has(shard)) this.#lines.set(shard, this.#newLine([]));
    }
    this.learn(hello.shards);
    return hello;
  }

  /** Number of the account's home shard. */
  homeOf(account: string): number {
    return homeShard(account, this.#lines.size, sha256);
  }

  /** @throws AceError `ShardUnavailable` when the network has no such shard */
  of(shard: number): ShardClient {
    const line = this.#lines.get(shard);
    if (!line) throw new AceError('ShardUnavailable', `This network has no shard ${shard}`);
    return line;
  }

  /** Tries to have the line to a shard up now; when it is away, it is tried again and again later. */
  async reach(shard: number): Promise<void> {
    const line = this.of(shard);
    if (line.connected || line === this.#joinedLine) return; // that one was tried when the network was met
    try {
      // A shard that started before another hears of it only after a while; others may know it.
      for (const other of this.#lines.values()) {
        if (line.known) break;
        if (!other.known) continue;
        if (!other.connected) await other.connect();
        this.learn((await other.call('hello', {})).shards);
      }
      await line.connect();
    } catch (error) {
      this.#options.log.warn({ err: error, shard }, 'starting without the home shard of this account');
    }
  }

  /** The lines that are up. */
  connected(): (readonly [shard: number, line: ShardClient])[] {
    return [...this.#lines].filter(([, line]) => line.connected);
  }

  /** Keeps all lines from now on. */
  keepTrying(): void {
    this.#started = true;
    for (const line of this.#lines.values()) line.keepTrying();
    if (this.#lines.size > 1) this.#looking = setInterval(() => this.#look(), LOOK_EVERY_MS);
  }

  /** A shard has said where all of them are. An address that does not name the shard's own key is passed over. */
  learn(addresses: readonly ShardAddresses[]): void {
    const hello = this.#hello;
    if (!hello) return;
    const known = new Map(hello.shards.map((shard) => [shard.shard, shard]));
    for (const { shard, multiaddrs } of addresses) {
      const key = hello.settings.validatorKeys[shard];
      const line = this.#lines.get(shard);
      if (key === undefined || !line) continue;
      const peerId = peerIdOf(fromHex(key));
      const own = multiaddrs.filter((text) => text.endsWith(`/p2p/${peerId}`)).flatMap(readable);
      if (own.length === 0) continue;
      this.#options.guard.trust(own);
      // The address that the user gave stays as it is.
      if (line !== this.#joinedLine) line.moveTo(own);
      known.set(shard, { shard, multiaddrs: own.map(String) });
    }
    const shards = [...known.values()];
    if (JSON.stringify(shards) === JSON.stringify(hello.shards)) return;
    this.#hello = { ...hello, shards };
    if (this.#started) this.remember();
  }

  /** Keeps what is known of the network, for a start without it. The store is of this network by now. */
  remember(): void {
    if (this.#hello) rememberShard(this.#options.store, this.#hello);
  }

  async stop(): Promise<void> {
    clearInterval(this.#looking);
    await Promise.all([...new Set([this.#joinedLine, ...this.#lines.values()])].map((line) => line.stop()));
  }

  #look(): void {
    const connected = this.connected();
    if (connected.length === 0 || connected.length === this.#lines.size) return;
    for (const [, line] of connected) {
      line.call('hello', {}).then(
        ({ shards }) => this.learn(shards),
        (error: unknown) => {
          if (!isAceError(error, 'ShardUnavailable'))
            this.#options.log.warn({ err: error }, 'a shard did not say where the others are');
        },
      );
    }
  }

  #newLine(addresses: readonly Multiaddr[]): ShardClient {
    const line: ShardClient = new ShardClient(this.#options.host, addresses, {
      onConnected: () => {
        const found = [...this.#lines].find(([, known]) => known === line);
        if (found && this.#started) this.emit('connected', found[0], line);
      },
      onDisconnected: () => this.emit('disconnected'),
      onAccountChanged: () => this.emit('accountChanged'),
    });
    return line;
  }
}

/** What a shard tells of another may be anything. */
function readable(text: string): Multiaddr[] {
  try {
    return [parseMultiaddr(text)];
  } catch {
    return [];
  }
}
