/** The command line. What people read goes to stdout; errors are one line on stderr and a non-zero exit code. */
import './heap.ts';
import { dirname, join, resolve } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import envPaths from 'env-paths';
import packageJson from '../package.json' with { type: 'json' };
import { AceError } from '../shared/errors.ts';
import { chainInfoCommand, chainVerifyCommand } from './cli/chain.ts';
import { demoCommand } from './cli/demo.ts';
import { importCommand } from './cli/import.ts';
import { ignoreClosedOutput, stopWithParent } from './cli/pipes.ts';
import { playCommand } from './cli/play.ts';
import { statusCommand } from './cli/status.ts';
import { validatorCommand } from './cli/validator.ts';
import { topUpCommand } from './cli/wallet.ts';
import { DEFAULT_DEVNET, isPositiveDecimal, type NodeConfig } from './config.ts';
import { startShell } from './launch-shell.ts';

/** From the sources this file is in main/, from the build in out/main/. */
const here = import.meta.dirname;
const appDir = here.endsWith(join('out', 'main')) ? dirname(dirname(here)) : dirname(here);

interface CommonOptions {
  readonly dataDir: string;
  readonly join?: string;
  readonly httpPort?: number;
}

function configOf(options: CommonOptions): NodeConfig {
  const passphrase = process.env.ACE_NODE_PASSPHRASE;
  return {
    dataDir: resolve(options.dataDir),
    resourcesDir: join(appDir, 'resources'),
    pagesDir: join(appDir, 'out', 'renderer'),
    ...(options.join !== undefined && { joinMultiaddr: options.join }),
    ...(options.httpPort !== undefined && { httpPort: options.httpPort }),
    ...(passphrase !== undefined && { passphrase }),
  };
}

function wholeNumber(least: number, most: number) {
  return (text: string): number => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < least || value > most) {
      throw new InvalidArgumentError(`Give a whole number from ${least} to ${most}.`);
    }
    return value;
  };
}

/** An unset variable of a script: as a path it would mean the current directory. */
function notEmpty(text: string): string {
  if (text.trim() === '') throw new InvalidArgumentError('It is empty.');
  return text;
}

/** Checked as text and kept as text: the profile stores what was typed. */
function positiveDecimal(text: string): string {
  if (!isPositiveDecimal(text)) {
    throw new InvalidArgumentError('Give a decimal number from 0.000001 to 1000000, for example 3.5.');
  }
  return text;
}

const program = new Command('ace-node')
  .description('A node of the Ace Network: watch video from peers, pay for every MiB.')
  .version(packageJson.version)
  .configureOutput({
    outputError: (text, write) => write(`ace-node: ${text.trim().replace(/^error: /, '')} (see --help)\n`),
  })
  .addHelpText('after', '\nThe wallet’s passphrase, where it has one, is taken from ACE_NODE_PASSPHRASE.');

const port = wholeNumber(0, 65_535);
const dataDirOption = (what = 'where wallet, books and pieces are kept') =>
  new Option('--data-dir <dir>', what).argParser(notEmpty).default(envPaths('ace-node', { suffix: '' }).data);
const joinOption = () =>
  new Option('--join <multiaddr>', 'use another machine’s validator instead of an own devnet').argParser(
    notEmpty,
  );

program
  .command('start')
  .description('start the node and its pages, in a window where one can be opened')
  .option('--headless', 'without a window: the pages are served on loopback', false)
  .addOption(dataDirOption())
  .addOption(joinOption())
  .option(
    '--http-port <port>',
    'port of pages and players (default: 6878, or the next free one; 0: any)',
    port,
  )
  .action(async (options: CommonOptions & { headless: boolean }) => {
    process.exitCode = await startShell(configOf(options), { headless: options.headless });
  });

program
  .command('validator')
  .description('run a devnet’s validator and main chain; prints the address to --join')
  .addOption(dataDirOption('where its key, its books and the main chain are kept'))
  .option('--port <port>', 'TCP port for nodes (0: any)', port, 0)
  .option('--credit-limit <units>', 'traffic credit of an account, in MiB', wholeNumber(0, 10_240), 10_240)
  .option('--traffic-rate <gb>', 'traffic rate at genesis, GB per hour', positiveDecimal, '3.5')
  .option('--settlement-interval <ms>', 'time between settlement batches', wholeNumber(50, 86_400_000), 2_000)
  .action(
    async (
      options: {
        dataDir: string;
        port: number;
        creditLimit: number;
        trafficRate: string;
        settlementInterval: number;
      },
      command: Command,
    ) => {
      const profile = {
        ...DEFAULT_DEVNET,
        trafficCreditLimitUnits: options.creditLimit,
        trafficRateGbPerHour: options.trafficRate,
        settlementIntervalMs: options.settlementInterval,
      };
      const given = (name: string) => command.getOptionValueSource(name) === 'cli';
      await validatorCommand(resolve(options.dataDir), options.port, profile, given);
    },
  );

program
  .command('import')
  .argument('<file>', undefined, notEmpty)
  .description('share a file; prints its content id')
  .option('--name <name>', 'name that others see', notEmpty)
  .addOption(dataDirOption())
  .addOption(joinOption())
  .action((file: string, options: CommonOptions & { name?: string }) =>
    importCommand(configOf(options), file, options.name),
  );

program
  .command('play <content-id>')
  .description('print a playback address, or fetch the whole content into a file')
  .option('--out <file>', 'fetch everything into this file', notEmpty)
  .option('--force', 'overwrite the file', false)
  .option('--wait', 'when the credit is used up, wait for a top-up', false)
  .addOption(dataDirOption())
  .addOption(joinOption())
  .action((contentId: string, options: CommonOptions & { out?: string; force: boolean; wait: boolean }) =>
    playCommand(configOf(options), contentId, options),
  );

program
  .command('topup <amount>')
  .description('add XAT from the devnet’s faucet; loans are repaid by themselves')
  .addOption(dataDirOption())
  .addOption(joinOption())
  .action((amount: string, options: CommonOptions) => topUpCommand(configOf(options), amount));

program
  .command('status')
  .description('balances, credit, price, traffic')
  .option('--json', 'as one JSON object', false)
  .addOption(dataDirOption())
  .addOption(joinOption())
  .action((options: CommonOptions & { json: boolean }) => statusCommand(configOf(options), options.json));

const chain = program.command('chain').description('look at the main chain of a devnet, and prove it');
const chainDirOption = () => dataDirOption('of a node with its own devnet, or of ace-node validator');
chain
  .command('info')
  .description('settings, prices, pools, supply, head')
  .option('--json', 'as one JSON object', false)
  .addOption(chainDirOption())
  .action((options: { dataDir: string; json: boolean }) =>
    chainInfoCommand(resolve(options.dataDir), options.json),
  );
chain
  .command('verify')
  .description('build the chain again from its log, and compare everything')
  .option('--json', 'as one JSON object', false)
  .addOption(chainDirOption())
  .action((options: { dataDir: string; json: boolean }) =>
    chainVerifyCommand(resolve(options.dataDir), options.json),
  );

program
  .command('demo')
  .argument('[file]', undefined, notEmpty)
  .description('play the credit story with separate processes and check that it balances')
  .option('--json', 'one JSON object instead of the table', false)
  .option(
    '--data-dir <dir>',
    'new or empty folder in which everything is kept (default: a temporary folder that is removed)',
    notEmpty,
  )
  .action((file: string | undefined, options: { json: boolean; dataDir?: string }) =>
    demoCommand({
      entry: import.meta.filename,
      file: resolve(file ?? join(appDir, 'resources', 'sample-clip.mp4')),
      json: options.json,
      ...(options.dataDir !== undefined && { dataDir: resolve(options.dataDir) }),
    }),
  );

ignoreClosedOutput();
stopWithParent();
try {
  await program.parseAsync();
} catch (error) {
  process.stderr.write(`ace-node: ${explain(error)}\n`);
  process.exitCode = 1;
}

function explain(error: unknown): string {
  if (error instanceof AceError && error.code !== 'Internal') return error.message;
  if (process.env.ACE_NODE_DEBUG)
    return error instanceof Error ? (error.stack ?? error.message) : String(error);
  const message = error instanceof Error ? error.message : String(error);
  return `something went wrong inside the node: ${message} (ACE_NODE_DEBUG=1 shows where)`;
}
