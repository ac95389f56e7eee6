/** `ace-node wallet` */
import { Argument, type Command, InvalidArgumentError, Option } from 'commander';
import { MAX_LOCK_AFTER_MINUTES } from '../../../shared/rpc/wallet.ts';
import { notEmpty, wholeNumber } from '../option-values.ts';
import {
  walletBackupCommand,
  walletCreateCommand,
  walletDeviceKeyCommand,
  walletLockAfterCommand,
  walletLockCommand,
  walletPassphraseCommand,
  walletPhraseCommand,
  walletRestoreCommand,
  walletStatusCommand,
  walletUnlockCommand,
} from '../wallet.ts';
import { type CommandContext, type CommonOptions, ofNode } from './command-context.ts';

const NEVER = 'never';
/** The word until the action: the parser of options makes an empty text of `null`. */
type LockAfter = number | typeof NEVER;

/** Of a wallet that is made. */
export function plainOption(): Option {
  return new Option('--no-passphrase', 'keep the wallet without one: for a devnet’s play money only');
}

export function jsonOption(): Option {
  return new Option('--json', 'as JSON').default(false);
}

export function addWalletCommand(program: Command, context: CommandContext): void {
  const wallet = program.command('wallet').description('the account’s key: phrase, passphrase, lock, backup');
  ofNode(wallet.command('status', { isDefault: true }))
    .description('whether there is one, and whether it is locked')
    .addOption(jsonOption())
    .action((o: CommonOptions & { json: boolean }) => walletStatusCommand(context.configOf(o), o.json));
  addMakingCommands(wallet, context);
  addLockCommands(wallet, context);
  ofNode(wallet.command('passphrase'))
    .description('set another passphrase, or the first')
    .addOption(
      new Option('--new-passphrase-file <file>', 'file whose first line is the new passphrase').argParser(
        notEmpty,
      ),
    )
    .action((o: CommonOptions & { newPassphraseFile?: string }) =>
      walletPassphraseCommand(context.configOf(o), o.newPassphraseFile),
    );
  ofNode(wallet.command('phrase'))
    .description('show the recovery phrase')
    .option('--show', 'also where the output is no terminal', false)
    .action((o: CommonOptions & { show: boolean }) => walletPhraseCommand(context.configOf(o), o.show));
  ofNode(wallet.command('backup'))
    .argument('<file>', undefined, notEmpty)
    .description('write wallet and channels into one encrypted file')
    .option('--force', 'overwrite an earlier backup', false)
    .action((file: string, o: CommonOptions & { force: boolean }) =>
      walletBackupCommand(context.configOf(o), file, o.force),
    );
}

function addMakingCommands(wallet: Command, context: CommandContext): void {
  ofNode(wallet.command('create'))
    .description('make a new account, and show its recovery phrase')
    .addOption(new Option('--words <n>', '12 or 24').argParser(wordCount).default(12))
    .addOption(new Option('--no-confirm', 'print the phrase without asking for some of its words'))
    .addOption(plainOption())
    .action((o: CommonOptions & { words: 12 | 24; confirm: boolean; passphrase: boolean }) =>
      walletCreateCommand(context.configOf(o), { words: o.words, confirm: o.confirm, plain: !o.passphrase }),
    );
  ofNode(wallet.command('restore'))
    .argument('[backup]', 'file of ace-node wallet backup; without it the phrase is asked for', notEmpty)
    .description(
      'bring an account back from its phrase (typed, or on standard input) or from a backup; where its wallet is already, the phrase sets a new passphrase',
    )
    .addOption(plainOption())
    .action((file: string | undefined, o: CommonOptions & { passphrase: boolean }) =>
      walletRestoreCommand(context.configOf(o), file, { plain: !o.passphrase }),
    );
}

function addLockCommands(wallet: Command, context: CommandContext): void {
  ofNode(wallet.command('unlock'))
    .description('let the account sign: send, mint, swap, link')
    .addOption(
      new Option(
        '--lock-after <minutes>',
        'lock again after this long without an operation, or never',
      ).argParser(lockAfter),
    )
    .action((o: CommonOptions & { lockAfter?: LockAfter }) =>
      walletUnlockCommand(
        context.configOf(o),
        o.lockAfter === undefined ? undefined : inMinutes(o.lockAfter),
      ),
    );
  ofNode(wallet.command('lock'))
    .description('take the account’s key out of memory; the node goes on')
    .action((o: CommonOptions) => walletLockCommand(context.configOf(o)));
  ofNode(wallet.command('device-key'))
    .addArgument(new Argument('<what>').choices(['keep', 'forget']))
    .description(
      'keep this device’s key on the disk, or forget it: with it a restarted node shares, earns and pays within its leases before it is unlocked',
    )
    .action((what: 'keep' | 'forget', o: CommonOptions) =>
      walletDeviceKeyCommand(context.configOf(o), what === 'keep'),
    );
  ofNode(wallet.command('lock-after'))
    .argument('<minutes>', 'without an operation; or never', lockAfter)
    .description('when the wallet locks by itself')
    .action((minutes: LockAfter, o: CommonOptions) =>
      walletLockAfterCommand(context.configOf(o), inMinutes(minutes)),
    );
}

function lockAfter(text: string): LockAfter {
  return text === NEVER ? NEVER : wholeNumber(1, MAX_LOCK_AFTER_MINUTES)(text);
}

function inMinutes(lockAfter: LockAfter): number | null {
  return lockAfter === NEVER ? null : lockAfter;
}

function wordCount(text: string): 12 | 24 {
  if (text === '12' || text === '24') return Number(text) as 12 | 24;
  throw new InvalidArgumentError('A phrase has 12 or 24 words.');
}
