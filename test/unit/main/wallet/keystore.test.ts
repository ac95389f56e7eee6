import { chmodSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  openWallet,
  saveWallet,
  type WalletProtection,
  type WalletSecrets,
  walletExists,
  walletFacts,
} from '../../../../main/wallet/keystore.ts';
import { checksum, SCRYPT_PARAMS, seal } from '../../../../main/wallet/seal.ts';
import { expectAceRejection } from '../../../helpers/ace-error.ts';
import { REAL_PARAMS } from '../../../helpers/cheap-passphrases.ts';
import { asOrdinaryUser } from '../../../helpers/ordinary-user.ts';
import { tempDir } from '../../../helpers/temp-dir.ts';

const SECRETS: WalletSecrets = {
  phrase: 'test test test test test test test test test test test junk',
  deviceSeed: new Uint8Array(32).fill(0xab),
};
const SECRET = { protection: 'passphrase', passphrase: 'correct horse' } as const satisfies WalletProtection;
const OPEN = { protection: 'none', devnet: true } as const satisfies WalletProtection;

async function saved(protection: WalletProtection): Promise<string> {
  const path = join(tempDir(), 'wallet.json');
  await saveWallet(path, SECRETS, protection);
  return path;
}

/** Changes the file's JSON. */
function change(path: string, fields: object): void {
  const json = JSON.parse(readFileSync(path, 'utf8'));
  writeFileSync(path, JSON.stringify({ ...json, ...fields }));
}

describe('key store', () => {
  it('makes a passphrase cost what it has to', async () => {
    expect(REAL_PARAMS).toEqual({ n: 131_072, r: 8, p: 1 });
    const cheap = { ...SCRYPT_PARAMS };
    Object.assign(SCRYPT_PARAMS, REAL_PARAMS);
    onTestFinished(() => void Object.assign(SCRYPT_PARAMS, cheap));
    const path = await saved(SECRET);
    expect(JSON.parse(readFileSync(path, 'utf8')).scryptAes256Gcm).toMatchObject(REAL_PARAMS);
    expect(await openWallet(path, SECRET)).toEqual(SECRETS);
  });

  it.each([SECRET, OPEN])('gives back what it was given ($protection)', async (protection) => {
    const path = await saved(protection);
    expect(await openWallet(path, protection)).toEqual(SECRETS);
    expect((await walletFacts(path)).protection).toBe(protection.protection);
  });

  it.each([SECRET, OPEN])(
    'is readable by its owner only, and leaves no other file ($protection)',
    async (protection) => {
      const path = await saved(protection);
      expect(statSync(path).mode & 0o777).toBe(0o600);
      expect(readdirSync(join(path, '..'))).toEqual(['wallet.json']);
    },
  );

  it('holds no secret in clear when it has a passphrase', async () => {
    const text = readFileSync(await saved(SECRET), 'utf8');
    expect(text).not.toContain('junk');
    expect(text).not.toContain('abababab');
    expect(JSON.parse(text).scryptAes256Gcm).toMatchObject(SCRYPT_PARAMS);
  });

  it('says in the file when it is not encrypted', async () => {
    expect(readFileSync(await saved(OPEN), 'utf8')).toContain('NOT ENCRYPTED');
  });

  it('stays locked with a wrong passphrase', async () => {
    const path = await saved(SECRET);
    const wrong = openWallet(path, { protection: 'passphrase', passphrase: 'Correct horse' });
    expect((await expectAceRejection('WalletLocked', wrong)).message).toContain('wrong');
  });

  it('stays locked without a passphrase', async () => {
    await expectAceRejection('WalletLocked', openWallet(await saved(SECRET), OPEN));
  });

  it('is refused without a passphrase outside a devnet', async () => {
    const path = await saved(OPEN);
    await expectAceRejection('WalletInvalid', openWallet(path, SECRET));
    const notDevnet = { protection: 'none', devnet: false } as unknown as WalletProtection;
    await expectAceRejection('WalletInvalid', openWallet(path, notDevnet));
    await expectAceRejection('WalletInvalid', saveWallet(join(tempDir(), 'w.json'), SECRETS, notDevnet));
  });

  it('is not overwritten by accident', async () => {
    const path = await saved(OPEN);
    const before = readFileSync(path);
    await expectAceRejection('WalletInvalid', saveWallet(path, SECRETS, OPEN));
    expect(readFileSync(path)).toEqual(before);
    await saveWallet(path, SECRETS, SECRET, { replace: true });
    expect((await walletFacts(path)).protection).toBe('passphrase');
  });

  it.each([
    ['an empty passphrase', SECRETS, { protection: 'passphrase', passphrase: '' } as const],
    ['a wrong phrase', { ...SECRETS, phrase: 'test test' }, OPEN],
    ['a short device seed', { ...SECRETS, deviceSeed: new Uint8Array(31) }, OPEN],
  ])('does not save %s', async (_, secrets, protection) => {
    const path = join(tempDir(), 'wallet.json');
    await expectAceRejection('WalletInvalid', saveWallet(path, secrets, protection));
    expect(walletExists(path)).toBe(false);
  });

  it('tells a truncated file from a wrong passphrase', async () => {
    const path = await saved(SECRET);
    const text = readFileSync(path, 'utf8');
    for (const length of [0, 1, Math.floor(text.length / 2), text.length - 3]) {
      writeFileSync(path, text.slice(0, length));
      const error = await expectAceRejection('WalletInvalid', openWallet(path, SECRET));
      expect(error.message).toContain('damaged');
    }
  });

  it.each([
    ['ciphertext', { ciphertext: '00' }],
    ['salt', { salt: '00'.repeat(32) }],
    ['cost', { n: 2 }],
  ])('tells a damaged %s from a wrong passphrase', async (_, damage) => {
    const path = await saved(SECRET);
    const { scryptAes256Gcm } = JSON.parse(readFileSync(path, 'utf8'));
    change(path, { scryptAes256Gcm: { ...scryptAes256Gcm, ...damage } });
    await expectAceRejection('WalletInvalid', openWallet(path, SECRET));
  });

  it('refuses a newer version with one clear sentence', async () => {
    const path = await saved(OPEN);
    change(path, { version: 3 });
    const error = await expectAceRejection('WalletInvalid', openWallet(path, OPEN));
    expect(error.message).toContain('newer Ace Node');
  });

  it('puts no key into an error about a damaged file', async () => {
    const path = await saved(OPEN);
    const text = readFileSync(path, 'utf8');
    writeFileSync(path, text.replace(/"phrase": /, '"phrase" '));
    const error = await expectAceRejection('WalletInvalid', openWallet(path, OPEN));
    expect(`${error.message} ${JSON.stringify(error)} ${String(error.cause)}`).not.toContain('junk');
  });

  it('says that there is no wallet', async () => {
    await expectAceRejection('FileMissing', openWallet(join(tempDir(), 'wallet.json'), OPEN));
  });

  it('says that the folder is missing', async () => {
    const path = join(tempDir(), 'missing', 'wallet.json');
    await expectAceRejection('DataDirNotWritable', saveWallet(path, SECRETS, OPEN));
  });

  it('says that the folder is read-only', async () => {
    const dir = tempDir();
    chmodSync(dir, 0o500);
    await asOrdinaryUser(dir, () =>
      expectAceRejection('DataDirNotWritable', saveWallet(join(dir, 'wallet.json'), SECRETS, OPEN)),
    );
  });

  it('keeps its old passphrase, whole, when the new file cannot be written', async () => {
    const path = await saved(SECRET);
    const [dir, before] = [join(path, '..'), readFileSync(path)];
    chmodSync(dir, 0o555);
    const next = { protection: 'passphrase', passphrase: 'another horse' } as const;
    await asOrdinaryUser(dir, () =>
      expectAceRejection('DataDirNotWritable', saveWallet(path, SECRETS, next, { replace: true })),
    );
    chmodSync(dir, 0o700);
    expect(readFileSync(path)).toEqual(before);
    expect(readdirSync(dir)).toEqual(['wallet.json']);
  });

  it('opens what the first version wrote', async () => {
    const path = await saved(OPEN);
    const { secrets, warning } = JSON.parse(readFileSync(path, 'utf8'));
    const first = { format: 'ace-wallet', version: 1, protection: 'none', warning, secrets };
    writeFileSync(path, JSON.stringify(first));
    expect(await openWallet(path, OPEN)).toEqual(SECRETS);
    expect(await walletFacts(path)).toEqual({ protection: 'none', phraseConfirmed: false });
    const sealed = await seal(Buffer.from(JSON.stringify(secrets)), SECRET.passphrase, 'ace-wallet-1');
    const protectedFirst = {
      format: 'ace-wallet',
      version: 1,
      protection: 'passphrase',
      scryptAes256Gcm: sealed,
      sha256: checksum(sealed),
    };
    writeFileSync(path, JSON.stringify(protectedFirst));
    expect(await openWallet(path, SECRET)).toEqual(SECRETS);
  });
});
