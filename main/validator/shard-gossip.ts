/**
 * A shard's part in the gossip of checkpoints. Every node has a line to its shard, so it passes on what peers that never
 * meet have said, and may be the only one that hears both words of a device that contradicts itself.
 */
import { encodeProof } from '../../shared/channel/equivocation.ts';
import type { NetworkSettings } from '../../shared/economy/settings.ts';
import type { ValidatorStore } from '../db/validator/store.ts';
import { CheckpointGossip } from '../p2p/protocols/gossip/gossip.ts';
import { GossipRouter } from '../p2p/protocols/gossip/router.ts';
import type { Log } from '../process/log.ts';
import { takeReport } from './disputes.ts';

export interface ShardGossipOptions {
  /** The one that the host was made with. */
  readonly router: GossipRouter;
  readonly settings: NetworkSettings;
  readonly shard: number;
  readonly store: ValidatorStore;
  readonly nowMs: () => number;
  readonly log: Log;
}

/** What a validator's host carries gossip with; a shard counts no bytes. */
export function shardRouter(): GossipRouter {
  return new GossipRouter(
    () => performance.now(),
    () => undefined,
  );
}

/** The caller stops it. */
export function joinShardGossip({
  router,
  settings: { networkId, validatorKeys },
  shard,
  store,
  nowMs,
  log,
}: ShardGossipOptions): CheckpointGossip {
  return new CheckpointGossip({
    router,
    networkId,
    validatorKeys,
    shard,
    nowMs,
    clockMs: () => performance.now(),
    random: Math.random,
    log,
    onProof: (proof) => takeReport(store, networkId, encodeProof(proof)),
  });
}
