/**
 * A backup: one encrypted file of the recovery phrase and the channels. It is restored as a new device of the account;
 * what it cannot do, however old it is, is in `channel-backup.ts`.
 */
import { existsSync } from 'node:fs';
import { open, readFile, stat } from 'node:fs/promises';
import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import * as dagCbor from '@ipld/dag-cbor';
import { z } from 'zod';
import { ADDRESS } from '../../shared/address.ts';
import { AceError } from '../../shared/errors.ts';
import { storeError } from '../db/open.ts';
import { writeFileAtomic } from '../util/atomic-write.ts';
import { parseVersioned } from '../util/versioned-file.ts';
import { channelsSchema } from './channel-backup.ts';
import { parsePhrase } from './phrase.ts';
import { checksum, hexText, seal, sealedSchema, unseal } from './seal.ts';

const FORMAT = 'ace-backup';
const VERSION = 1;
const CONTEXT = `${FORMAT}-${VERSION}`;
const OWNER_ONLY = 0o600;
/** Far above 100,000 channels. A forged file cannot take all memory. */
const MAX_FILE_BYTES = 512 * 1_048_576;
const MAX_CONTENT_BYTES = 512 * 1_048_576;

const contentSchema = z.object({
  createdAtMs: z.number().int().nonnegative(),
  networkId: z.string().min(1).max(64),
  /** Where its node joined; `null` for a network of its own, which ran inside that node. */
  joinMultiaddr: z.string().max(300).nullable(),
  account: z.string().regex(ADDRESS),
  /** Public key of the device that made it, hex. */
  device: hexText(32),
  phrase: z.string(),
  channels: channelsSchema,
});
export type BackupContent = z.infer<typeof contentSchema>;

const fileSchema = z.strictObject({
  format: z.literal(FORMAT),
  version: z.literal(VERSION),
  scryptAes256Gcm: sealedSchema,
  sha256: hexText(32),
});

/** The file's text. @throws AceError `WalletInvalid` (an empty passphrase) */
export async function encodeBackup(content: BackupContent, passphrase: string): Promise<string> {
  if (passphrase === '') throw new AceError('WalletInvalid', 'The passphrase is empty');
  const plain = dagCbor.encode(content);
  const packed = await promisify(gzip)(plain);
  try {
    const sealed = await seal(packed, passphrase, CONTEXT);
    const file = { format: FORMAT, version: VERSION, scryptAes256Gcm: sealed, sha256: checksum(sealed) };
    return `${JSON.stringify(file)}\n`;
  } finally {
    plain.fill(0);
    packed.fill(0);
  }
}

/**
 * @param name what messages call the file
 * @throws AceError `WalletLocked` (wrong passphrase), `WalletInvalid` (damaged, cut short, of a newer version, no backup)
 */
export async function decodeBackup(text: string, passphrase: string, name: string): Promise<BackupContent> {
  const json = parseVersioned(text, { format: FORMAT, newest: VERSION }, name, damaged);
  const file = fileSchema.safeParse(json);
  if (!file.success || checksum(file.data.scryptAes256Gcm) !== file.data.sha256) throw damaged(name);
  const packed = await unseal(file.data.scryptAes256Gcm, passphrase, CONTEXT);
  try {
    const plain = await promisify(gunzip)(packed, { maxOutputLength: MAX_CONTENT_BYTES });
    const content = contentSchema.parse(dagCbor.decode(plain));
    plain.fill(0);
    return { ...content, phrase: parsePhrase(content.phrase) };
  } catch {
    // No cause: what cannot be read may hold the phrase.
    throw damaged(name);
  } finally {
    packed.fill(0);
  }
}

/**
 * Writes the file whole or not at all, readable by its owner only. An earlier backup may be the only one of an account:
 * it is replaced where that was asked for, and any other file never.
 * @throws AceError `DataDirNotWritable`, `StoreFailed`, `InvalidInput`
 */
export async function writeBackup(
  path: string,
  text: string,
  { replace }: { readonly replace: boolean },
): Promise<void> {
  try {
    if (await isOther(path)) {
      throw new AceError('InvalidInput', `${path} is there already and is no backup: choose another name`, {
        details: { field: 'path', reason: 'file-is-other' },
      });
    }
    if (!replace && existsSync(path)) {
      throw new AceError(
        'InvalidInput',
        `${path} is there already: choose another name, or have it replaced`,
        {
          details: { field: 'path', reason: 'file-exists' },
        },
      );
    }
    await writeFileAtomic(path, text, OWNER_ONLY);
  } catch (error) {
    throw storeError(error, path);
  }
}

/** @throws AceError `FileMissing`, `FileUnreadable`, `WalletInvalid` */
export async function readBackup(path: string): Promise<string> {
  try {
    const found = await stat(path);
    if (!found.isFile()) throw new AceError('FileUnreadable', `${path} is not a file`);
    if (found.size > MAX_FILE_BYTES) throw damaged(path);
    return await readFile(path, 'utf8');
  } catch (cause) {
    if (cause instanceof AceError) throw cause;
    const isMissing = (cause as NodeJS.ErrnoException).code === 'ENOENT';
    if (isMissing) throw new AceError('FileMissing', `There is no backup at ${path}`, { cause });
    throw new AceError('FileUnreadable', `The backup cannot be read: ${path}`, { cause });
  }
}

/**
 * Something is there that is no backup. Only a file is opened: a pipe would wait for a writer, and with it everything
 * that wants the wallet.
 */
async function isOther(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => null);
  return found !== null && !(found.isFile() && (await isBackup(path)));
}

async function isBackup(path: string): Promise<boolean> {
  const start = Buffer.alloc(64);
  const file = await open(path, 'r');
  try {
    const { bytesRead } = await file.read(start, 0, start.length, 0);
    return start.subarray(0, bytesRead).toString().startsWith(`{"format":"${FORMAT}"`);
  } finally {
    await file.close();
  }
}

function damaged(name: string): AceError {
  return new AceError('WalletInvalid', `${name} is no backup, or it is damaged or cut short`, {
    details: { reason: 'damaged' },
  });
}
