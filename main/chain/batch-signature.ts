/** Hashing and signing of settlement batches: the shard signs, every chain checks. */
import { createHash, type KeyObject } from 'node:crypto';
import { type Batch, checkBatch, encodeBatch } from '../../shared/batch.ts';
import { signBytes } from '../wallet/device.ts';
import type { SignedBatch } from './port.ts';

/** Hash of a batch over the bytes of `encodeBatch`: what the shard's next batch names as its previous. */
export function hashBatch(encoded: Uint8Array): Uint8Array {
  return new Uint8Array(createHash('sha256').update(encoded).digest());
}

/** @throws AceError `BatchMalformed` */
export function signBatch(batch: Batch, validatorKey: KeyObject): SignedBatch {
  checkBatch(batch);
  return { batch, signature: signBytes(validatorKey, encodeBatch(batch)) };
}
