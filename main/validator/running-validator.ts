/** What a validator's process has in common wherever its main chain is: the shard, and its part in the gossip. */
import type { Libp2p } from '@libp2p/interface';
import type { NetworkSettings } from '../../shared/economy/settings.ts';
import { AceError } from '../../shared/errors.ts';
import type { MainChain } from '../chain/port.ts';
import type { GossipRouter } from '../p2p/protocols/gossip/router.ts';
import { closeResources } from '../util/resources.ts';
import { joinShardGossip } from './shard-gossip.ts';
import { startValidator, type Validator, type ValidatorOptions } from './validator.ts';

export interface RunningValidator {
  readonly host: Libp2p;
  /** Where nodes reach it. */
  readonly multiaddr: string;
  readonly chain: MainChain;
  readonly validator: Validator;
  readonly settings: NetworkSettings;
  stop(): Promise<void>;
}

/**
 * Serves a shard on a host that listens already. `resources` close what was opened before, and now this too.
 * @throws AceError what {@link startValidator} throws
 */
export async function serveValidator(
  options: ValidatorOptions & { readonly router: GossipRouter },
  resources: AsyncDisposableStack,
): Promise<RunningValidator> {
  const { router, host, chain, store, shard, clock, log } = options;
  const nowMs = () => clock.nowMs();
  const settings = chain.settings();
  const gossip = joinShardGossip({ router, settings, shard, store, nowMs, log });
  resources.defer(() => gossip.stop());
  const validator = await startValidator(options);
  resources.defer(() => validator.stop());
  const multiaddr = host.getMultiaddrs()[0]?.toString();
  if (!multiaddr) throw new AceError('Internal', 'The validator listens nowhere');
  return { host, multiaddr, chain, validator, settings, stop: () => closeResources(resources) };
}
