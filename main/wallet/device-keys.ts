/** Public keys of devices, ready to verify with: making a `KeyObject` costs a third of a verification. */
import type { KeyObject } from 'node:crypto';
import { devicePublicKey } from './device.ts';

const MAX_KEYS = 4_096;

export class DeviceKeys {
  /** By raw key as a string of bytes; the one used last is the last. */
  readonly #keys = new Map<string, KeyObject>();

  /** @throws AceError `InvalidInput` when the key is not 32 bytes */
  get(raw: Uint8Array): KeyObject {
    const id = Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength).toString('latin1');
    const known = this.#keys.get(id);
    if (known) this.#keys.delete(id);
    const key = known ?? devicePublicKey(raw);
    this.#keys.set(id, key);
    const oldest = this.#keys.keys().next();
    if (this.#keys.size > MAX_KEYS && !oldest.done) this.#keys.delete(oldest.value);
    return key;
  }
}
