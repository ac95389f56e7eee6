/** How far channels have come on this shard: what a lease's row says to anyone who knows its channel. */
import type { ValidatorStore } from '../db/validator/store.ts';

/** Channels without a lease are left out. */
export function channelProgress(store: ValidatorStore, channelIds: readonly Uint8Array[]) {
  const channels = channelIds.flatMap((channelId) => {
    const lease = store.leases.get(channelId);
    if (!lease) return [];
    const { claimedUnits, appliedUnits, released } = lease;
    return [{ channelId, claimedUnits, appliedUnits, released: released === 1 }];
  });
  return { channels };
}
