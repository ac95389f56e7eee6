/** `ace-node send`, `deposit`, `withdraw`, `mint`, `swap`, `access`, `receive`, `repayments`, `topup` */
import { type Command, Option } from 'commander';
import { AceError } from '../../../shared/errors.ts';
import type { NodeConfig } from '../../data-dir/config.ts';
import {
  type ActOptions,
  accessCommand,
  mintCommand,
  moveCommand,
  receiveCommand,
  repaymentsCommand,
  sendCommand,
  swapCommand,
  tokenOf,
} from '../operations.ts';
import { typedAmount, wholeNumber } from '../option-values.ts';
import { faucetCommand, fundCommand, keptSource } from '../top-up.ts';
import { type CommandContext, type CommonOptions, ofNode } from './command-context.ts';
import { jsonOption } from './wallet.ts';

export function addFundsCommands(program: Command, context: CommandContext): void {
  addOperationCommands(program, context);
  ofNode(program.command('receive'))
    .description('the account’s address')
    .action((o: CommonOptions) => receiveCommand(context.configOf(o)));
  ofNode(program.command('repayments'))
    .description('which of your loans were repaid, to whom, and at which price')
    .addOption(
      new Option('--limit <count>', 'this many, the newest').argParser(wholeNumber(1, 500)).default(20),
    )
    .addOption(jsonOption())
    .action((o: CommonOptions & { limit: number; json: boolean }) =>
      repaymentsCommand(context.configOf(o), o.limit, o.json),
    );
  acting(program.command('topup'))
    .argument('[amount]', 'from the devnet’s faucet', typedAmount)
    .description(
      'add to what you spend: from what you keep, by minting or swapping, or from a devnet’s faucet',
    )
    .addOption(new Option('--from-kept <amount>', 'move this much of what you keep').argParser(typedAmount))
    .option('--token <token>', 'which token --from-kept moves, or the faucet gives', 'XAT')
    .addOption(new Option('--mint <xat>', 'burn XAB for this much XAT, and move it').argParser(typedAmount))
    .addOption(
      new Option('--swap <amount>', 'sell this much for XAC, and move what came').argParser(typedAmount),
    )
    .addOption(
      new Option('--sell <token>', 'what --swap sells').choices(['XAT', 'XAS', 'XAB']).default('XAB'),
    )
    .addOption(slippageOption())
    .action((amount: string | undefined, o: CommonOptions & TopUpOptions) =>
      topUp(context.configOf(o), amount, o),
    );
}

function addOperationCommands(program: Command, context: CommandContext): void {
  acting(program.command('send'))
    .argument('<amount>', undefined, typedAmount)
    .argument('<token>')
    .argument('<address>')
    .option('--to-spend', 'it arrives where it pays for traffic, as when you top up somebody else', false)
    .description('move tokens that you keep to another account')
    .action(
      (amount: string, token: string, to: string, o: CommonOptions & ActOptions & { toSpend: boolean }) =>
        sendCommand(context.configOf(o), { amount, token, to, place: o.toSpend ? 'services' : 'main' }, o),
    );
  const moves = {
    deposit: 'move tokens that you keep to what you spend on traffic, loans and access',
    withdraw: 'move tokens to spend back to what you keep',
  } as const;
  for (const kind of ['deposit', 'withdraw'] as const) {
    acting(program.command(kind))
      .argument('<amount>', undefined, typedAmount)
      .argument('[token]', 'XAT, XAC or XAS', 'XAT')
      .description(moves[kind])
      .action((amount: string, token: string, o: CommonOptions & ActOptions) =>
        moveCommand(context.configOf(o), kind, { amount, token }, o),
      );
  }
  acting(program.command('mint'))
    .argument('<xat>', 'how much XAT', typedAmount)
    .description('burn XAB for new XAT')
    .action((amount: string, o: CommonOptions & ActOptions) => mintCommand(context.configOf(o), amount, o));
  acting(program.command('swap'))
    .argument('<amount>', undefined, typedAmount)
    .argument('<sell>', 'token')
    .argument('<buy>', 'token; one of the two is XAC')
    .description('trade on the network’s exchange')
    .addOption(slippageOption())
    .action(
      (amount: string, sell: string, buy: string, o: CommonOptions & ActOptions & { slippage: string }) =>
        swapCommand(context.configOf(o), { amount, sell, buy }, o.slippage, o),
    );
  acting(program.command('access'))
    .argument('<content-id>')
    .description('buy access to a content or a broadcast, for the price that its own file says')
    .action((contentId: string, o: CommonOptions & ActOptions) =>
      accessCommand(context.configOf(o), contentId, o),
    );
}

/** Of a command that moves funds: it quotes and asks first. */
function acting(command: Command): Command {
  return ofNode(command)
    .option('--quote', 'only say what would happen', false)
    .option('--yes', 'do not ask', false)
    .addOption(jsonOption());
}

function slippageOption(): Option {
  return new Option('--slippage <percent>', 'how much less you may get than quoted')
    .argParser(typedAmount)
    .default('1');
}

interface TopUpOptions extends ActOptions {
  readonly token: string;
  readonly fromKept?: string;
  readonly mint?: string;
  readonly swap?: string;
  readonly sell: 'XAT' | 'XAS' | 'XAB';
  readonly slippage: string;
}

async function topUp(config: NodeConfig, amount: string | undefined, options: TopUpOptions): Promise<void> {
  const { token, fromKept, mint, swap, sell, slippage } = options;
  const ways = [amount, fromKept, mint, swap].filter((way) => way !== undefined);
  if (ways.length !== 1) {
    throw new AceError(
      'InvalidInput',
      'Give one of: an amount from the faucet, --from-kept, --mint, --swap. For what others send, ace-node receive shows the address',
    );
  }
  if (fromKept !== undefined) return fundCommand(config, keptSource(fromKept, token), options);
  if (mint !== undefined) return fundCommand(config, { from: 'mint', amountXat: mint }, options);
  if (swap === undefined) return faucetCommand(config, amount ?? '', tokenOf(token), options);
  return fundCommand(config, { from: 'swap', sell, amount: swap, slippagePercent: slippage }, options);
}
