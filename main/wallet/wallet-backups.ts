/** Backups of wallet and channels: made with the wallet's passphrase, restored where there is no wallet yet. */
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { AceError } from '../../shared/errors.ts';
import { toHex } from '../../shared/hex.ts';
import {
  MAX_CARRIED_BACKUP_BYTES,
  MIN_PASSPHRASE_LENGTH,
  type WalletOutputs,
} from '../../shared/rpc/wallet.ts';
import { openNodeStore } from '../db/node/store.ts';
import type { CheckedInput } from '../rpc/service.ts';
import { givenPath } from '../util/given-path.ts';
import { addressOfPhrase } from './account.ts';
import { type BackupContent, decodeBackup, encodeBackup, readBackup, writeBackup } from './backup.ts';
import { channelsOf, restoreChannels } from './channel-backup.ts';
import { createDevice, deviceFromSeed } from './device.ts';
import { knowDevice } from './known-devices.ts';
import type { WalletBooks } from './wallet-books.ts';
import type { WalletFiles } from './wallet-files.ts';

export interface WalletBackupsContext {
  readonly files: WalletFiles;
  readonly books: WalletBooks;
  readonly nodeDbPath: string;
  readonly nowMs: () => number;
  /** Where this node joined, or is to join; `null` for a network of its own. */
  readonly joinMultiaddr: () => string | null;
  /** The data directory belongs to this network from now on. */
  readonly joinNetwork: (multiaddr: string) => Promise<void>;
}

export class WalletBackups {
  readonly #context: WalletBackupsContext;

  constructor(context: WalletBackupsContext) {
    this.#context = context;
  }

  /**
   * @throws AceError `WalletLocked`, `WalletInvalid` (a passphrase that is too short), `NotAllowed` (no phrase here),
   * `NodeNotRunning` (no network yet), `MessageTooLarge` (too large to be carried: give a path), as `writeBackup`
   */
  async make({
    path: typed,
    passphrase,
    replace,
  }: CheckedInput<'walletBackup'>): Promise<WalletOutputs['walletBackup']> {
    const path = typed === undefined ? undefined : givenPath(typed);
    const { files, books, nowMs } = this.#context;
    const { phrase, deviceSeed } = await files.secrets(passphrase);
    const { protection } = await files.readFacts();
    if (protection !== 'passphrase' && passphrase.length < MIN_PASSPHRASE_LENGTH) {
      throw new AceError(
        'WalletInvalid',
        `Give the backup a passphrase of ${MIN_PASSPHRASE_LENGTH} characters or more: the wallet has none of its own`,
        { details: { reason: 'passphrase-short' } },
      );
    }
    const createdAtMs = nowMs();
    const text = await encodeBackup(this.#content(phrase, deviceSeed, createdAtMs), passphrase);
    const sizeBytes = Buffer.byteLength(text);
    const fileName = `ace-node-backup-${new Date(createdAtMs).toISOString().slice(0, 10)}.json`;
    if (path === undefined && sizeBytes > MAX_CARRIED_BACKUP_BYTES) {
      throw new AceError(
        'MessageTooLarge',
        'The backup is too large for a page: make it with ace-node wallet backup FILE',
        { details: { sizeBytes } },
      );
    }
    if (path !== undefined) await writeBackup(path, text, { replace });
    books.setLastBackup(createdAtMs);
    const base64 = path === undefined ? Buffer.from(text).toString('base64') : null;
    return { path: path ?? null, fileName, base64, sizeBytes };
  }

  /**
   * As a new device of the account. Books first, then the wallet: interrupted, it can be done again. The node is not
   * started here.
   * @throws AceError `WalletLocked` (wrong passphrase), `WalletInvalid`, `InvalidInput`, `DataDirMismatch`, `FileMissing`,
   * `StoreFailed`
   */
  async restore(
    input: CheckedInput<'walletRestoreBackup'>,
  ): Promise<WalletOutputs['walletRestoreBackup']['restored']> {
    const { files, books, joinMultiaddr, joinNetwork } = this.#context;
    files.checkNone();
    const [text, name] = await textOf(input);
    const content = await decodeBackup(text, input.passphrase, name);
    if (addressOfPhrase(content.phrase) !== content.account) {
      throw new AceError('WalletInvalid', `${name} is damaged: its account is not its phrase’s`);
    }
    books.checkOwner(content.account);
    const joins = joinMultiaddr() ?? content.joinMultiaddr;
    if (joins === null) {
      throw new AceError(
        'InvalidInput',
        `The backup is of ${content.networkId}, which ran inside the node that made it: give --join with its address`,
        { details: { field: 'join', reason: 'backup-join' } },
      );
    }
    this.#restoreBooks(content);
    await joinNetwork(joins);
    const secrets = { phrase: content.phrase, deviceSeed: createDevice().seed() };
    await files.keep(secrets, input.passphrase, input.remember);
    const { earning, paying } = content.channels;
    const unclaimed = earning.map(({ paidUnits, claimedUnits }) => Math.max(0, paidUnits - claimedUnits));
    return {
      createdAtMs: content.createdAtMs,
      earningChannels: earning.length,
      unclaimedUnits: unclaimed.reduce((sum, units) => sum + units, 0),
      payingChannels: paying.length,
    };
  }

  /** @throws AceError `DataDirMismatch` when the books here are of another network; `StoreFailed` */
  #restoreBooks({ networkId, account, device, channels }: BackupContent): void {
    const { nodeDbPath, nowMs } = this.#context;
    mkdirSync(dirname(nodeDbPath), { recursive: true, mode: 0o700 });
    const store = openNodeStore(nodeDbPath);
    try {
      const known = store.meta.get('network');
      if (known !== null && known !== networkId) {
        throw new AceError('DataDirMismatch', `The books here are of ${known}, not ${networkId}`);
      }
      store.commit(() => {
        store.meta.set('network', networkId);
        store.meta.set('account', account);
        knowDevice(store, device);
        restoreChannels(store, channels, nowMs());
      });
    } finally {
      store.close();
    }
  }

  #content(phrase: string, deviceSeed: Uint8Array, createdAtMs: number): BackupContent {
    const { books, joinMultiaddr } = this.#context;
    return books.withStore((store) => {
      const [networkId, account] = [store?.meta.get('network'), store?.meta.get('account')];
      if (!store || !networkId || !account) {
        throw new AceError('NodeNotRunning', 'There is nothing to back up yet: start the node once');
      }
      const device = toHex(deviceFromSeed(deviceSeed).publicKey);
      const channels = channelsOf(store);
      return { createdAtMs, networkId, joinMultiaddr: joinMultiaddr(), account, device, phrase, channels };
    });
  }
}

async function textOf({
  path,
  base64,
}: CheckedInput<'walletRestoreBackup'>): Promise<[text: string, name: string]> {
  if ((path === undefined) === (base64 === undefined)) {
    throw new AceError('InvalidInput', 'Give a backup: either its path or its content', {
      details: { field: 'path', reason: 'backup-none' },
    });
  }
  if (path !== undefined) return [await readBackup(givenPath(path)), path];
  return [Buffer.from(base64 ?? '', 'base64').toString('utf8'), 'The file'];
}
