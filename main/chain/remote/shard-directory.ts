/** Where the shards of the network listen, as they told the process that has the main chain. In memory. */

import { announceable } from '../../p2p/announceable.ts';
import type { ShardAddresses } from '../../p2p/protocols/shard/messages.ts';
import { MAX_SHARD_ADDRESSES } from './constants.ts';

export class ShardDirectory {
  readonly #multiaddrs = new Map<number, readonly string[]>();

  /** `peerId` is the shard's libp2p identity: it names no addresses but its own. @throws AceError `MessageMalformed` */
  register(shard: number, multiaddrs: readonly string[], peerId: string): void {
    this.#multiaddrs.set(shard, announceable(multiaddrs, peerId).slice(0, MAX_SHARD_ADDRESSES));
  }

  /** What another process told. */
  adopt(shards: readonly ShardAddresses[]): void {
    for (const { shard, multiaddrs } of shards) this.#multiaddrs.set(shard, multiaddrs);
  }

  all(): ShardAddresses[] {
    return [...this.#multiaddrs]
      .sort(([a], [b]) => a - b)
      .map(([shard, multiaddrs]) => ({ shard, multiaddrs: [...multiaddrs] }));
  }
}
