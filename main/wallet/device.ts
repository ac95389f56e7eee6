/**
 * The device identity: the Ed25519 key of one installation, which is also its libp2p identity.
 *
 * The 32-byte seed is the private key (RFC 8032), also libp2p's.
 * Signing goes through node:crypto, which is native and fast; keys are `KeyObject`s, which do not print their content.
 */
import { createPrivateKey, createPublicKey, type KeyObject, randomBytes, sign, verify } from 'node:crypto';
import { isDeviceKey } from '../../shared/device-key.ts';
import { AceError } from '../../shared/errors.ts';

export const DEVICE_KEY_BYTES = 32;
const DEVICE_SIGNATURE_BYTES = 64;

/** DER that comes before the 32 key bytes (RFC 8410). */
const PKCS8_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex');
const SPKI_PREFIX = Buffer.from('302a300506032b6570032100', 'hex');

export interface DeviceIdentity {
  /** 32 raw bytes: the private key. Goes to the key store and to libp2p, nowhere else. */
  seed(): Uint8Array;
  readonly privateKey: KeyObject;
  /** 32 raw bytes. */
  readonly publicKey: Uint8Array;
  /** Ed25519 signature, 64 bytes. */
  sign(bytes: Uint8Array): Uint8Array;
}

export function createDevice(): DeviceIdentity {
  return deviceFromSeed(randomBytes(DEVICE_KEY_BYTES));
}

/** @throws AceError `InvalidInput` when the seed is not 32 bytes. */
export function deviceFromSeed(seed: Uint8Array): DeviceIdentity {
  if (seed.length !== DEVICE_KEY_BYTES) throw new AceError('InvalidInput', 'A device seed is 32 bytes');
  const own = Uint8Array.from(seed);
  const privateKey = createPrivateKey({
    key: Buffer.concat([PKCS8_PREFIX, own]),
    format: 'der',
    type: 'pkcs8',
  });
  return {
    seed: () => own.slice(),
    privateKey,
    publicKey: rawPublicKey(privateKey),
    sign: (bytes) => signBytes(privateKey, bytes),
  };
}

/** Ed25519 public key from its 32 raw bytes. @throws AceError `InvalidInput` for a length or a point that no device has. */
export function devicePublicKey(raw: Uint8Array): KeyObject {
  if (!isDeviceKey(raw)) {
    throw new AceError('InvalidInput', 'A device key is 32 bytes, and no point of small order');
  }
  return createPublicKey({ key: Buffer.concat([SPKI_PREFIX, raw]), format: 'der', type: 'spki' });
}

/** Ed25519 signature, 64 bytes. */
function signBytes(privateKey: KeyObject, bytes: Uint8Array): Uint8Array {
  return new Uint8Array(sign(null, bytes, privateKey));
}

/** Whether `signature` is the key's signature of `bytes`. Keep the `KeyObject` where many are checked. */
export function isSignedBy(publicKey: KeyObject, bytes: Uint8Array, signature: Uint8Array): boolean {
  return signature.length === DEVICE_SIGNATURE_BYTES && verify(null, bytes, publicKey, signature);
}

/** The same for a raw key. A key that is no point of the curve, or one of small order, has signed nothing. */
export function verifyDevice(rawKey: Uint8Array, bytes: Uint8Array, signature: Uint8Array): boolean {
  return isDeviceKey(rawKey) && isSignedBy(devicePublicKey(rawKey), bytes, signature);
}

function rawPublicKey(privateKey: KeyObject): Uint8Array {
  const spki = createPublicKey(privateKey).export({
    format: 'der',
    type: 'spki',
  });
  return new Uint8Array(spki.subarray(SPKI_PREFIX.length));
}
