/** The commands of the wallet, its funds and its devices. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import { AceError } from '../../shared/errors.ts';
import { MAX_LOCK_AFTER_MINUTES } from '../../shared/rpc/wallet.ts';
import type { NodeConfig } from '../data-dir/config.ts';
import {
  DEVICES_HELP,
  deviceJoinCommand,
  deviceLinkCommand,
  deviceRequestCommand,
  devicesCommand,
  deviceUnlinkCommand,
} from './devices.ts';
import {
  type ActOptions,
  accessCommand,
  faucetCommand,
  mintCommand,
  receiveCommand,
  repaymentsCommand,
  sendCommand,
  swapCommand,
} from './operations.ts';
import { notEmpty, wholeNumber } from './option-values.ts';
import {
  walletBackupCommand,
  walletCreateCommand,
  walletLockAfterCommand,
  walletLockCommand,
  walletPassphraseCommand,
  walletPhraseCommand,
  walletRestoreCommand,
  walletStatusCommand,
  walletUnlockCommand,
} from './wallet.ts';

/** What the commands of this program share. `Common` are the options that make a node's configuration. */
export interface CommandTools<Common> {
  readonly configOf: (options: Common) => NodeConfig;
  readonly dataDirOption: () => Option;
  readonly joinOption: () => Option;
}

const NEVER = 'never';
/** The word until the action: the parser of options makes an empty text of `null`. */
type LockAfter = number | typeof NEVER;

function inMinutes(lockAfter: LockAfter): number | null {
  return lockAfter === NEVER ? null : lockAfter;
}

export function addWalletCommands<Common>(program: Command, tools: CommandTools<Common>): void {
  const { configOf, dataDirOption, joinOption } = tools;
  /** Of a node's data directory. */
  const there = (command: Command) => command.addOption(dataDirOption()).addOption(joinOption());
  const jsonOption = () => new Option('--json', 'as JSON').default(false);
  const plainOption = () =>
    new Option('--no-passphrase', 'keep it without one, which is for a devnet’s play money only');
  const lockAfter = (text: string): LockAfter =>
    text === NEVER ? NEVER : wholeNumber(1, MAX_LOCK_AFTER_MINUTES)(text);
  const words = (text: string) => {
    if (text === '12' || text === '24') return Number(text) as 12 | 24;
    throw new InvalidArgumentError('A phrase has 12 or 24 words.');
  };

  const wallet = program.command('wallet').description('the account’s key: phrase, passphrase, lock, backup');
  there(wallet.command('status', { isDefault: true }))
    .description('whether there is one, and whether it is locked')
    .addOption(jsonOption())
    .action((o: Common & { json: boolean }) => walletStatusCommand(configOf(o), o.json));
  there(wallet.command('create'))
    .description('a new account: shows its recovery phrase once')
    .addOption(new Option('--words <n>', '12 or 24').argParser(words).default(12))
    .addOption(new Option('--no-confirm', 'print the phrase and do not have it typed back'))
    .addOption(plainOption())
    .action((o: Common & { words: 12 | 24; confirm: boolean; passphrase: boolean }) =>
      walletCreateCommand(configOf(o), { words: o.words, confirm: o.confirm, plain: !o.passphrase }),
    );
  there(wallet.command('restore'))
    .argument('[backup]', 'file of ace-node wallet backup; without it the phrase is asked for', notEmpty)
    .description('an account from its phrase (typed, or on standard input), or from a backup')
    .addOption(plainOption())
    .action((file: string | undefined, o: Common & { passphrase: boolean }) =>
      walletRestoreCommand(configOf(o), file, { plain: !o.passphrase }),
    );
  there(wallet.command('unlock'))
    .description('let the account sign: send, mint, swap, link')
    .addOption(
      new Option(
        '--lock-after <minutes>',
        'lock again after this long without an operation, or never',
      ).argParser(lockAfter),
    )
    .action((o: Common & { lockAfter?: LockAfter }) =>
      walletUnlockCommand(configOf(o), o.lockAfter === undefined ? undefined : inMinutes(o.lockAfter)),
    );
  there(wallet.command('lock'))
    .description('take the account’s key out of memory; the node goes on')
    .action((o: Common) => walletLockCommand(configOf(o)));
  there(wallet.command('lock-after'))
    .argument('<minutes>', 'or never', lockAfter)
    .description('when it locks by itself')
    .action((minutes: LockAfter, o: Common) => walletLockAfterCommand(configOf(o), inMinutes(minutes)));
  there(wallet.command('passphrase'))
    .description('set another passphrase, or the first')
    .addOption(new Option('--new-passphrase-file <file>', 'its first line').argParser(notEmpty))
    .action((o: Common & { newPassphraseFile?: string }) =>
      walletPassphraseCommand(configOf(o), o.newPassphraseFile),
    );
  there(wallet.command('phrase'))
    .description('show the recovery phrase')
    .option('--show', 'also where the output is no terminal', false)
    .action((o: Common & { show: boolean }) => walletPhraseCommand(configOf(o), o.show));
  there(wallet.command('backup'))
    .argument('<file>', undefined, notEmpty)
    .description('an encrypted file of wallet and channels')
    .option('--force', 'overwrite an earlier backup', false)
    .action((file: string, o: Common & { force: boolean }) =>
      walletBackupCommand(configOf(o), file, o.force),
    );

  const devices = program.command('devices').description('the devices that act for the account');
  devices.addHelpText('after', DEVICES_HELP);
  there(devices.command('list', { isDefault: true }))
    .description('which there are')
    .addOption(jsonOption())
    .action((o: Common & { json: boolean }) => devicesCommand(configOf(o), o.json));
  there(devices.command('request'))
    .description('this device’s key, for the device that links it')
    .action((o: Common) => deviceRequestCommand(configOf(o)));
  there(devices.command('link'))
    .argument('<device>', 'key that its request printed', notEmpty)
    .description('let a device act for the account; prints its certificate')
    .action((device: string, o: Common) => deviceLinkCommand(configOf(o), device));
  there(devices.command('unlink'))
    .argument('<device>', undefined, notEmpty)
    .description('it gets no new leases')
    .action((device: string, o: Common) => deviceUnlinkCommand(configOf(o), device));
  there(devices.command('join'))
    .argument('<certificate>', undefined, notEmpty)
    .description('act for the account that linked this device')
    .addOption(plainOption())
    .action((certificate: string, o: Common & { passphrase: boolean }) =>
      deviceJoinCommand(configOf(o), certificate, !o.passphrase),
    );

  const acting = (command: Command) =>
    there(command)
      .option('--quote', 'only say what would happen', false)
      .option('--yes', 'do not ask', false)
      .addOption(jsonOption());
  acting(program.command('send'))
    .argument('<amount>')
    .argument('<token>')
    .argument('<address>')
    .description('move tokens to another account')
    .action((amount: string, token: string, to: string, o: Common & ActOptions) =>
      sendCommand(configOf(o), { amount, token, to }, o),
    );
  acting(program.command('mint'))
    .argument('<xat>', 'how much XAT')
    .description('burn XAB for new XAT')
    .action((amount: string, o: Common & ActOptions) => mintCommand(configOf(o), amount, o));
  const slippageOption = () =>
    new Option('--slippage <percent>', 'how much less it may get than quoted').default('1');
  acting(program.command('swap'))
    .argument('<amount>')
    .argument('<sell>', 'token')
    .argument('<buy>', 'token; one of the two is XAC')
    .description('trade on the network’s exchange')
    .addOption(slippageOption())
    .action((amount: string, sell: string, buy: string, o: Common & ActOptions & { slippage: string }) =>
      swapCommand(configOf(o), { amount, sell, buy }, o.slippage, o),
    );
  acting(program.command('access'))
    .argument('<content-id>')
    .argument('<address>', 'who sells it')
    .argument('<xac>', 'price')
    .option('--premium', 'in the premium pool', false)
    .description('buy access to a content')
    .action(
      (contentId: string, to: string, priceXac: string, o: Common & ActOptions & { premium: boolean }) =>
        accessCommand(configOf(o), { contentId, to, priceXac, premium: o.premium }, o),
    );
  there(program.command('receive'))
    .description('the account’s address')
    .action((o: Common) => receiveCommand(configOf(o)));
  there(program.command('repayments'))
    .description('which loans were repaid, to whom, at which price')
    .addOption(new Option('--limit <count>', 'the newest').argParser(wholeNumber(1, 500)).default(20))
    .addOption(jsonOption())
    .action((o: Common & { limit: number; json: boolean }) =>
      repaymentsCommand(configOf(o), o.limit, o.json),
    );

  acting(program.command('topup'))
    .argument('[amount]', 'from the devnet’s faucet')
    .description('add funds: from a devnet’s faucet, by minting, by swapping; loans are repaid by themselves')
    .addOption(new Option('--token <token>', 'which token the faucet gives').choices(['XAT', 'XAS', 'XAB']))
    .addOption(new Option('--mint <xat>', 'burn XAB for this much XAT'))
    .addOption(new Option('--swap <amount>', 'sell this much for XAC, which pays loans and traffic first'))
    .addOption(
      new Option('--sell <token>', 'what --swap sells').choices(['XAT', 'XAS', 'XAB']).default('XAB'),
    )
    .addOption(slippageOption())
    .action((amount: string | undefined, o: Common & TopUpOptions) => topUp(configOf(o), amount, o));
}

interface TopUpOptions extends ActOptions {
  readonly token?: 'XAT' | 'XAS' | 'XAB';
  readonly mint?: string;
  readonly swap?: string;
  readonly sell: string;
  readonly slippage: string;
}

function topUp(config: NodeConfig, amount: string | undefined, options: TopUpOptions): Promise<void> {
  const { token = 'XAT', mint, swap, sell, slippage } = options;
  const ways = [amount, mint, swap].filter((way) => way !== undefined);
  if (ways.length !== 1) {
    throw new AceError(
      'InvalidInput',
      'Give one of: an amount from the faucet, --mint, --swap. XAT that others send needs no command: ace-node receive shows the address',
    );
  }
  if (mint !== undefined) return mintCommand(config, mint, options);
  if (swap !== undefined) {
    return swapCommand(config, { amount: swap, sell, buy: 'XAC' }, slippage, options);
  }
  return faucetCommand(config, amount ?? '', token, options);
}
