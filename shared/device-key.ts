/**
 * What counts as a device's public key: 32 bytes of Ed25519, and none of the few points of small order. Under such a
 * point one signature passes for any message at all, so that it binds no one, and anyone can sign for it.
 */
import { fromHex } from './hex.ts';

const DEVICE_KEY_BYTES = 32;

/**
 * The y of all eight points, canonical and not (y + p), low byte first. The sign of x is the highest bit of the last
 * byte and does not matter here.
 */
const SMALL_ORDER_Y = [
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0100000000000000000000000000000000000000000000000000000000000000',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
].map(fromHex);

/** Whether a device can be known by these bytes. Whether they are a point at all shows when a signature is checked. */
export function isDeviceKey(value: unknown): value is Uint8Array {
  return (
    value instanceof Uint8Array &&
    value.byteLength === DEVICE_KEY_BYTES &&
    !SMALL_ORDER_Y.some((y) => sameY(y, value))
  );
}

function sameY(y: Uint8Array, key: Uint8Array): boolean {
  const last = DEVICE_KEY_BYTES - 1;
  for (let i = 0; i < last; i++) if (y[i] !== key[i]) return false;
  return y[last] === ((key[last] ?? 0) & 0x7f);
}
