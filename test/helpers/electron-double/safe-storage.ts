/** The system's key store. */
import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { app } from './app-module.ts';
import { afterReady, isReadyNow, options, places } from './state.ts';

/**
 * Encrypts with a key that stays with the system, here with the home folder; or, where the desktop has no key store that
 * answers, with Chromium's own, which stands in its sources: by the first three letters, whatever the name of the key store
 * (components/os_crypt/async/browser, shell/browser/api/electron_api_safe_storage.cc). On other systems the first three letters are
 * the same for every key. An entry of the system's is named after the app (`config->application_name` there).
 */
const { keyStore = 'gnome_libsecret', keys = keyStore === 'basic_text' ? 'known' : 'own' } = options;
const KNOWN_KEY = createHash('sha256').update('peanuts').digest();
const isLinux = () => process.platform === 'linux';
const never = () => new Promise<never>(() => {});
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

function systemKey(): Buffer {
  afterReady('safeStorage');
  if (keyStore === null) throw new Error('the key store does not answer');
  const keyFile = join(places.home, `key-store of ${app.getName()}`);
  if (!existsSync(keyFile)) writeFileSync(keyFile, randomBytes(32));
  return readFileSync(keyFile);
}

function keyOf(prefix: string): Buffer {
  return prefix === 'v10' && isLinux() ? KNOWN_KEY : systemKey();
}

export const safeStorage = {
  /** Whether there is anything that encrypts, which Linux always has. */
  async isAsyncEncryptionAvailable() {
    // `pending_availability_checks_`: it waits for the key.
    if (keys === 'silent') return never();
    return isReadyNow() && keyStore !== null;
  },
  getSelectedStorageBackend() {
    afterReady('safeStorage');
    return keyStore ?? 'unknown';
  },
  async encryptStringAsync(text: string) {
    afterReady('safeStorage');
    if (keys === 'silent') return never();
    const prefix = isLinux() && (keys === 'own' || keys === 'lost') ? 'v11' : 'v10';
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv('aes-256-gcm', keyOf(prefix), nonce);
    const body = Buffer.concat([cipher.update(text), cipher.final()]);
    return Buffer.concat([Buffer.from(prefix), nonce, cipher.getAuthTag(), body]);
  },
  async decryptStringAsync(all: Buffer) {
    afterReady('safeStorage');
    const prefix = all.subarray(0, 3).toString();
    if (keys === 'silent') return never();
    if (keys !== 'own' && (prefix === 'v11' || !isLinux())) {
      throw new Error(
        keys === 'away'
          ? 'safeStorage.decryptStringAsync is temporarily unavailable. Please try again.'
          : 'Error while decrypting the ciphertext provided to safeStorage.decryptStringAsync.',
      );
    }
    const sealed = all.subarray(3);
    const decipher = createDecipheriv('aes-256-gcm', keyOf(prefix), sealed.subarray(0, NONCE_BYTES));
    decipher.setAuthTag(sealed.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES));
    const body = decipher.update(sealed.subarray(NONCE_BYTES + TAG_BYTES));
    return { result: Buffer.concat([body, decipher.final()]).toString(), shouldReEncrypt: false };
  },
};
