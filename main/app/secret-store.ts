/**
 * The wallet's passphrase in the operating system's key store, by Electron's `safeStorage`: Keychain, DPAPI, GNOME or
 * KDE's wallet encrypt it, a file in the data directory holds the result. Linux without such a wallet has only
 * `basic_text`, whose key stands in Electron's source: that protects nothing and is refused.
 */
import { readFile, rm } from 'node:fs/promises';
import { AceError } from '../../shared/errors.ts';
import { storeError } from '../db/open.ts';
import { writeFileAtomic } from '../util/atomic-write.ts';
import type { SecretStore } from '../wallet/secret-store.ts';

/** What this needs of Electron's `safeStorage`. It answers once the app is ready. */
export interface SafeStorageLike {
  isAsyncEncryptionAvailable(): Promise<boolean>;
  encryptStringAsync(plainText: string): Promise<Buffer>;
  decryptStringAsync(
    encrypted: Buffer,
  ): Promise<{ readonly result: string; readonly shouldReEncrypt: boolean }>;
  /** Linux only. */
  getSelectedStorageBackend?(): string;
}

const OWNER_ONLY = 0o600;
/** Not known yet, and known to be none. */
const NO_BACKEND = ['unknown', 'basic_text'];

export function electronSecretStore(
  safeStorage: SafeStorageLike,
  file: string,
  platform: NodeJS.Platform = process.platform,
): SecretStore {
  const usable = async () => {
    if (!(await safeStorage.isAsyncEncryptionAvailable().catch(() => false))) {
      return { usable: false, why: 'the system’s key store does not answer' };
    }
    const backend = platform === 'linux' ? (safeStorage.getSelectedStorageBackend?.() ?? 'unknown') : null;
    if (backend === null || !NO_BACKEND.includes(backend)) return { usable: true, why: null };
    return { usable: false, why: 'this desktop has no key store: GNOME’s keyring or KDE’s wallet' };
  };
  const save = async (passphrase: string) => {
    const { usable: isUsable, why } = await usable();
    if (!isUsable) throw new AceError('NotAllowed', `The passphrase cannot be remembered here: ${why}`);
    try {
      const encrypted = await safeStorage.encryptStringAsync(passphrase);
      await writeFileAtomic(file, encrypted.toString('base64'), OWNER_ONLY);
    } catch (error) {
      throw notKept(storeError(error, file));
    }
  };
  return {
    usable,
    save,
    async load() {
      const text = await readFile(file, 'utf8').catch(() => null);
      if (text === null || !(await usable()).usable) return null;
      try {
        const { result, shouldReEncrypt } = await safeStorage.decryptStringAsync(Buffer.from(text, 'base64'));
        // The system has a newer key; it is no reason not to start when that cannot be used now.
        if (shouldReEncrypt) await save(result).catch(() => undefined);
        return result;
      } catch {
        // Another user, another computer, or the key was removed: the owner is asked.
        return null;
      }
    },
    forget: () => rm(file, { force: true }),
  };
}

/** Electron's own errors may quote what they were given. */
function notKept(error: unknown): AceError {
  if (error instanceof AceError) return error;
  return new AceError('StoreFailed', 'The system’s key store did not take the passphrase');
}
