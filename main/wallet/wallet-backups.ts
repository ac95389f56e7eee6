/** Backups of wallet and channels: made by whoever has the passphrase, restored where there is no wallet yet. */
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
import { writeFileAtomic } from '../util/atomic-write.ts';
import { accountFromPhrase } from './account.ts';
import { type BackupContent, decodeBackup, encodeBackup, readBackup, writeBackup } from './backup.ts';
import { channelsOf, restoreChannels } from './channel-backup.ts';
import { createDevice, deviceFromSeed } from './device.ts';
import { walletFacts } from './keystore.ts';
import { knowDevice } from './known-devices.ts';
import type { WalletDesk } from './wallet-manager.ts';

export interface WalletBackupsOptions {
  readonly desk: WalletDesk;
  readonly walletPath: string;
  readonly nodeDbPath: string;
  readonly networkPath: string;
  readonly nowMs: () => number;
  /** Where this node joined, or is to join; `null` for a network of its own. */
  readonly joinMultiaddr: () => string | null;
}

export class WalletBackups {
  readonly #options: WalletBackupsOptions;

  constructor(options: WalletBackupsOptions) {
    this.#options = options;
  }

  /**
   * @throws AceError `WalletLocked`, `WalletInvalid` (a passphrase that is too short), `NotAllowed` (no phrase here),
   * `NodeNotRunning` (no network yet), `MessageTooLarge` (too large to be carried: give a path), as `writeBackup`
   */
  make({ path, passphrase, replace }: CheckedInput<'walletBackup'>): Promise<WalletOutputs['walletBackup']> {
    const { desk, walletPath, nowMs } = this.#options;
    return desk.alone(async () => {
      const { phrase, deviceSeed } = await desk.secrets(passphrase);
      const { protection } = await walletFacts(walletPath);
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
      await desk.backedUp(createdAtMs);
      const base64 = path === undefined ? Buffer.from(text).toString('base64') : null;
      return { path: path ?? null, fileName, base64, sizeBytes };
    });
  }

  /**
   * As a new device of the account. Books first, then the wallet: interrupted, it can be done again.
   * @throws AceError `WalletLocked` (wrong passphrase), `WalletInvalid`, `InvalidInput`, `DataDirMismatch`, `FileMissing`,
   * `StoreFailed`, and why the node does not start
   */
  restore(input: CheckedInput<'walletRestoreBackup'>): Promise<WalletOutputs['walletRestoreBackup']> {
    const { desk, nodeDbPath, networkPath, nowMs, joinMultiaddr } = this.#options;
    return desk.alone(async () => {
      desk.checkNone();
      const [text, name] = await textOf(input);
      const content = await decodeBackup(text, input.passphrase, name);
      if (accountOf(content.phrase) !== content.account) {
        throw new AceError('WalletInvalid', `${name} is damaged: its account is not its phrase’s`);
      }
      desk.checkOwner(content.account);
      const joins = joinMultiaddr() ?? content.joinMultiaddr;
      if (joins === null) {
        throw new AceError(
          'InvalidInput',
          `The backup is of ${content.networkId}, which ran inside the node that made it: give --join with its address`,
          { details: { field: 'join' } },
        );
      }
      mkdirSync(dirname(nodeDbPath), { recursive: true, mode: 0o700 });
      const store = openNodeStore(nodeDbPath);
      try {
        const known = store.meta.get('network');
        if (known !== null && known !== content.networkId) {
          throw new AceError('DataDirMismatch', `The books here are of ${known}, not ${content.networkId}`);
        }
        store.commit(() => {
          store.meta.set('network', content.networkId);
          store.meta.set('account', content.account);
          knowDevice(store, content.device);
          restoreChannels(store, content.channels, nowMs());
        });
      } finally {
        store.close();
      }
      const network = { mode: 'joined', multiaddr: joins };
      await writeFileAtomic(networkPath, `${JSON.stringify(network, null, 2)}\n`, 0o600);
      const secrets = { phrase: content.phrase, deviceSeed: createDevice().seed() };
      await desk.take(secrets, input.passphrase, input.remember);
      const { earning, paying } = content.channels;
      const unclaimed = earning.map(({ paidUnits, claimedUnits }) => Math.max(0, paidUnits - claimedUnits));
      return {
        ...(await desk.launch()),
        restored: {
          createdAtMs: content.createdAtMs,
          earningChannels: earning.length,
          unclaimedUnits: unclaimed.reduce((sum, units) => sum + units, 0),
          payingChannels: paying.length,
        },
      };
    });
  }

  #content(phrase: string, deviceSeed: Uint8Array, createdAtMs: number): BackupContent {
    const { desk, joinMultiaddr } = this.#options;
    return desk.options.withStore((store) => {
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
      details: { field: 'path' },
    });
  }
  if (path !== undefined) return [await readBackup(path), path];
  return [Buffer.from(base64 ?? '', 'base64').toString('utf8'), 'The file'];
}

function accountOf(phrase: string): string {
  const account = accountFromPhrase(phrase);
  account.close();
  return account.address;
}
