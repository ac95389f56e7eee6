/** `ace-node wallet …`: made, restored, locked, protected, backed up. */
import { text } from 'node:stream/consumers';
import { AceError } from '../../shared/errors.ts';
import type { WalletStateView } from '../../shared/rpc/wallet.ts';
import type { NodeConfig } from '../data-dir/config.ts';
import { DataDir } from '../data-dir/data-dir.ts';
import { givenPath } from '../util/given-path.ts';
import { checkNewPassphrase } from '../wallet/passphrase-rule.ts';
import {
  ask,
  askHidden,
  isInteractive,
  neededPassphrase,
  newPassphrase,
  passphraseFrom,
} from './passphrase.ts';
import { print } from './print.ts';
import { checkTarget } from './save-file.ts';
import { checkNoWallet, type WalletConnection, withWallet } from './wallet-connection.ts';

export interface ProtectOptions {
  /** Of a new wallet. */
  readonly plain?: boolean;
}

export async function walletStatusCommand(config: NodeConfig, json: boolean): Promise<void> {
  await withWallet(config, async (connection) => {
    const state = await connection.call('walletState', {});
    print(json ? JSON.stringify(state, null, 2) : describe(state));
  });
}

/** Shows the phrase, and has some of its words typed back before anything is kept. */
export async function walletCreateCommand(
  config: NodeConfig,
  options: ProtectOptions & { readonly words: 12 | 24; readonly confirm: boolean },
): Promise<void> {
  await withWallet(config, async (connection) => {
    checkNoWallet(config);
    if (options.confirm && !isInteractive()) {
      throw new AceError(
        'InvalidInput',
        'The new phrase has to be confirmed in a terminal; a script that keeps it says --no-confirm',
      );
    }
    // First: a phrase that is shown and then not kept might be written down all the same.
    const passphrase = await passphraseOfNew(config, options);
    const { phrase, confirmPositions } = await connection.call('walletCreate', { words: options.words });
    const shown = phrase.split(' ').map((word, i) => `${String(i + 1).padStart(2)}. ${word}`);
    if (options.confirm) {
      process.stderr.write(
        `Write these words down, in this order. They are the account: whoever has them has it, and nobody can give them to you again.\n\n${shown.join('\n')}\n\n`,
      );
    } else print(phrase);
    const words: { position: number; word: string }[] = [];
    for (const position of confirmPositions) {
      const word = options.confirm
        ? await ask(`Word ${position}: `)
        : (phrase.split(' ')[position - 1] ?? '');
      words.push({ position, word });
    }
    printState(await connection.call('walletConfirm', { words, passphrase }));
  });
}

/** From a backup file, or from the phrase: typed, or on standard input. */
export async function walletRestoreCommand(
  config: NodeConfig,
  file: string | undefined,
  options: ProtectOptions,
): Promise<void> {
  await withWallet(config, async (connection) => {
    const { status } = await connection.call('walletState', {});
    if (status !== 'none' && file === undefined) return resetPassphrase(connection, config, options);
    checkNoWallet(config);
    if (file !== undefined) {
      const passphrase = await neededPassphrase(config, 'Passphrase of the backup: ');
      const { restored, ...state } = await connection.call('walletRestoreBackup', {
        path: givenPath(file),
        passphrase,
      });
      printState(state);
      print(
        `Restored from ${new Date(restored.createdAtMs).toISOString()}: ${countOf(restored.earningChannels, 'channel')} on which it was paid (${restored.unclaimedUnits} MiB to claim), ${restored.payingChannels} on which it paid; ${restored.payingChannels === 1 ? 'it is not paid on' : 'none of them is paid on'} again.`,
      );
      return;
    }
    const phrase = await typedPhrase(config, options);
    const passphrase = await passphraseOfNew(config, options);
    printState(await connection.call('walletRestore', { phrase, passphrase }));
  });
}

/** The wallet is there, and its passphrase is forgotten. */
async function resetPassphrase(
  connection: WalletConnection,
  config: NodeConfig,
  options: ProtectOptions,
): Promise<void> {
  if (options.plain) {
    throw new AceError('InvalidInput', 'The wallet that is here gets a new passphrase, not none');
  }
  if (isInteractive()) {
    process.stderr.write(
      'There is a wallet here: its phrase gives it a new passphrase, and all else stays.\n',
    );
  }
  const phrase = await typedPhrase(config, options);
  const passphrase = await newPassphrase(config.passphrase, 'A new passphrase for the wallet');
  const { newDevice, ...state } = await connection.call('walletResetPassphrase', { phrase, passphrase });
  printState(state);
  print(
    newDevice
      ? 'The wallet has the new passphrase. The library and the books stay; the device’s key was lost with the passphrase before, so this is a new device of the account: what was earned is claimed, and channels on which it paid are not paid on again.'
      : 'The wallet has the new passphrase. The library, the books and the channels stay.',
  );
}

async function typedPhrase(config: NodeConfig, { plain }: ProtectOptions): Promise<string> {
  // A passphrase that will not do is refused before the phrase is asked for.
  if (!plain && config.passphrase !== undefined) checkNewPassphrase(config.passphrase);
  const phrase = isInteractive() ? await askHidden('Recovery phrase: ') : await text(process.stdin);
  return phrase.trim();
}

export async function walletUnlockCommand(
  config: NodeConfig,
  lockAfter: number | null | undefined,
): Promise<void> {
  await withWallet(config, async (connection) => {
    const passphrase = await neededPassphrase(config, 'Passphrase of the wallet: ');
    const state = await connection.call('walletUnlock', {
      passphrase,
      ...(lockAfter !== undefined && { lockAfterMinutes: lockAfter }),
    });
    printState(state);
  });
}

export async function walletLockCommand(config: NodeConfig): Promise<void> {
  await withWallet(config, async (connection) => printState(await connection.call('walletLock', {})));
}

export async function walletLockAfterCommand(
  config: NodeConfig,
  lockAfterMinutes: number | null,
): Promise<void> {
  await withWallet(config, async (connection) =>
    printState(await connection.call('walletLockAfter', { lockAfterMinutes })),
  );
}

export async function walletDeviceKeyCommand(config: NodeConfig, keep: boolean): Promise<void> {
  await withWallet(config, async (connection) => {
    const state = await connection.call('walletKeepDevice', { keep });
    const { deviceKey } = new DataDir(config.dataDir);
    if (state.deviceKept === 'file') {
      print(
        `This device’s key is in ${deviceKey} now, not encrypted. Whoever reads that file can spend what the leases of this device allow; the account’s key stays under the passphrase.`,
      );
    }
    printState(state);
  });
}

/** A new passphrase, or the first. */
export async function walletPassphraseCommand(
  config: NodeConfig,
  newPassphraseFile: string | undefined,
): Promise<void> {
  await withWallet(config, async (connection) => {
    const current = await currentPassphrase(connection, config);
    const given = newPassphraseFile === undefined ? undefined : passphraseFrom(newPassphraseFile);
    const next = await newPassphrase(given, 'The new passphrase');
    await connection.call('walletChangePassphrase', { current, next });
    print('The wallet has the new passphrase. Backups made before keep theirs.');
  });
}

/** On a terminal only, unless a script insists: what is shown stays in whatever the output goes to. */
export async function walletPhraseCommand(config: NodeConfig, show: boolean): Promise<void> {
  if (!show && !isInteractive()) {
    throw new AceError('InvalidInput', 'The phrase is shown in a terminal; a script says --show');
  }
  await withWallet(config, async (connection) => {
    const passphrase = await currentPassphrase(connection, config);
    print((await connection.call('walletPhrase', { passphrase })).phrase);
  });
}

export async function walletBackupCommand(config: NodeConfig, file: string, replace: boolean): Promise<void> {
  const target = givenPath(file);
  await withWallet(config, async (connection) => {
    await checkTarget(target, replace);
    const own = await currentPassphrase(connection, config);
    const passphrase = own ?? (await newPassphrase(config.passphrase, 'A passphrase for the backup'));
    const { path, sizeBytes } = await connection.call('walletBackup', { path: target, passphrase, replace });
    print(
      `${path}\n${sizeBytes.toLocaleString('en')} bytes, opened by ${own === null ? 'that' : 'the wallet’s'} passphrase.`,
    );
  });
}

/** `null` for a wallet without one of its owner's. */
async function currentPassphrase(connection: WalletConnection, config: NodeConfig): Promise<string | null> {
  const { protection, status } = await connection.call('walletState', {});
  if (status === 'none')
    throw new AceError('WalletMissing', 'There is no wallet yet: ace-node wallet create');
  if (protection !== 'passphrase') return null;
  return neededPassphrase(config, 'Passphrase of the wallet: ');
}

async function passphraseOfNew(config: NodeConfig, { plain }: ProtectOptions): Promise<string | null> {
  return plain ? null : newPassphrase(config.passphrase, 'A passphrase for the wallet');
}

function countOf(count: number, what: string): string {
  return `${count} ${count === 1 ? what : `${what}s`}`;
}

function printState(state: WalletStateView): void {
  print(describe(state));
}

function describe(s: WalletStateView): string {
  const statuses: Record<WalletStateView['status'], string> = {
    none: 'there is none yet: ace-node wallet create, or restore',
    locked: s.running
      ? 'locked: the node goes on; send, mint, swap and link wait for the passphrase'
      : 'locked: it opens with its passphrase',
    unlocked: s.running ? 'unlocked' : 'unlocked for this command only: no node runs here to keep it so',
    plain: 'NOT PROTECTED: without a passphrase, for play money only',
    device: 'a device without the phrase: its account signs on the device that linked it',
  };
  const rows: [string, string][] = [['Wallet', statuses[s.status]]];
  if (s.address !== null) rows.push(['Address', s.address]);
  if (s.status === 'unlocked' || s.status === 'locked') rows.push(['Locks', locks(s)]);
  if (s.protection === 'passphrase') rows.push(['Restart', restarts(s)]);
  if (s.status !== 'none' && s.status !== 'device') {
    rows.push([
      'Phrase',
      s.phraseConfirmed ? 'written down' : 'not confirmed yet: ace-node wallet phrase shows it',
    ]);
    rows.push([
      'Last backup',
      s.lastBackupAtMs === null ? 'none from here' : new Date(s.lastBackupAtMs).toISOString(),
    ]);
  }
  return rows.map(([label, words]) => `${label.padEnd(12)} ${words}`).join('\n');
}

/** What a start does that nobody gives the passphrase to. */
function restarts({ remembered, deviceKept }: WalletStateView): string {
  if (remembered) return 'the system gives the passphrase: unlocked';
  if (deviceKept === null)
    return 'waits for the passphrase: ace-node wallet device-key keep has it share before';
  const where = deviceKept === 'system' ? 'the system’s key store' : 'a file of its own, not encrypted';
  return `shares and earns while locked: the device’s key is in ${where}`;
}

/** `wallet unlock` may have set another time than the setting, so an unlocked wallet shows its own. */
function locks({ status, running, locksAtMs, lockAfterMinutes }: WalletStateView): string {
  if (status === 'unlocked' && running) {
    return locksAtMs === null
      ? 'never by itself'
      : `at ${new Date(locksAtMs).toISOString()}, or later if it signs before then`;
  }
  if (lockAfterMinutes === null) return 'never by itself';
  const span = lockAfterMinutes === 1 ? 'a minute' : `${lockAfterMinutes} minutes`;
  return `after ${span} without an operation`;
}
