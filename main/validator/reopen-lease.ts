/**
 * Undoes the release of a lease whose time has not come: a clock that was wrong for so long that it was believed has
 * released it. Its payee has the shard's word, so it is taken up again where the payer's funds still cover it; what was
 * leased to others meanwhile is theirs.
 */
import { decodeCheckpoint } from '../../shared/channel/records.ts';
import type { LeaseRow } from '../db/validator/leases.ts';
import type { ValidatorStore } from '../db/validator/store.ts';
import { accountView } from './accounts.ts';
import { CLAIM_GRACE_MS } from './batching.ts';
import type { LeasingContext } from './leasing.ts';

/** A lease that was released too early; `null` for any other. */
export function releasedEarly(
  { store, nowMs }: Pick<LeasingContext, 'store' | 'nowMs'>,
  channelId: Uint8Array,
): LeaseRow | null {
  const lease = store.leases.get(channelId);
  if (lease?.released !== 1 || lease.ended === 1) return null;
  if (nowMs() > lease.expiresAtMs + CLAIM_GRACE_MS || isFinal(store, channelId)) return null;
  return lease;
}

/** Whether the lease is open again. Runs alone on the shard (see `serializer`). */
export async function reopenLease(context: LeasingContext, channelId: Uint8Array): Promise<boolean> {
  const { chain, store } = context;
  const lease = releasedEarly(context, channelId);
  if (!lease) return false;
  const { leasableUnits } = await accountView(chain, store, lease.payer);
  if (lease.capacityUnits - lease.claimedUnits > leasableUnits) return false;
  store.commit(() => store.leases.reopen(channelId));
  return true;
}

/** Both sides have ended the channel: that released it, and no clock. */
function isFinal(store: ValidatorStore, channelId: Uint8Array): boolean {
  const onFile = store.disputes.checkpoint(channelId);
  return onFile?.countersigned === 1 && decodeCheckpoint(onFile.record).final;
}
