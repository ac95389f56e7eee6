/** Hashing and signing of settlement batches: the shard signs, every chain checks. */
import { createHash } from 'node:crypto';
import { type Batch, checkBatch, encodeBatch } from '../../shared/settlement/batch.ts';
import type { DeviceIdentity } from '../wallet/device.ts';

/** Hash of a batch over the bytes of `encodeBatch`: what the shard's next batch names as its previous. */
export function hashBatch(encoded: Uint8Array): Uint8Array {
  return new Uint8Array(createHash('sha256').update(encoded).digest());
}

/** A batch as a shard keeps and sends it. */
export interface SealedBatch {
  /** Canonical bytes, which are hashed and signed. */
  readonly bytes: Uint8Array;
  /** 32 bytes. */
  readonly hash: Uint8Array;
  /** Ed25519, 64 bytes. */
  readonly signature: Uint8Array;
}

/**
 * Checks, hashes and signs a batch. Only the chain's answer gets rid of a sealed batch, so one that no chain takes is none.
 * @throws AceError `BatchMalformed`
 */
export function sealBatch(batch: Batch, validator: Pick<DeviceIdentity, 'sign'>): SealedBatch {
  checkBatch(batch);
  const bytes = encodeBatch(batch);
  return { bytes, hash: hashBatch(bytes), signature: validator.sign(bytes) };
}
