/**
 * This device's key and certificate, kept apart from the wallet, so that a node starts while its wallet is locked: it
 * streams, earns, and pays within its leases. The account's key stays under the passphrase. On the desktop the operating
 * system's key store seals it; elsewhere it lies in a file that only its owner can read, where the owner has asked for that.
 */
import { readFile, rm } from 'node:fs/promises';
import { z } from 'zod';
import { isAceError } from '../../shared/errors.ts';
import { fromHex, toHex } from '../../shared/hex.ts';
import type { WalletStateView } from '../../shared/rpc/wallet.ts';
import { storeError } from '../db/open.ts';
import { writeFileAtomic } from '../util/atomic-write.ts';
import { DEVICE_KEY_BYTES } from './device.ts';
import { hexText } from './seal.ts';
import type { SecretStore } from './secret-store.ts';

export interface KeptDevice {
  /** 32 bytes: the device's Ed25519 private key. */
  readonly deviceSeed: Uint8Array;
  /** The account's certificate for it, canonical bytes. */
  readonly certificate: Uint8Array;
}

const OWNER_ONLY = 0o600;
const keptSchema = z.strictObject({
  format: z.literal('ace-device-key-1'),
  deviceSeed: hexText(DEVICE_KEY_BYTES),
  certificate: hexText(),
});

/** A key store that is locked keeps nobody from giving the passphrase instead. */
async function whileOpen(store: SecretStore): Promise<string | null> {
  try {
    return await store.load();
  } catch (error) {
    if (isAceError(error, 'KeyStoreLocked')) return null;
    throw error;
  }
}

export class KeptDevices {
  readonly #stores: Readonly<Record<'system' | 'file', SecretStore>>;
  #where: WalletStateView['deviceKept'] = null;

  constructor(system: SecretStore, path: string) {
    this.#stores = { system, file: fileStore(path) };
  }

  /** Where it is kept, as far as was looked or written. */
  get where(): WalletStateView['deviceKept'] {
    return this.#where;
  }

  async hasSystemStore(): Promise<boolean> {
    return (await this.#stores.system.usable()).usable;
  }

  /** `null` also where it cannot be read any more: then the owner has to give the passphrase, and it is kept anew. */
  async load(): Promise<KeptDevice | null> {
    for (const where of ['system', 'file'] as const) {
      const kept = parsed(await whileOpen(this.#stores[where]));
      if (kept === null) continue;
      this.#where = where;
      return kept;
    }
    return null;
  }

  /** In the system's key store, where there is one. @throws AceError `StoreFailed`, `DataDirNotWritable` */
  async keep({ deviceSeed, certificate }: KeptDevice): Promise<void> {
    const where = (await this.hasSystemStore()) ? 'system' : 'file';
    const text = { deviceSeed: toHex(deviceSeed), certificate: toHex(certificate) };
    await this.#stores[where].save(JSON.stringify({ format: 'ace-device-key-1', ...text }));
    this.#where = where;
  }

  async forget(): Promise<void> {
    await Promise.all([this.#stores.system.forget(), this.#stores.file.forget()]);
    this.#where = null;
  }
}

function parsed(text: string | null): KeptDevice | null {
  if (text === null) return null;
  try {
    const { deviceSeed, certificate } = keptSchema.parse(JSON.parse(text));
    return { deviceSeed: fromHex(deviceSeed), certificate: fromHex(certificate) };
  } catch {
    // Zod and JSON quote what they were given.
    return null;
  }
}

/** The file system alone protects it. */
function fileStore(path: string): SecretStore {
  return {
    usable: async () => ({ usable: true, why: null }),
    load: () => readFile(path, 'utf8').catch(() => null),
    async save(text) {
      try {
        await writeFileAtomic(path, `${text}\n`, OWNER_ONLY);
      } catch (error) {
        throw storeError(error, path);
      }
    },
    forget: () => rm(path, { force: true }),
  };
}
