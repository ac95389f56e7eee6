/** How far channels have come on this shard: what a lease's row says to anyone who knows its channel. */
import type { ValidatorStore } from '../db/validator/store.ts';

/** Channels without a lease are left out. */
export function channelProgress(store: ValidatorStore, channelIds: readonly Uint8Array[]) {
  const channels = channelIds.flatMap((channelId) => {
    const lease = store.leases.get(channelId);
    if (!lease) return [];
    const { claimedUnits, appliedUnits, released, ended } = lease;
    const told = { channelId, claimedUnits, appliedUnits, released: released === 1 };
    return [ended === 1 ? { ...told, ended: true } : told];
  });
  return { channels };
}

/** What the shard's bill of a channel rests on; nothing of one without a lease. */
export function billOf(store: ValidatorStore, channelId: Uint8Array) {
  const lease = store.leases.get(channelId);
  const terms = lease && store.disputes.termsWithAnchor(lease.anchor, lease.payerDevice);
  if (!lease || !terms) return [];
  const { claimedUnits: units, claimedTick: tick } = lease;
  return [{ channelId, units, tick, terms: terms.record, termsSignature: terms.signature }];
}
