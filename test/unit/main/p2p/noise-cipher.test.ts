import { randomBytes } from 'node:crypto';
import { asCrypto, defaultCrypto, nodeCrypto } from '@chainsafe/libp2p-noise/crypto';
import { Uint8ArrayList } from 'uint8arraylist';
import { describe, expect, it, vi } from 'vitest';
import { loadSodium, logCipher, noiseCrypto } from '../../../../main/p2p/noise-cipher.ts';

const cipher = noiseCrypto();
const key = randomBytes(32);
const nonce = randomBytes(12);
const NO_DATA = new Uint8Array(0);
/** What Noise puts into one message at most. */
const LARGEST_BYTES = 65_535 - 16;

/** What Noise takes for bytes; its own version of the list is another one. */
type Bytes = Parameters<typeof cipher.chaCha20Poly1305Encrypt>[0];

const bytes = (data: Bytes) => Buffer.from(data.subarray());

/** The same bytes in three parts, as they come from a socket. */
function inParts(data: Uint8Array): Bytes {
  const third = Math.floor(data.byteLength / 3);
  return new Uint8ArrayList(
    data.slice(0, third),
    data.slice(third, 2 * third),
    data.slice(2 * third, data.byteLength),
  ) as unknown as Bytes;
}

describe('the cipher that Noise is handed', () => {
  it('is libsodium’s here, whatever Noise would take by itself', () => {
    expect(cipher.chaCha20Poly1305Encrypt).not.toBe(defaultCrypto.chaCha20Poly1305Encrypt);
    expect(cipher.chaCha20Poly1305Decrypt).not.toBe(defaultCrypto.chaCha20Poly1305Decrypt);
    expect(cipher.generateX25519KeyPair).toBe(defaultCrypto.generateX25519KeyPair);
  });

  it('gives the result that RFC 8439 gives in section 2.8.2', () => {
    const text = Buffer.from(
      "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen would be it.",
    );
    const sealed = cipher.chaCha20Poly1305Encrypt(
      text,
      Buffer.from('070000004041424344454647', 'hex'),
      Buffer.from('50515253c0c1c2c3c4c5c6c7', 'hex'),
      Buffer.from('808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f', 'hex'),
    );
    expect(bytes(sealed).subarray(0, 16).toString('hex')).toBe('d31a8d34648e60db7b86afbc53ef7ec2');
    expect(bytes(sealed).subarray(-16).toString('hex')).toBe('1ae10b594f09e26a7e902ecbd0600691');
  });

  it.each([0, 1, 15, 16, 64, 1_199, 1_200, 65_000, LARGEST_BYTES])(
    'seals and opens %i bytes as the others do, in one part or in several',
    (sizeBytes) => {
      const text = randomBytes(sizeBytes);
      const ad = randomBytes(32);
      const sealed = bytes(nodeCrypto.chaCha20Poly1305Encrypt(text, nonce, ad, key));
      expect(bytes(asCrypto.chaCha20Poly1305Encrypt(text, nonce, ad, key))).toEqual(sealed);
      expect(bytes(cipher.chaCha20Poly1305Encrypt(text, nonce, ad, key))).toEqual(sealed);
      expect(bytes(cipher.chaCha20Poly1305Encrypt(inParts(text), nonce, ad, key))).toEqual(sealed);
      expect(bytes(cipher.chaCha20Poly1305Decrypt(sealed, nonce, ad, key))).toEqual(text);
      expect(bytes(cipher.chaCha20Poly1305Decrypt(inParts(sealed), nonce, ad, key))).toEqual(text);
      const list = new Uint8ArrayList(Buffer.from(sealed)) as unknown as Bytes;
      const dst = list.subarray(0, sizeBytes);
      expect(bytes(cipher.chaCha20Poly1305Decrypt(list, nonce, ad, key, dst))).toEqual(text);
      const parts = inParts(sealed);
      const copied = parts.subarray(0, sizeBytes);
      expect(bytes(cipher.chaCha20Poly1305Decrypt(parts, nonce, ad, key, copied))).toEqual(text);
    },
  );

  it('leaves what was sealed as it is where Noise has no other use for its memory: a handshake hashes it', () => {
    const sealed = bytes(cipher.chaCha20Poly1305Encrypt(randomBytes(48), nonce, NO_DATA, key));
    const before = Buffer.from(sealed);
    cipher.chaCha20Poly1305Decrypt(sealed, nonce, NO_DATA, key);
    cipher.chaCha20Poly1305Decrypt(new Uint8ArrayList(sealed) as unknown as Bytes, nonce, NO_DATA, key);
    expect(sealed).toEqual(before);
  });

  it('leaves the text that is sealed as it is', () => {
    const text = randomBytes(1_000);
    const parts = inParts(text);
    cipher.chaCha20Poly1305Encrypt(parts, nonce, NO_DATA, key);
    expect(bytes(parts)).toEqual(text);
  });

  const sealed = bytes(cipher.chaCha20Poly1305Encrypt(randomBytes(100), nonce, NO_DATA, key));
  it.each<[string, () => unknown]>([
    ...[0, 50, 99, 100, 115].map((at): [string, () => unknown] => [
      `whose byte ${at} was changed`,
      () => {
        const changed = Buffer.from(sealed);
        changed[at] = (changed[at] ?? 0) ^ 1;
        return cipher.chaCha20Poly1305Decrypt(changed, nonce, NO_DATA, key, changed.subarray(0, 100));
      },
    ]),
    ['of another key', () => cipher.chaCha20Poly1305Decrypt(sealed, nonce, NO_DATA, randomBytes(32))],
    ['of another nonce', () => cipher.chaCha20Poly1305Decrypt(sealed, randomBytes(12), NO_DATA, key)],
    ['with other data beside it', () => cipher.chaCha20Poly1305Decrypt(sealed, nonce, randomBytes(32), key)],
    ['that is cut off', () => cipher.chaCha20Poly1305Decrypt(sealed.subarray(0, 90), nonce, NO_DATA, key)],
    [
      'that is shorter than a tag',
      () => cipher.chaCha20Poly1305Decrypt(sealed.subarray(0, 15), nonce, NO_DATA, key),
    ],
    ['that is empty', () => cipher.chaCha20Poly1305Decrypt(NO_DATA, nonce, NO_DATA, key)],
  ])('refuses a message %s', (_what, open) => {
    expect(open).toThrow();
  });

  it('is Noise’s own where the system has no libsodium', () => {
    expect(noiseCrypto({ sodium: null, trouble: null })).toBe(defaultCrypto);
  });
});

describe('a libsodium that does not load', () => {
  const failing = (code: string) =>
    loadSodium(() => {
      throw Object.assign(new Error('Cannot load addon'), { code });
    });
  const logged = (loaded: ReturnType<typeof loadSodium>) => {
    const log = { info: vi.fn(), warn: vi.fn() };
    logCipher(log, loaded);
    return [log.info, log.warn].map(({ mock }) => mock.calls.length);
  };

  it('is replaced by what Noise chooses', () => {
    expect(noiseCrypto(failing('CANNOT_LOAD'))).toBe(defaultCrypto);
  });

  it('is warned of where it is broken, told where there is none for the system, and not spoken of where it is there', () => {
    expect(logged(failing('CANNOT_LOAD'))).toEqual([0, 1]);
    expect(logged(failing('ADDON_NOT_FOUND'))).toEqual([1, 0]);
    expect(logged(loadSodium())).toEqual([0, 0]);
  });
});
