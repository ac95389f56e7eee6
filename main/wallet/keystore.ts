/**
 * `wallet.json`: the recovery phrase and the device seed of one installation, at rest. A device that was linked to an
 * account without its phrase has its certificate instead.
 *
 * With a passphrase they are encrypted. Without one they are in the file as they are, which is only for devnets, and
 * the file says so. Nothing of either ever gets into an error.
 */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { AceError } from '../../shared/errors.ts';
import { fromHex, toHex } from '../../shared/hex.ts';
import { storeError } from '../db/open.ts';
import { writeFileAtomic } from '../util/atomic-write.ts';
import { parseJson, parseVersioned } from '../util/versioned-file.ts';
import { DEVICE_KEY_BYTES } from './device.ts';
import { parsePhrase } from './phrase.ts';
import { checksum, hexText, seal, sealedSchema, unseal } from './seal.ts';

export interface WalletSecrets {
  /** BIP-39 recovery phrase; `null` on a device that has only a certificate of its account. */
  readonly phrase: string | null;
  /** 32 bytes: the device's Ed25519 private key. */
  readonly deviceSeed: Uint8Array;
  /** The account's certificate for this device, canonical bytes; there exactly when there is no phrase. */
  readonly certificate?: Uint8Array;
}

/** What can be read of the file without opening it. */
export interface WalletFacts {
  /** `system`: only the operating system's key store knows the passphrase. */
  readonly protection: 'passphrase' | 'system' | 'none';
  /** The user has seen the phrase and typed it back, or typed it in. */
  readonly phraseConfirmed: boolean;
}

export type WalletProtection =
  | {
      readonly protection: 'passphrase';
      readonly passphrase: string;
      /** Who knows it; the user when left out. */
      readonly knownBy?: 'user' | 'system';
    }
  /** Confirms that the wallet belongs to a devnet, where tokens are play money. */
  | { readonly protection: 'none'; readonly devnet: true };

export interface SaveOptions {
  /** Overwrite the wallet that is there, for a new passphrase. Off by default: a wallet is never lost by accident. */
  readonly replace?: boolean;
  readonly phraseConfirmed?: boolean;
}

const FORMAT = 'ace-wallet';
const VERSION = 2;
const OWNER_ONLY = 0o600;
const WARNING = 'NOT ENCRYPTED: whoever reads this file has the keys. For devnets only.';

const firstSecrets = z.strictObject({ phrase: z.string(), deviceSeed: hexText(DEVICE_KEY_BYTES) });
const secretsSchema = z.union([
  firstSecrets,
  z.strictObject({ phrase: z.null(), certificate: hexText(), deviceSeed: hexText(DEVICE_KEY_BYTES) }),
]);
const first = { format: z.literal(FORMAT), version: z.literal(1) };
const second = { format: z.literal(FORMAT), version: z.literal(VERSION), phraseConfirmed: z.boolean() };
const sealed = {
  protection: z.literal('passphrase'),
  scryptAes256Gcm: sealedSchema,
  // Distinguishes a damaged file from a wrong passphrase.
  sha256: hexText(32),
};
const plain = { protection: z.literal('none'), warning: z.string() };
const walletSchema = z.union([
  z.strictObject({ ...second, ...sealed, knownBy: z.enum(['user', 'system']) }),
  z.strictObject({ ...second, ...plain, secrets: secretsSchema }),
  z.strictObject({ ...first, ...sealed }),
  z.strictObject({ ...first, ...plain, secrets: firstSecrets }),
]);
type WalletFile = z.infer<typeof walletSchema>;

export function walletExists(path: string): boolean {
  return existsSync(path);
}

/** @throws AceError `WalletInvalid` when there is a wallet */
export function checkNoWallet(path: string): void {
  if (!walletExists(path)) return;
  throw new AceError('WalletInvalid', `There is a wallet already (${path}): choose another --data-dir`);
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
  { replace = false, phraseConfirmed = false }: SaveOptions = {},
): Promise<void> {
  if (!replace) checkNoWallet(path);
  const file = await toFile(secrets, protection, phraseConfirmed);
  try {
    await writeFileAtomic(path, `${JSON.stringify(file, null, 2)}\n`, OWNER_ONLY);
  } catch (error) {
    throw storeError(error, path);
  }
}

/** How the wallet is protected: whether to ask for a passphrase. @throws AceError as {@link openWallet} */
export async function walletFacts(path: string): Promise<WalletFacts> {
  const file = await readWallet(path);
  const bySystem = 'knownBy' in file && file.knownBy === 'system';
  return {
    protection: bySystem ? 'system' : file.protection,
    phraseConfirmed: file.version === VERSION && file.phraseConfirmed,
  };
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
  const plain = await unseal(file.scryptAes256Gcm, protection.passphrase, context(file.version));
  try {
    return toSecrets(parseJson(plain.toString('utf8'), path, damaged), path);
  } finally {
    plain.fill(0);
  }
}

/** Bound to the ciphertext. */
function context(version: number): string {
  return `${FORMAT}-${version}`;
}

async function toFile(
  { phrase, deviceSeed, certificate }: WalletSecrets,
  protection: WalletProtection,
  phraseConfirmed: boolean,
): Promise<WalletFile> {
  if (deviceSeed.length !== DEVICE_KEY_BYTES)
    throw new AceError('WalletInvalid', 'A device seed is 32 bytes');
  const seed = toHex(deviceSeed);
  const secrets =
    phrase === null
      ? { phrase, certificate: toHex(certificate ?? noCertificate()), deviceSeed: seed }
      : { phrase: parsePhrase(phrase), deviceSeed: seed };
  const header = { format: FORMAT, version: VERSION, phraseConfirmed } as const;
  if (protection.protection === 'none') {
    if (!protection.devnet)
      throw new AceError('WalletInvalid', 'A wallet without a passphrase is for a devnet only');
    return { ...header, protection: 'none', warning: WARNING, secrets };
  }
  if (protection.passphrase === '') throw new AceError('WalletInvalid', 'The passphrase is empty');
  const content = Buffer.from(JSON.stringify(secrets));
  try {
    const sealed = await seal(content, protection.passphrase, context(VERSION));
    const { knownBy = 'user' } = protection;
    return {
      ...header,
      protection: 'passphrase',
      knownBy,
      scryptAes256Gcm: sealed,
      sha256: checksum(sealed),
    };
  } finally {
    content.fill(0);
  }
}

function noCertificate(): never {
  throw new AceError('WalletInvalid', 'A device without a phrase needs a certificate of its account');
}

async function readWallet(path: string): Promise<WalletFile> {
  const json = parseVersioned(await readText(path), { format: FORMAT, newest: VERSION }, path, damaged);
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

function toSecrets(value: unknown, path: string): WalletSecrets {
  const secrets = secretsSchema.safeParse(value);
  if (!secrets.success) throw damaged(path);
  const { phrase, deviceSeed } = secrets.data;
  const seed = fromHex(deviceSeed);
  if (phrase !== null) return { phrase: parsePhrase(phrase), deviceSeed: seed };
  return {
    phrase,
    deviceSeed: seed,
    certificate: fromHex(secrets.data.certificate),
  };
}

function damaged(path: string): AceError {
  return new AceError('WalletInvalid', `The wallet file is damaged or cut short: ${path}`, {
    details: { reason: 'damaged' },
  });
}
