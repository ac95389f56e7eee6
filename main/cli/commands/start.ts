/** `ace-node start` */
import { type Command, Option } from 'commander';
import { hostNames, ipAddress } from '../option-values.ts';
import {
  announceOption,
  type CommandContext,
  type CommonOptions,
  listenOption,
  ofNode,
  port,
} from './command-context.ts';

export function addStartCommand(program: Command, context: CommandContext): void {
  const start = program
    .command('start')
    .description('start the node and its pages, in a window where one can be opened')
    .option('--headless', 'without a window: the pages are served on loopback', false)
    .option('--first-run', 'have a missing wallet made or restored on the pages', false);
  ofNode(start)
    .addOption(announceOption())
    .addOption(listenOption('this machine only, or all when the joined validator is on another one'))
    .option(
      '--http-port <port>',
      'port of pages and players (default: 6878, or the next free one; 0: any)',
      port,
    )
    .addOption(
      new Option(
        '--host <address>',
        'serve pages and players at this IP address too, unencrypted; 0.0.0.0 and :: mean all (default: this machine only)',
      ).argParser(ipAddress),
    )
    .addOption(
      new Option(
        '--allow-host <name>',
        'name that leads to the pages by a tunnel, a port mapping or a proxy, such as localhost:8080; repeatable',
      ).argParser(hostNames),
    )
    .action(async (options: CommonOptions & { headless: boolean; firstRun: boolean }) => {
      const { startShell } = await import('../start.ts');
      const config = { ...context.configOf(options), wallet: { firstRun: options.firstRun, mayWait: true } };
      process.exitCode = await startShell(config, { headless: options.headless });
    });
}
