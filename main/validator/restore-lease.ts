/**
 * Takes back a lease that this shard granted and has forgotten: its file was restored from an older copy. The signature
 * is its own word, so the capacity is reserved again whatever else was leased meanwhile; what the main chain does not
 * cover it refuses, as ever. A lease that has ended is on file for ever, and is never taken back.
 */
import type { SignedLease } from '../../shared/channel/claim.ts';
import { type ChannelTerms, channelIdOf, decodeTerms, encodeLease } from '../../shared/channel/records.ts';
import { AceError } from '../../shared/errors.ts';
import { sha256 } from '../util/sha256.ts';
import { devicePublicKey, isSignedBy } from '../wallet/device.ts';
import { CLAIM_GRACE_MS } from './batching.ts';
import { checkHome } from './check-home.ts';
import { noteAnchor } from './disputes.ts';
import type { LeasingContext } from './leasing.ts';

/**
 * Runs alone on the shard (see `serializer`). One that is on file already changes nothing. The answer is its terms.
 * @throws AceError `MessageMalformed`, `ChannelUnleased` (not this shard's word), `WrongShard`, `InvalidSignature`,
 * `ClaimInvalid` (its time is over)
 */
export function restoreLease(context: LeasingContext, lease: SignedLease): ChannelTerms {
  const { chain, store, key, shard, nowMs } = context;
  const settings = chain.settings();
  const terms = decodeTerms(lease.terms);
  const channelId = channelIdOf(lease.terms, sha256);
  if (store.leases.get(channelId)) return terms;
  const { capacityUnits, expiresAtMs, payer, payee, payerDevice, payeeDevice, anchor } = terms;
  const record = encodeLease({ channelId, shard, capacityUnits, expiresAtMs });
  const isOurs = terms.networkId === settings.networkId && terms.shard === shard;
  if (!isOurs || !isSignedBy(devicePublicKey(key.publicKey), record, lease.leaseSignature)) {
    throw new AceError('ChannelUnleased', 'This shard did not lease the channel', { reaction: 'drop-peer' });
  }
  checkHome(settings, shard, payer);
  if (!isSignedBy(devicePublicKey(payerDevice), lease.terms, lease.termsSignature)) {
    throw new AceError('InvalidSignature', 'The terms are not signed by the payer’s device', {
      reaction: 'drop-peer',
    });
  }
  const atMs = nowMs();
  if (expiresAtMs + CLAIM_GRACE_MS <= atMs) {
    throw new AceError('ClaimInvalid', 'The time to claim on this lease is over');
  }
  store.commit(() => {
    // The payee is owed it, also when the shard has seen this anchor since: anyone can copy one.
    noteAnchor(store, terms, { record: lease.terms, signature: lease.termsSignature });
    store.watchers.start(payer, atMs);
    store.leases.insert({
      channelId,
      anchor,
      payer,
      payee,
      payerDevice,
      payeeDevice,
      terms: lease.terms,
      signature: lease.leaseSignature,
      capacityUnits,
      leasedAtMs: atMs,
      expiresAtMs,
    });
    store.disputes.saveTermsSignature(channelId, lease.termsSignature);
  });
  return terms;
}
