/** `ace-node status`, `channels`, `token`, `quote` */
import { type Command, Option } from 'commander';
import { MAX_QUOTE_UNITS } from '../../../shared/rpc/rpc.ts';
import { CHANNELS_HELP, channelsCommand } from '../channels.ts';
import { trafficUnits, wholeNumber } from '../option-values.ts';
import { quoteCommand } from '../quote.ts';
import { type StatusOptions, statusCommand } from '../status.ts';
import { tokenCommand } from '../token.ts';
import { type CommandContext, type CommonOptions, dataDirOption, ofNode } from './command-context.ts';

export function addAccountCommands(program: Command, context: CommandContext): void {
  const status = program
    .command('status')
    .description('what you can spend and what you keep, credit, price, traffic')
    .option('--json', 'as one JSON object', false)
    .addOption(
      new Option('--watch [seconds]', 'again and again, until Ctrl-C; with --json a line each')
        .argParser(wholeNumber(1, 3_600))
        .preset('2'),
    );
  ofNode(status).action((options: CommonOptions & StatusOptions) =>
    statusCommand(context.configOf(options), options),
  );

  const channels = program
    .command('channels')
    .description('payment channels: what was served, paid and settled, with whom and for what')
    .option('--limit <count>', 'this many, the newest', wholeNumber(1, 100_000), 100)
    .option('--json', 'as one JSON object', false);
  ofNode(channels)
    .addHelpText('after', CHANNELS_HELP)
    .action((options: CommonOptions & { limit: number; json: boolean }) =>
      channelsCommand(context.configOf(options), options.limit, options.json),
    );

  program
    .command('token')
    .description('print the key to the node, with which scripts and browsers control it')
    .option('--renew', 'make a new one; the old one is refused from then on', false)
    .addOption(dataDirOption())
    .action((options: CommonOptions & { renew: boolean }) =>
      tokenCommand(context.configOf(options), options.renew),
    );

  const quote = program
    .command('quote')
    .argument('<MiB>', 'amount of traffic, such as 500, or 2GB', trafficUnits(MAX_QUOTE_UNITS))
    .description('what that much traffic would cost now, and how it would be paid')
    .option('--json', 'as one JSON object', false);
  ofNode(quote).action((mib: number, options: CommonOptions & { json: boolean }) =>
    quoteCommand(context.configOf(options), mib, options.json),
  );
}
