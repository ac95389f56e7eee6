/** Public keys of devices, ready to verify with: making a `KeyObject` costs a third of a verification. */
import type { KeyObject } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { devicePublicKey } from './device.ts';

/** Keys that are kept, of some kilobytes each: those of more devices than are busy at once. */
const MAX_KEYS = 4_096;

export class DeviceKeys {
  /** By raw key as a string of bytes; of too many, the least recently used is forgotten. */
  readonly #keys = new LRUCache<string, KeyObject>({ max: MAX_KEYS });

  /** @throws AceError `InvalidInput` when the key is not 32 bytes */
  get(raw: Uint8Array): KeyObject {
    const id = Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength).toString('latin1');
    const known = this.#keys.get(id);
    if (known) return known;
    const key = devicePublicKey(raw);
    this.#keys.set(id, key);
    return key;
  }
}
