/**
 * What Noise encrypts with. Its own choice in Electron's main process is WebAssembly, for Electron's crypto library has no
 * ChaCha20-Poly1305 that Node can name; that is several times slower than machine code, and the one thing a stream's rate would
 * hang on. So libsodium's is handed to it, in Electron and in plain Node alike: docs/decisions/0024.
 */
import { createRequire } from 'node:module';
import type { ICryptoInterface } from '@chainsafe/libp2p-noise';
import { defaultCrypto } from '@chainsafe/libp2p-noise/crypto';
import type { Log } from '../process/log.ts';

/** What this needs of `sodium-native`, which has no types of its own. */
interface Sodium {
  /** `sealed` and `text` may begin at the same byte. */
  crypto_aead_chacha20poly1305_ietf_encrypt(
    sealed: Uint8Array,
    text: Uint8Array,
    ad: Uint8Array | null,
    nsec: null,
    nonce: Uint8Array,
    key: Uint8Array,
  ): number;
  /** The same. @throws Error when the tag is wrong; nothing was written then */
  crypto_aead_chacha20poly1305_ietf_decrypt(
    text: Uint8Array,
    nsec: null,
    sealed: Uint8Array,
    ad: Uint8Array | null,
    nonce: Uint8Array,
    key: Uint8Array,
  ): number;
}

const TAG_BYTES = 16;

export interface LoadedSodium {
  /** `null` where there is no binary for this system, as on a Linux with musl, or it does not load. */
  readonly sodium: Sodium | null;
  /** Why there is none. */
  readonly trouble: unknown;
}

/** Noise's own where this system has no binary of libsodium: the same bytes on the wire, only slower in Electron. */
export function noiseCrypto({ sodium }: LoadedSodium = loadSodium()): ICryptoInterface {
  return sodium === null ? defaultCrypto : { ...defaultCrypto, ...cipherOf(sodium) };
}

type Cipher = Pick<ICryptoInterface, 'chaCha20Poly1305Encrypt' | 'chaCha20Poly1305Decrypt'>;

function cipherOf(sodium: Sodium): Cipher {
  return {
    chaCha20Poly1305Encrypt(text, nonce, ad, key) {
      const sealed = Buffer.allocUnsafe(text.byteLength + TAG_BYTES);
      sodium.crypto_aead_chacha20poly1305_ietf_encrypt(
        sealed,
        text instanceof Uint8Array ? text : gather(text, sealed),
        ...[ad, null, nonce, key],
      );
      return sealed;
    },
    chaCha20Poly1305Decrypt(sealed, nonce, ad, key, dst) {
      const textBytes = sealed.byteLength - TAG_BYTES;
      if (textBytes < 0) throw new Error('A Noise message is shorter than its tag');
      // With a destination Noise has no more use for what was sealed: a message in one part is opened where it lies, and one in
      // several parts had to be put together anyway. Without one, as in the handshake, what was sealed is still hashed.
      const whole = sealed.subarray();
      const text = dst === undefined ? Buffer.allocUnsafe(textBytes) : whole.subarray(0, textBytes);
      sodium.crypto_aead_chacha20poly1305_ietf_decrypt(text, null, whole, ad, nonce, key);
      return text;
    },
  };
}

/** The parts one behind the other at the beginning of `to`, where they are then encrypted. */
function gather(parts: Iterable<Uint8Array>, to: Uint8Array): Uint8Array {
  let at = 0;
  for (const part of parts) {
    to.set(part, at);
    at += part.byteLength;
  }
  return to.subarray(0, at);
}

/** Of `require-addon`, which `sodium-native` loads its binary with. */
const NO_BINARY_CODE = 'ADDON_NOT_FOUND';

/** @param load gives the module; Node loads it once, and tries again where it could not */
export function loadSodium(
  load: () => unknown = () => createRequire(import.meta.url)('sodium-native'),
): LoadedSodium {
  try {
    return { sodium: load() as Sodium, trouble: null };
  } catch (error) {
    return { sodium: null, trouble: error };
  }
}

/** Said where a node starts: streams that are several times slower than they could be show nothing of it themselves. */
export function logCipher(log: Pick<Log, 'info' | 'warn'>, { trouble }: LoadedSodium = loadSodium()): void {
  if (trouble === null) return;
  if ((trouble as NodeJS.ErrnoException).code === NO_BINARY_CODE) {
    log.info('libsodium has no binary for this system: streams are encrypted with what Noise chooses');
  } else {
    log.warn({ err: trouble }, 'libsodium cannot be loaded: streams are encrypted with what Noise chooses');
  }
}
