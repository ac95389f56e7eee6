import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { electronSecretStore, type SafeStorageLike } from '../../../../main/app/secret-store.ts';
import { expectAceRejection } from '../../../helpers/ace-error.ts';
import { tempDir } from '../../../helpers/temp-dir.ts';

const SECRET = 'correct horse battery';

/** A key store whose encryption is only a key that has to match. */
class DoubleStorage implements SafeStorageLike {
  /** Of what it encrypts: on Linux `v10` is Chromium's own key. */
  prefix = 'v11';
  failure = 'Error while decrypting the ciphertext provided to safeStorage.decryptStringAsync.';
  available = true;
  key = 1;
  shouldReEncrypt = false;

  isAsyncEncryptionAvailable = async () => this.available;
  encryptStringAsync = async (text: string) =>
    Buffer.from([...Buffer.from(this.prefix), this.key, ...Buffer.from(text).map((byte) => byte ^ this.key)]);

  async decryptStringAsync(encrypted: Buffer) {
    const isOurs = encrypted.subarray(0, 3).toString() === this.prefix && encrypted[3] === this.key;
    if (!isOurs) throw new Error(this.failure);
    const result = Buffer.from(encrypted.subarray(4).map((byte) => byte ^ this.key)).toString();
    return { result, shouldReEncrypt: this.shouldReEncrypt };
  }
}

function stored(platform: NodeJS.Platform = 'linux') {
  const file = join(tempDir(), 'passphrase.sealed');
  const storage = new DoubleStorage();
  return { file, storage, store: electronSecretStore(storage, file, platform) };
}

describe('the system’s key store', () => {
  it('gives back what it was given, from a file that holds none of it and only its owner can read', async () => {
    const { store, file } = stored();
    expect(await store.load()).toBeNull();
    await store.save(SECRET);
    expect(await store.load()).toBe(SECRET);
    expect(Buffer.from(readFileSync(file, 'utf8'), 'base64').toString()).not.toContain('horse');
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  it('refuses a key that stands in Chromium’s sources, whatever the desktop’s key store is called', async () => {
    const { store, storage, file } = stored();
    storage.prefix = 'v10';
    expect(await store.usable()).toMatchObject({ usable: false, why: expect.stringContaining('key store') });
    await expectAceRejection('NotAllowed', store.save(SECRET));
    expect(existsSync(file)).toBe(false);
  });

  it('reads nothing that was kept with such a key', async () => {
    const { store, storage, file } = stored();
    storage.prefix = 'v10';
    writeFileSync(file, (await storage.encryptStringAsync(SECRET)).toString('base64'));
    expect(await store.load()).toBeNull();
  });

  it.each<NodeJS.Platform>(['darwin', 'win32'])(
    'takes those letters for what they are on %s',
    async (platform) => {
      const { store, storage } = stored(platform);
      storage.prefix = 'v10';
      expect(await store.usable()).toEqual({ usable: true, why: null });
      await store.save(SECRET);
      expect(await store.load()).toBe(SECRET);
    },
  );

  it('is not usable while the system does not answer', async () => {
    const { store, storage } = stored();
    storage.available = false;
    expect((await store.usable()).usable).toBe(false);
    await expectAceRejection('NotAllowed', store.save(SECRET));
  });

  it('tells what cannot be opened now from what never can', async () => {
    const { store, storage } = stored();
    await store.save(SECRET);
    const { failure } = storage;
    storage.key = 2;
    storage.failure = 'safeStorage.decryptStringAsync is temporarily unavailable. Please try again.';
    const error = await expectAceRejection('KeyStoreLocked', store.load());
    expect(error.message).toContain('unlock the keyring');
    storage.failure = failure;
    expect(await store.load()).toBeNull();
    // No keyring any more, maybe for good: the pages have to open, for only they restore a wallet from its phrase.
    storage.prefix = 'v10';
    expect(await store.load()).toBeNull();
    expect((await store.usable()).usable).toBe(false);
    storage.prefix = 'v11';
    expect(await store.load()).toBeNull();
    storage.key = 1;
    expect(await store.load()).toBe(SECRET);
  });

  // A wallet was made with a passphrase that nobody had any more.
  it.each<[string, (storage: DoubleStorage) => void]>([
    [
      'gives nothing back',
      (storage) => {
        storage.decryptStringAsync = async () => {
          throw new Error(storage.failure);
        };
      },
    ],
    [
      'gives something else back',
      (storage) => {
        storage.decryptStringAsync = async () => ({ result: 'else', shouldReEncrypt: false });
      },
    ],
    [
      'gives nothing back now',
      (storage) => {
        storage.decryptStringAsync = async () => {
          throw new Error('safeStorage.decryptStringAsync is temporarily unavailable. Please try again.');
        };
      },
    ],
  ])('is not usable where it takes and %s', async (_what, spoil) => {
    const { store, storage, file } = stored();
    spoil(storage);
    expect((await store.usable()).usable).toBe(false);
    await expectAceRejection('NotAllowed', store.save(SECRET));
    expect(existsSync(file)).toBe(false);
  });

  // Electron's promises wait for a prompt that nobody may see: the app was there, without a window, for ever.
  it('is waited for only so long', async () => {
    const { storage, file } = stored();
    const store = electronSecretStore(storage, file, 'linux', 1);
    await electronSecretStore(storage, file, 'linux').save(SECRET);
    const never = () => new Promise<never>(() => {});
    storage.decryptStringAsync = never;
    await expectAceRejection('KeyStoreLocked', store.load());
    expect((await store.usable()).usable).toBe(false);
    storage.isAsyncEncryptionAvailable = never;
    expect((await store.usable()).usable).toBe(false);
  });

  it('says of what cannot be read that it is there: it may open what nothing else opens', async () => {
    const { store, file } = stored();
    mkdirSync(file);
    const error = await expectAceRejection('KeyStoreLocked', store.load());
    expect(error.message).toMatch(/passphrase\.sealed cannot be read \(EISDIR\)/);
  });

  it('gives nothing for another user’s file or a damaged one, and no error', async () => {
    const { store, storage, file } = stored();
    await store.save(SECRET);
    storage.key = 2;
    expect(await store.load()).toBeNull();
    writeFileSync(file, '???');
    expect(await store.load()).toBeNull();
  });

  it('keeps it anew when the system says that its key is old', async () => {
    const { store, storage, file } = stored();
    await store.save(SECRET);
    const before = readFileSync(file);
    storage.shouldReEncrypt = true;
    const decrypt = storage.decryptStringAsync.bind(storage);
    storage.decryptStringAsync = async (encrypted) => {
      const answer = await decrypt(encrypted);
      storage.key = 3;
      return answer;
    };
    expect(await store.load()).toBe(SECRET);
    expect(readFileSync(file)).not.toEqual(before);
  });

  it('says nothing of the passphrase when the system fails', async () => {
    const { store, storage } = stored();
    const encrypt = storage.encryptStringAsync;
    storage.encryptStringAsync = async (text) => {
      if (text === SECRET) throw new Error(`cannot encrypt ${text}`);
      return encrypt(text);
    };
    const error = await expectAceRejection('StoreFailed', store.save(SECRET));
    expect(`${error.message}${String(error.cause)}`).not.toContain('horse');
  });

  it('forgets', async () => {
    const { store } = stored();
    await store.save(SECRET);
    await store.forget();
    await store.forget();
    expect(await store.load()).toBeNull();
  });
});
