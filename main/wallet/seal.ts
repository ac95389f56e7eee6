/** Passphrase encryption of the key store: scrypt makes the key, AES-256-GCM seals with it. */
import { createCipheriv, createDecipheriv, createHash, randomBytes, scrypt } from 'node:crypto';
import { z } from 'zod';
import { AceError } from '../../shared/errors.ts';

export interface ScryptParams {
  /** Cost, a power of two. */
  readonly n: number;
  /** Block size. */
  readonly r: number;
  /** Parallelisation. */
  readonly p: number;
}

/** Everything but the passphrase that opens it again. Bytes are hex. */
export interface Sealed extends ScryptParams {
  readonly salt: string;
  readonly iv: string;
  readonly tag: string;
  readonly ciphertext: string;
}

export const hexText = (bytes?: number) =>
  z.string().regex(bytes ? new RegExp(`^[0-9a-f]{${bytes * 2}}$`) : /^([0-9a-f]{2})+$/);
export const sealedSchema = z.strictObject({
  n: z.int().positive(),
  r: z.int().positive(),
  p: z.int().positive(),
  salt: hexText(32),
  iv: hexText(12),
  tag: hexText(16),
  ciphertext: hexText(),
});

/** Over all of it, hex: distinguishes a damaged file from a wrong passphrase. */
export function checksum({ n, r, p, salt, iv, tag, ciphertext }: Sealed): string {
  return createHash('sha256').update([n, r, p, salt, iv, tag, ciphertext].join()).digest('hex');
}

/** About 0.3 s and 128 MiB per guess on a desktop of today. */
export const SCRYPT_PARAMS: ScryptParams = { n: 2 ** 17, r: 8, p: 1 };
/** Most that a file may ask for, so that a forged one cannot take all memory. */
const MAX_SCRYPT_BYTES = 2 ** 30;

const KEY_BYTES = 32;
const SALT_BYTES = 32;
const IV_BYTES = 12;
const TAG_BYTES = 16;

/** `context` is bound to the content: it must be the same to open it. */
export async function seal(content: Uint8Array, passphrase: string, context: string): Promise<Sealed> {
  const [salt, iv] = [randomBytes(SALT_BYTES), randomBytes(IV_BYTES)];
  const key = await deriveKey(passphrase, salt, SCRYPT_PARAMS);
  const cipher = createCipheriv('aes-256-gcm', key, iv, { authTagLength: TAG_BYTES });
  key.fill(0);
  cipher.setAAD(Buffer.from(context));
  const ciphertext = Buffer.concat([cipher.update(content), cipher.final()]);
  return {
    ...SCRYPT_PARAMS,
    salt: salt.toString('hex'),
    iv: iv.toString('hex'),
    tag: cipher.getAuthTag().toString('hex'),
    ciphertext: ciphertext.toString('hex'),
  };
}

/** @throws AceError `WalletLocked` (wrong passphrase), `WalletInvalid` (parameters that no wallet has) */
export async function unseal(sealed: Sealed, passphrase: string, context: string): Promise<Buffer> {
  const key = await deriveKey(passphrase, Buffer.from(sealed.salt, 'hex'), sealed);
  try {
    const iv = Buffer.from(sealed.iv, 'hex');
    const decipher = createDecipheriv('aes-256-gcm', key, iv, { authTagLength: TAG_BYTES });
    decipher.setAAD(Buffer.from(context));
    decipher.setAuthTag(Buffer.from(sealed.tag, 'hex'));
    return Buffer.concat([decipher.update(Buffer.from(sealed.ciphertext, 'hex')), decipher.final()]);
  } catch {
    throw new AceError('WalletLocked', 'The passphrase is wrong', { details: { reason: 'passphrase' } });
  } finally {
    key.fill(0);
  }
}

function deriveKey(passphrase: string, salt: Buffer, { n, r, p }: ScryptParams): Promise<Buffer> {
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  const invalid = () =>
    new AceError('WalletInvalid', 'The wallet file asks for an encryption that no wallet has');
  if (128 * n * r * p > MAX_SCRYPT_BYTES) return Promise.reject(invalid());
  try {
    const options = { N: n, r, p, maxmem: 2 * MAX_SCRYPT_BYTES };
    scrypt(passphrase.normalize('NFKC'), salt, KEY_BYTES, options, (error, key) =>
      error ? reject(error) : resolve(key),
    );
  } catch {
    reject(invalid());
  }
  return promise;
}
