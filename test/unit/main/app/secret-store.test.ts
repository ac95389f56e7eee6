import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { electronSecretStore, type SafeStorageLike } from '../../../../main/app/secret-store.ts';
import { expectAceRejection } from '../../../helpers/ace-error.ts';
import { tempDir } from '../../../helpers/temp-dir.ts';

const SECRET = 'correct horse battery';

/** A key store whose encryption is only a key that has to match. */
class DoubleStorage implements SafeStorageLike {
  backend = 'gnome_libsecret';
  available = true;
  key = 1;
  shouldReEncrypt = false;

  isAsyncEncryptionAvailable = async () => this.available;
  getSelectedStorageBackend = () => this.backend;
  encryptStringAsync = async (text: string) =>
    Buffer.from([this.key, ...Buffer.from(text).map((byte) => byte ^ this.key)]);

  async decryptStringAsync(encrypted: Buffer) {
    if (encrypted[0] !== this.key) throw new Error('Error while decrypting the ciphertext provided');
    const result = Buffer.from(encrypted.subarray(1).map((byte) => byte ^ this.key)).toString();
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

  it.each(['basic_text', 'unknown'])('refuses the backend %s, and what was kept with it', async (backend) => {
    const { store, storage } = stored();
    await store.save(SECRET);
    storage.backend = backend;
    expect(await store.usable()).toMatchObject({ usable: false, why: expect.stringContaining('key store') });
    expect(await store.load()).toBeNull();
    await expectAceRejection('NotAllowed', store.save(SECRET));
  });

  it('asks for the backend on Linux only', async () => {
    const { store, storage } = stored('darwin');
    storage.backend = 'basic_text';
    expect(await store.usable()).toEqual({ usable: true, why: null });
  });

  it('is not usable while the system does not answer', async () => {
    const { store, storage } = stored();
    storage.available = false;
    expect((await store.usable()).usable).toBe(false);
    await expectAceRejection('NotAllowed', store.save(SECRET));
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
    storage.encryptStringAsync = async (text) => {
      throw new Error(`cannot encrypt ${text}`);
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
