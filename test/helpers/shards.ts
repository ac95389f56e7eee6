/** A devnet of many shards: the validator with the chain, and the others, each with its own folder, file and host. */
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { RunningPeer } from '../../main/peer/peer.ts';
import { sha256 } from '../../main/util/sha256.ts';
import type { RunningValidator } from '../../main/validator/running-validator.ts';
import { runShardValidator } from '../../main/validator/shard-process.ts';
import { accountFromPhrase } from '../../main/wallet/account.ts';
import { createDevice } from '../../main/wallet/device.ts';
import type { WalletSecrets } from '../../main/wallet/keystore.ts';
import { createPhrase } from '../../main/wallet/phrase.ts';
import type { DevnetProfile } from '../../shared/devnet-profile.ts';
import { homeShard } from '../../shared/home-shard.ts';
import { Devnet, type TestPeer } from './devnet.ts';
import { waitFor } from './wait.ts';

/** Secrets of a new account that is at home there. */
export function secretsAt(shard: number, shardCount: number): WalletSecrets & { readonly phrase: string } {
  for (;;) {
    const phrase = createPhrase(12);
    const { address } = accountFromPhrase(phrase);
    if (homeShard(address, shardCount, sha256) === shard)
      return { phrase, deviceSeed: createDevice().seed() };
  }
}

export class Shards {
  readonly net: Devnet;
  readonly count: number;
  readonly #running = new Map<number, RunningValidator>();
  readonly #stops = new Map<number, () => Promise<void>>();

  constructor(net: Devnet, count: number) {
    this.net = net;
    this.count = count;
    this.#running.set(0, net.validator);
  }

  of(shard: number): RunningValidator {
    const running = this.#running.get(shard);
    if (!running) throw new Error(`Shard ${shard} does not run`);
    return running;
  }

  /** Starts a shard other than 0, or starts it again. */
  async start(shard: number): Promise<void> {
    const running = await runShardValidator({
      dataDir: join(this.net.dir, 'validator', `shard-${shard}`),
      port: 0,
      chainMultiaddr: this.net.validator.multiaddr,
    });
    this.#running.set(shard, running);
    this.#stops.set(
      shard,
      this.net.owns(() => running.stop()),
    );
  }

  async stop(shard: number): Promise<void> {
    await this.#stops.get(shard)?.();
    this.#running.delete(shard);
  }

  /** A peer whose account is at home on `home`; it joins by the shard `by`. Waits for its lines to all that run. */
  async peer(home: number, by = 0, name?: string): Promise<TestPeer> {
    const secrets = secretsAt(home, this.count);
    const peer = await this.net.peer(name, secrets, undefined, this.of(by).multiaddr);
    await this.linesUp(peer);
    return peer;
  }

  async linesUp(peer: RunningPeer): Promise<void> {
    await waitFor('a line to every shard', () => peer.lines.connected().length === this.#running.size);
  }

  /** Settles on every shard that runs; twice, for what the first round's earnings repay. */
  async settle(): Promise<void> {
    for (let round = 0; round < 2; round++) {
      for (const { validator } of this.#running.values()) await validator.settleNow();
    }
  }
}

/** A network of `count` shards for the running test, all of them running. */
export async function useShards(count: number, profile: Partial<DevnetProfile> = {}): Promise<Shards> {
  const net = await Devnet.start({ ...profile, shards: count });
  onTestFinished(() => net.stop());
  const shards = new Shards(net, count);
  for (let shard = 1; shard < count; shard++) await shards.start(shard);
  return shards;
}
