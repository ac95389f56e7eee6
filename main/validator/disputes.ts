/**
 * Devices that contradicted themselves under their own signature. They get no new lease from this shard; what is leased
 * already is honoured, claimed and released as always, because the payee is owed it.
 *
 * A proof is taken only when it is about a lease on file, so that the table cannot be filled with made-up devices.
 */

import { sameBytes } from '../../shared/bytes.ts';
import type { Claim } from '../../shared/channel/claim.ts';
import {
  anchorProof,
  checkProof,
  checkpointProof,
  type EquivocationProof,
  encodeProof,
  type SignedRecord,
} from '../../shared/channel/equivocation.ts';
import type { ChannelTerms } from '../../shared/channel/records.ts';
import { AceError } from '../../shared/errors.ts';
import { toHex } from '../../shared/hex.ts';
import type { ValidatorStore } from '../db/validator/store.ts';
import { sha256 } from '../util/sha256.ts';
import { verifyDevice } from '../wallet/device.ts';

/**
 * Takes a proof; the same device again changes nothing.
 * @throws AceError `MessageTooLarge`, `MessageMalformed`, `WrongNetwork`, `InvalidSignature`, `ProofInvalid`,
 * `ChannelUnleased` (about no lease of this shard)
 */
export function takeReport(store: ValidatorStore, networkId: string, proof: Uint8Array): void {
  const { kind, device, account, channelIds } = checkProof(proof, networkId, sha256, verifyDevice);
  if (store.disputes.get(device)) return;
  if (!channelIds.some((channelId) => store.leases.get(channelId))) {
    throw new AceError('ChannelUnleased', 'The proof is about no lease of this shard');
  }
  store.commit(() => store.disputes.insert({ device, account, kind, proof }));
}

/** @throws AceError `DeviceDisputed`, which says why */
export function checkNotDisputed(store: ValidatorStore, device: Uint8Array): void {
  const dispute = store.disputes.get(device);
  if (!dispute) return;
  const why =
    dispute.kind === 'checkpoint'
      ? 'it signed two checkpoints of one channel with one number'
      : 'it signed terms of two channels with one hash chain';
  throw new AceError('DeviceDisputed', `This device gets no new lease: ${why}`, {
    reaction: 'pause-channel',
    details: {
      kind: dispute.kind,
      account: dispute.account,
      proof: toHex(sha256(dispute.proof)),
    },
  });
}

/**
 * Refuses terms whose anchor serves another channel. Where the same device signed both, that is a proof, and is kept.
 * @throws AceError `LeaseRefused`, `DeviceDisputed`
 */
export function checkAnchorFree(store: ValidatorStore, terms: ChannelTerms, signed: SignedRecord): void {
  if (!store.leases.anchorUsed(terms.anchor)) return;
  if (noteAnchor(store, terms, signed)) checkNotDisputed(store, terms.payerDevice);
  throw new AceError('LeaseRefused', 'The hash chain serves another channel already', {
    reaction: 'drop-peer',
  });
}

/** Whether the same device has leased other terms with this anchor, which disputes it. */
export function noteAnchor(store: ValidatorStore, terms: ChannelTerms, signed: SignedRecord): boolean {
  const earlier = store.disputes.termsWithAnchor(terms.anchor, terms.payerDevice);
  if (!earlier) return false;
  keep(store, anchorProof(earlier, signed), terms.payerDevice, terms.payer);
  return true;
}

/**
 * Compares a claim's checkpoint, whose signatures were verified, with the one on file: two of one number dispute the
 * payer's device. Belongs in the transaction that books the claim.
 */
export function noteCheckpoint(
  store: ValidatorStore,
  channelId: Uint8Array,
  number: number,
  { record, payerSignature, payeeSignature }: NonNullable<Claim['checkpoint']>,
): void {
  const signed = { record, signature: payerSignature };
  const onFile = store.disputes.checkpoint(channelId);
  if (onFile?.number === number) {
    if (sameBytes(onFile.record, record) && (onFile.countersigned === 1 || !payeeSignature)) return;
    const lease = sameBytes(onFile.record, record) ? null : store.leases.get(channelId);
    if (lease) keep(store, checkpointProof(lease.terms, onFile, signed), lease.payerDevice, lease.payer);
  }
  store.disputes.saveCheckpoint({ channelId, number, ...signed, countersigned: payeeSignature ? 1 : 0 });
}

function keep(store: ValidatorStore, proof: EquivocationProof, device: Uint8Array, account: string): void {
  if (store.disputes.get(device)) return;
  store.commit(() => store.disputes.insert({ device, account, kind: proof.kind, proof: encodeProof(proof) }));
}
