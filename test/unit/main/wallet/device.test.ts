import { generateKeyPairFromSeed } from '@libp2p/crypto/keys';
import { describe, expect, it } from 'vitest';
import { createDevice, deviceFromSeed, devicePublicKey, isSignedBy } from '../../../../main/wallet/device.ts';
import { expectAceError } from '../../../helpers/ace-error.ts';

/** RFC 8032, section 7.1, test 2. */
const RFC = {
  seed: '4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb',
  publicKey: '3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c',
  message: '72',
  signature:
    '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00',
};

describe('device', () => {
  it('agrees with the vector of RFC 8032', () => {
    const device = deviceFromSeed(Buffer.from(RFC.seed, 'hex'));
    const message = Buffer.from(RFC.message, 'hex');
    expect(Buffer.from(device.publicKey).toString('hex')).toBe(RFC.publicKey);
    expect(Buffer.from(device.sign(message)).toString('hex')).toBe(RFC.signature);
  });

  it('is the same identity in libp2p', async () => {
    const device = createDevice();
    const libp2pKey = await generateKeyPairFromSeed('Ed25519', device.seed());
    expect(libp2pKey.publicKey.raw).toEqual(device.publicKey);
    const message = new Uint8Array([1, 2, 3]);
    expect(await libp2pKey.publicKey.verify(message, device.sign(message))).toBe(true);
  });

  it('is another one each time it is made', () => {
    expect(createDevice().publicKey).not.toEqual(createDevice().publicKey);
  });

  it('checks signatures by the raw public key', () => {
    const [device, other] = [createDevice(), createDevice()];
    const message = new Uint8Array([1, 2, 3]);
    const signature = device.sign(message);
    const key = devicePublicKey(device.publicKey);
    expect(isSignedBy(key, message, signature)).toBe(true);
    expect(isSignedBy(key, new Uint8Array([1, 2, 4]), signature)).toBe(false);
    expect(isSignedBy(devicePublicKey(other.publicKey), message, signature)).toBe(false);
    expect(isSignedBy(key, message, signature.slice(0, 63))).toBe(false);
  });

  it.each([31, 33])('refuses a seed or key of %i bytes', (bytes) => {
    expectAceError('InvalidInput', () => deviceFromSeed(new Uint8Array(bytes)));
    expectAceError('InvalidInput', () => devicePublicKey(new Uint8Array(bytes)));
  });

  it('does not print its key', () => {
    const device = deviceFromSeed(Buffer.from(RFC.seed, 'hex'));
    expect(JSON.stringify(device)).not.toContain(RFC.seed);
    expect(JSON.stringify(device)).not.toContain(Buffer.from(RFC.seed, 'hex').toJSON().data.join());
  });
});
