/**
 * Signs each record once: a statement is asked for again and again, by every device of its account and after each loss, and
 * says the same each time.
 */
import { LRUCache } from 'lru-cache';
import { sha256 } from '../util/sha256.ts';
import type { DeviceIdentity } from '../wallet/device.ts';
import { KEPT_SIGNATURES } from './limits.ts';

type Signer = Pick<DeviceIdentity, 'sign'>;

export class SignedOnce implements Signer {
  readonly #key: Signer;
  /** By the record's hash. */
  readonly #signatures = new LRUCache<string, Uint8Array>({ max: KEPT_SIGNATURES });

  constructor(key: Signer) {
    this.#key = key;
  }

  sign(record: Uint8Array): Uint8Array {
    const id = Buffer.from(sha256(record)).toString('base64');
    const signature = this.#signatures.get(id) ?? this.#key.sign(record);
    this.#signatures.set(id, signature);
    return signature;
  }
}
