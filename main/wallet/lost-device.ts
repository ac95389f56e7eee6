/**
 * What becomes of the books when the key of their device is gone: it lay under a passphrase that nobody knows any more.
 * Another device of the account takes over, as after a restored backup (docs/decisions/0015): what was earned is claimed,
 * and nothing is paid or served on a channel that names the old device.
 */
import { advance, allows } from '../../shared/channel/lifecycle.ts';
import { decodeTerms } from '../../shared/channel/records.ts';
import { toHex } from '../../shared/hex.ts';
import type { NodeStore } from '../db/node/store.ts';
import { knowDevice } from './known-devices.ts';

/** Runs in one transaction; done again it changes nothing. */
export function leaveDevice(store: NodeStore, nowMs: number): void {
  const { payerChannels, payeeChannels, broadcasts } = store;
  const own = new Set<string>();
  for (const { state, terms } of payerChannels.all()) {
    own.add(toHex(decodeTerms(terms).payerDevice));
    if (allows(state.status, 'expired')) payerChannels.save(advance(state, 'expired'), nowMs);
  }
  for (const { state, terms } of payeeChannels.all()) {
    own.add(toHex(decodeTerms(terms).payeeDevice));
    if (allows(state.status, 'expired')) payeeChannels.save(advance(state, 'expired'), nowMs);
  }
  // For the list of devices, and for unlinking.
  for (const device of own) knowDevice(store, device);
  // Their records carry that device's signature: they cannot go on.
  broadcasts.disown();
}
