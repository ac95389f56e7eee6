/**
 * `wallet.json`: the recovery phrase and the device seed of one installation, at rest.
 *
 * With a passphrase they are encrypted. Without one they are in the file as they are, which is only for devnets, and
 * the file says so. Nothing of either ever gets into an error.
 */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { AceError } from '../../shared/errors.ts';
import { storeError } from '../db/open.ts';
import { writeFileAtomic } from './atomic-write.ts';
import { DEVICE_KEY_BYTES } from './device.ts';
import { parsePhrase } from './phrase.ts';
import { seal, unseal } from './seal.ts';

export interface WalletSecrets {
  /** BIP-39 recovery phrase. */
  readonly phrase: string;
  /** 32 bytes: the device's Ed25519 private key. */
  readonly deviceSeed: Uint8Array;
}

export type WalletProtection =
  | { readonly protection: 'passphrase'; readonly passphrase: string }
  /** Says that the wallet belongs to a devnet, where tokens are play money. */
  | { readonly protection: 'none'; readonly devnet: true };

export interface SaveOptions {
  /** Overwrite the wallet that is there, for a new passphrase. Off by default: a wallet is never lost by accident. */
  readonly replace?: boolean;
}

const FORMAT = 'ace-wallet';
const VERSION = 1;
const OWNER_ONLY = 0o600;
/** Bound to the ciphertext. */
const CONTEXT = `${FORMAT}-${VERSION}`;
const WARNING = 'NOT ENCRYPTED: whoever reads this file has the keys. For devnets only.';

const hex = (bytes?: number) =>
  z.string().regex(bytes ? new RegExp(`^[0-9a-f]{${bytes * 2}}$`) : /^([0-9a-f]{2})+$/);
const secretsSchema = z.strictObject({ phrase: z.string(), deviceSeed: hex(DEVICE_KEY_BYTES) });
const sealedSchema = z.strictObject({
  n: z.int().positive(),
  r: z.int().positive(),
  p: z.int().positive(),
  salt: hex(32),
  iv: hex(12),
  tag: hex(16),
  ciphertext: hex(),
});
const headerSchema = z.looseObject({ format: z.literal(FORMAT), version: z.int().positive() });
const common = { format: z.literal(FORMAT), version: z.literal(VERSION) };
const walletSchema = z.discriminatedUnion('protection', [
  z.strictObject({
    ...common,
    protection: z.literal('passphrase'),
    scryptAes256Gcm: sealedSchema,
    // Tells a damaged file from a wrong passphrase.
    sha256: hex(32),
  }),
  z.strictObject({ ...common, protection: z.literal('none'), warning: z.string(), secrets: secretsSchema }),
]);
type WalletFile = z.infer<typeof walletSchema>;

export function walletExists(path: string): boolean {
  return existsSync(path);
}

/**
 * Writes the wallet, readable by its owner only (mode 0600); on the disk when this resolves.
 * @throws AceError `WalletInvalid` (a wrong phrase or seed, an empty passphrase, a wallet that is there already),
 * `DataDirNotWritable`, `StoreFailed`
 */
export async function saveWallet(
  path: string,
  secrets: WalletSecrets,
  protection: WalletProtection,
  { replace = false }: SaveOptions = {},
): Promise<void> {
  if (!replace && walletExists(path))
    throw new AceError('WalletInvalid', `There is a wallet already: ${path}`);
  const file = await toFile(secrets, protection);
  try {
    await writeFileAtomic(path, `${JSON.stringify(file, null, 2)}\n`, OWNER_ONLY);
  } catch (error) {
    throw storeError(error, path);
  }
}

/** How the wallet is protected: whether to ask for a passphrase. @throws AceError as {@link openWallet} */
export async function walletProtection(path: string): Promise<WalletProtection['protection']> {
  return (await readWallet(path)).protection;
}

/**
 * Opens the wallet with what it is protected by.
 * @throws AceError `WalletLocked` (a passphrase is missing or wrong), `WalletInvalid` (damaged, of a newer version, or
 * without a passphrase outside a devnet), `FileMissing`, `FileUnreadable`
 */
export async function openWallet(path: string, protection: WalletProtection): Promise<WalletSecrets> {
  const file = await readWallet(path);
  if (file.protection === 'none') {
    if (protection.protection === 'none' && protection.devnet) return toSecrets(file.secrets, path);
    throw new AceError('WalletInvalid', `${path} has no passphrase; that is allowed on a devnet only`);
  }
  if (protection.protection === 'none') throw new AceError('WalletLocked', 'The wallet needs its passphrase');
  if (checksum(file.scryptAes256Gcm) !== file.sha256) throw damaged(path);
  const plain = await unseal(file.scryptAes256Gcm, protection.passphrase, CONTEXT);
  return toSecrets(JSON.parse(plain.toString('utf8')), path);
}

async function toFile(
  { phrase, deviceSeed }: WalletSecrets,
  protection: WalletProtection,
): Promise<WalletFile> {
  if (deviceSeed.length !== DEVICE_KEY_BYTES)
    throw new AceError('WalletInvalid', 'A device seed is 32 bytes');
  const secrets = { phrase: parsePhrase(phrase), deviceSeed: Buffer.from(deviceSeed).toString('hex') };
  if (protection.protection === 'none') {
    if (!protection.devnet)
      throw new AceError('WalletInvalid', 'A wallet without a passphrase is for a devnet only');
    return { format: FORMAT, version: VERSION, protection: 'none', warning: WARNING, secrets };
  }
  if (protection.passphrase === '') throw new AceError('WalletInvalid', 'The passphrase is empty');
  const sealed = await seal(Buffer.from(JSON.stringify(secrets)), protection.passphrase, CONTEXT);
  return {
    format: FORMAT,
    version: VERSION,
    protection: 'passphrase',
    scryptAes256Gcm: sealed,
    sha256: checksum(sealed),
  };
}

async function readWallet(path: string): Promise<WalletFile> {
  const json = parseJson(await readText(path), path);
  const header = headerSchema.safeParse(json);
  if (!header.success) throw damaged(path);
  if (header.data.version > VERSION) {
    throw new AceError(
      'WalletInvalid',
      `${path} was written by a newer Ace Node: update Ace Node to open it`,
      {
        details: { reason: 'newer-version', version: header.data.version },
      },
    );
  }
  const file = walletSchema.safeParse(json);
  if (!file.success) throw damaged(path);
  return file.data;
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    const isMissing = (cause as NodeJS.ErrnoException).code === 'ENOENT';
    if (isMissing) throw new AceError('FileMissing', `There is no wallet at ${path}`, { cause });
    throw new AceError('FileUnreadable', `The wallet cannot be read: ${path}`, { cause });
  }
}

function parseJson(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // No cause: the parser's message quotes the text, which may hold a key.
    throw damaged(path);
  }
}

function toSecrets(value: unknown, path: string): WalletSecrets {
  const secrets = secretsSchema.safeParse(value);
  if (!secrets.success) throw damaged(path);
  const { phrase, deviceSeed } = secrets.data;
  return { phrase: parsePhrase(phrase), deviceSeed: new Uint8Array(Buffer.from(deviceSeed, 'hex')) };
}

function checksum(sealed: z.infer<typeof sealedSchema>): string {
  const { n, r, p, salt, iv, tag, ciphertext } = sealed;
  return createHash('sha256').update([n, r, p, salt, iv, tag, ciphertext].join()).digest('hex');
}

function damaged(path: string): AceError {
  return new AceError('WalletInvalid', `The wallet file is damaged or cut short: ${path}`, {
    details: { reason: 'damaged' },
  });
}
