/**
 * A secret in the operating system's key store, by Electron's `safeStorage`: Keychain, DPAPI, GNOME or KDE's wallet keep the key,
 * a file in the data directory holds what it encrypted.
 *
 * On Linux there is always something that encrypts: where no wallet of the desktop gives a key, Chromium takes one that stands in
 * its sources, and says so by the first letters of the result alone. Neither the name of the desktop's wallet nor that
 * encryption is available says anything. So a probe is encrypted and looked at, and what has those letters is refused, written or read.
 *
 * What only the system will know is believed to be kept when it was given back once: a key store may take, and not give.
 */
import { readFile, rm } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { AceError, isAceError } from '../../shared/errors.ts';
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
}

const OWNER_ONLY = 0o600;
const PROBE = 'probe';
/** components/os_crypt: on Linux the key that everybody knows; on other systems the first letters of all. */
const KNOWN_KEY_PREFIX = 'v10';
/** shell/browser/api/electron_api_safe_storage.cc: the key is there, and cannot be had now. */
const NOT_NOW = /temporarily unavailable/;
/** The same file: what is asked waits for the key, and so for a prompt that may never be answered. Somebody there has by then. */
const ANSWER_WITHIN_MS = 60_000;

export function electronSecretStore(
  safeStorage: SafeStorageLike,
  file: string,
  platform: NodeJS.Platform = process.platform,
  answerWithinMs: number = ANSWER_WITHIN_MS,
): SecretStore {
  const protects = (sealed: Buffer) =>
    platform !== 'linux' || sealed.subarray(0, KNOWN_KEY_PREFIX.length).toString() !== KNOWN_KEY_PREFIX;
  const answer = <T>(asked: Promise<T>): Promise<T> =>
    Promise.race([
      asked,
      delay(answerWithinMs, undefined, { ref: false }).then(() => {
        throw keyStoreLocked();
      }),
    ]);
  const seal = async (text: string) => {
    const sealed = await answer(safeStorage.encryptStringAsync(text));
    if (!protects(sealed)) throw noKeyStore();
    const { result } = await answer(safeStorage.decryptStringAsync(sealed));
    if (result !== text)
      throw new AceError('StoreFailed', 'The system’s key store gives back something else');
    return sealed;
  };
  const usable = async () => {
    try {
      if (!(await answer(safeStorage.isAsyncEncryptionAvailable()))) return NO_ANSWER;
      await seal(PROBE);
      return { usable: true, why: null };
    } catch (error) {
      return isAceError(error, 'NotAllowed') ? { usable: false, why: error.message } : NO_ANSWER;
    }
  };
  const save = async (passphrase: string) => {
    const { usable: isUsable, why } = await usable();
    if (!isUsable) throw new AceError('NotAllowed', `The passphrase cannot be remembered here: ${why}`);
    try {
      // Looked at once more: a keyring may have gone since.
      const encrypted = await seal(passphrase);
      await writeFileAtomic(file, encrypted.toString('base64'), OWNER_ONLY);
    } catch (error) {
      throw notKept(storeError(error, file));
    }
  };
  return {
    usable,
    save,
    async load() {
      const text = await readKept(file);
      if (text === null) return null;
      const sealed = Buffer.from(text, 'base64');
      // Anybody could have read it, and anybody could have written it.
      if (!protects(sealed)) return null;
      try {
        const { result, shouldReEncrypt } = await answer(safeStorage.decryptStringAsync(sealed));
        // The system has a newer key; it is no reason not to start when that cannot be used now.
        if (shouldReEncrypt) await save(result).catch(() => undefined);
        return result;
      } catch (error) {
        if (isAceError(error, 'KeyStoreLocked')) throw error;
        if (error instanceof Error && NOT_NOW.test(error.message)) throw keyStoreLocked();
        // Another user, another computer, or a key that is gone, maybe for good: the owner is asked on the pages, where the phrase
        // helps, too. An app that did not start would keep them from both.
        return null;
      }
    },
    forget: () => rm(file, { force: true }),
  };
}

/** `null` where there is none. One that is there and cannot be read may hold what nobody else knows. */
async function readKept(file: string): Promise<string | null> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return null;
    throw new AceError(
      'KeyStoreLocked',
      `${file} cannot be read (${code}), which the system’s key store opens: see to it, and start Ace Node again`,
      { cause: error },
    );
  }
}

const NO_ANSWER = { usable: false, why: 'the system’s key store does not answer' };

function noKeyStore(): AceError {
  return new AceError(
    'NotAllowed',
    'this desktop has no key store that is open: GNOME’s keyring or KDE’s wallet',
  );
}

function keyStoreLocked(): AceError {
  return new AceError(
    'KeyStoreLocked',
    'The system’s key store does not give its key now: unlock the keyring, and start Ace Node again',
  );
}

/** Electron's own errors may quote what they were given. */
function notKept(error: unknown): AceError {
  if (error instanceof AceError) return error;
  return new AceError('StoreFailed', 'The system’s key store did not take the passphrase');
}
