/**
 * Ends the leases of a device that its account has unlinked: it may have been stolen. They expire at that moment. What
 * their payees were promised by then they claim within the grace after it, as on every lease that has expired; each is
 * told at once, and with every answer about the lease, so that it serves no more.
 */
import { fromHex, toHex } from '../../shared/hex.ts';
import type { MainChain } from '../chain/port.ts';
import type { ValidatorStore } from '../db/validator/store.ts';
import type { AccountDeviceRow } from '../db/validator/unlinking.ts';

export interface UnlinkingContext {
  readonly chain: Pick<MainChain, 'deviceLink'>;
  readonly store: ValidatorStore;
  readonly nowMs: () => number;
}

/**
 * Submits an operation that unlinks a device, and ends the device's leases. `payees` are those of the leases.
 * @throws what `submit` throws, and then no lease is ended
 */
export async function unlinking<T>(
  context: UnlinkingContext,
  account: string,
  deviceHex: string,
  submit: () => Promise<T>,
): Promise<{ readonly submitted: T; readonly payees: readonly string[] }> {
  const { store } = context;
  const row = { account, device: fromHex(deviceHex) };
  store.commit(() => store.unlinking.insert(row));
  try {
    const submitted = await submit();
    return { submitted, payees: endLeases(context, row) };
  } catch (error) {
    // The chain may have taken it all the same, if its answer got lost.
    await finish(context, row).catch(() => undefined); // at the next start, then
    throw error;
  }
}

/** What a kill, or a chain that did not answer, left open. @throws AceError `ShardUnavailable` */
export async function finishUnlinking(context: UnlinkingContext): Promise<void> {
  for (const row of context.store.unlinking.all()) await finish(context, row);
}

/** A lease that the shard had forgotten ends as well, when its device was unlinked since. */
export async function endIfUnlinked(context: UnlinkingContext, row: AccountDeviceRow): Promise<void> {
  if (await isUnlinked(context, row)) endLeases(context, row);
}

async function finish(context: UnlinkingContext, row: AccountDeviceRow): Promise<void> {
  const { store } = context;
  if (await isUnlinked(context, row)) endLeases(context, row);
  else store.commit(() => store.unlinking.delete(row));
}

async function isUnlinked(
  { chain }: UnlinkingContext,
  { account, device }: AccountDeviceRow,
): Promise<boolean> {
  return (await chain.deviceLink(account, toHex(device))) === 'unlinked';
}

/** The answer is their payees. */
function endLeases({ store, nowMs }: UnlinkingContext, row: AccountDeviceRow): string[] {
  return store.commit(() => {
    store.unlinking.delete(row);
    return store.leases.endOf(row.account, row.device, nowMs());
  });
}
