/**
 * The command line. What people read goes to stdout; errors are one line on stderr and a non-zero exit code. What is large
 * is loaded by the command that needs it.
 */
import './process/heap.ts';
import './process/no-dumps.ts';
import { dirname, join, resolve } from 'node:path';
import { Command, Option } from 'commander';
import packageJson from '../package.json' with { type: 'json' };
import { DEFAULT_DEVNET, MAX_DEVNET_SHARDS } from '../shared/devnet-profile.ts';
import { AceError } from '../shared/errors.ts';
import { EXPORT_FORMATS } from '../shared/journal/export.ts';
import { MAX_QUOTE_UNITS } from '../shared/rpc/rpc.ts';
import { broadcastCommand } from './cli/broadcast.ts';
import { CHANNELS_HELP, channelsCommand } from './cli/channels.ts';
import { contentsCommand, deleteCommand, pinCommand } from './cli/contents.ts';
import type { ExportOptions } from './cli/export.ts';
import { importCommand } from './cli/import.ts';
import { ipAddress, notEmpty, positiveDecimal, recordHash, wholeNumber } from './cli/option-values.ts';
import { givenPassphrase } from './cli/passphrase.ts';
import { stopWithParent, watchOutput } from './cli/pipes.ts';
import { playCommand } from './cli/play.ts';
import { quoteCommand } from './cli/quote.ts';
import { SCHEDULE_HELP, SETTING_NAMES } from './cli/setting-values.ts';
import { getSettingsCommand, setSettingCommand } from './cli/settings.ts';
import { statusCommand } from './cli/status.ts';
import { tokenCommand } from './cli/token.ts';
import { addWalletCommands } from './cli/wallet-commands.ts';
import { defaultDataDir, type NodeConfig } from './data-dir/config.ts';
import { splitListen } from './p2p/listen.ts';

/** From the sources this file is in main/, from the build in out/main/. */
const here = import.meta.dirname;
const appDir = here.endsWith(join('out', 'main')) ? dirname(dirname(here)) : dirname(here);

interface CommonOptions {
  readonly dataDir: string;
  readonly join?: string;
  readonly httpPort?: number;
  readonly host?: string;
  readonly listen?: readonly string[];
  readonly announce?: readonly string[];
}

function configOf(options: CommonOptions): NodeConfig {
  const passphrase = givenPassphrase(program.opts<{ passphraseFile?: string }>().passphraseFile);
  return {
    dataDir: resolve(options.dataDir),
    resourcesDir: join(appDir, 'resources'),
    pagesDir: join(appDir, 'out', 'renderer'),
    ...(options.join !== undefined && { joinMultiaddr: options.join }),
    ...(options.httpPort !== undefined && { httpPort: options.httpPort }),
    ...(options.host !== undefined && { httpHost: options.host }),
    ...(options.listen !== undefined && { listen: options.listen }),
    ...(options.announce !== undefined && { announce: options.announce }),
    ...(passphrase !== undefined && { passphrase }),
  };
}

const program = new Command('ace-node')
  .description('A node of the Ace Network: watch video from peers, pay for every MiB.')
  .version(packageJson.version)
  .addOption(new Option('--passphrase-file <file>', 'the wallet’s passphrase: the first line of this file'))
  .configureOutput({
    outputError: (text, write) => {
      const line = text
        .trim()
        .replace(/^error: /, '')
        .replaceAll('\n', ' ');
      write(`ace-node: ${line} (see --help)\n`);
    },
  })
  .addHelpText(
    'after',
    '\nThe wallet’s passphrase, where it has one, is asked for in a terminal. Without one it is taken from\n--passphrase-file, or from the variable ACE_NODE_PASSPHRASE, which other programs of this user can see.',
  );

const port = wholeNumber(0, 65_535);
const shards = wholeNumber(1, MAX_DEVNET_SHARDS);
const dataDirOption = (what = 'where wallet, books and pieces are kept') =>
  new Option('--data-dir <dir>', what).argParser(notEmpty).default(defaultDataDir());
const joinOption = () =>
  new Option('--join <multiaddr>', 'join the network of this validator instead of making a devnet').argParser(
    notEmpty,
  );

/** Given once with commas, or several times. */
const listenOption = (otherwise: string) =>
  new Option(
    '--listen <address>',
    `IP address or multiaddr for other peers, repeatable; 0.0.0.0 and :: mean all (default: ${otherwise})`,
  ).argParser((text: string, before: string[] = []) => [...before, ...splitListen(text)]);

const announceOption = () =>
  new Option(
    '--announce <multiaddr>',
    'address that leads here, such as a port that the router forwards; repeatable',
  ).argParser((text: string, before: string[] = []) => [...before, ...splitListen(text)]);

program
  .command('start')
  .description('start the node and its pages, in a window where one can be opened')
  .option('--headless', 'without a window: the pages are served on loopback', false)
  .option('--first-run', 'have a missing wallet made or restored on the pages', false)
  .addOption(dataDirOption())
  .addOption(joinOption())
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
  .action(async (options: CommonOptions & { headless: boolean; firstRun: boolean }) => {
    const { startShell } = await import('./cli/start.ts');
    const config = { ...configOf(options), wallet: { firstRun: options.firstRun, mayWait: true } };
    process.exitCode = await startShell(config, { headless: options.headless });
  });

program
  .command('validator')
  .description(
    'run a devnet’s validator and main chain, or one of its other shards; prints the address to --join',
  )
  .addOption(dataDirOption('where its key, its books and the main chain are kept'))
  .option('--port <port>', 'TCP port for nodes (0: any)', port, 0)
  .addOption(listenOption('this machine only'))
  .addOption(announceOption())
  .option(
    '--shards <n>',
    'validators of a new devnet; the folder gets shard-1 and so on for the others',
    shards,
    1,
  )
  .option('--chain <multiaddr>', 'run the shard whose folder this is, on the main chain of shard 0', notEmpty)
  .option('--credit-limit <units>', 'traffic credit of an account, in MiB', wholeNumber(0, 10_240), 10_240)
  .option('--traffic-rate <gb>', 'traffic rate at genesis, GB per hour', positiveDecimal, '3.5')
  .option('--settlement-interval <ms>', 'time between settlement batches', wholeNumber(50, 86_400_000), 2_000)
  .action(
    async (
      options: {
        dataDir: string;
        port: number;
        listen?: string[];
        announce?: string[];
        shards: number;
        chain?: string;
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
        shards: options.shards,
      };
      const given = (name: string) => command.getOptionValueSource(name) === 'cli';
      const dataDir = resolve(options.dataDir);
      const { port, listen, announce, chain } = options;
      const { shardCommand, validatorCommand } = await import('./cli/validator.ts');
      if (chain === undefined) await validatorCommand(dataDir, { port, listen, announce }, profile, given);
      else await shardCommand(dataDir, { port, listen, announce }, chain, given);
    },
  );

program
  .command('import')
  .argument('<file>', undefined, notEmpty)
  .description('share a file; prints its content id')
  .option('--name <name>', 'name that others see', notEmpty)
  .option(
    '--copy',
    'copy the bytes: otherwise the file is shared where it lies, while it is not changed',
    false,
  )
  .addOption(dataDirOption())
  .addOption(joinOption())
  .action((file: string, options: CommonOptions & { name?: string; copy: boolean }) =>
    importCommand(configOf(options), file, options),
  );

program
  .command('contents')
  .description('what is here: sizes, where it lies, what is pinned or not shared any more')
  .option('--json', 'as one JSON array', false)
  .addOption(dataDirOption())
  .addOption(joinOption())
  .action((options: CommonOptions & { json: boolean }) => contentsCommand(configOf(options), options.json));

program
  .command('delete <content-id>')
  .alias('rm')
  .description('forget a content and remove its bytes; a file that was imported where it lies stays')
  .option('--force', 'also while it is played', false)
  .addOption(dataDirOption())
  .addOption(joinOption())
  .action((contentId: string, options: CommonOptions & { force: boolean }) =>
    deleteCommand(configOf(options), contentId, options.force),
  );

for (const [name, pinned, description] of [
  ['pin', true, 'never remove a content to make room for others'],
  ['unpin', false, 'let a content be removed when room is needed'],
] as const) {
  program
    .command(`${name} <content-id>`)
    .description(description)
    .addOption(dataDirOption())
    .addOption(joinOption())
    .action((contentId: string, options: CommonOptions) => pinCommand(configOf(options), contentId, pinned));
}

const settings = program.command('settings').description('limits of disk, rates, connections and data');
settings
  .command('get', { isDefault: true })
  .argument('[name]', `one of: ${SETTING_NAMES}`)
  .description('what is set, and what that does now')
  .option('--json', 'as one JSON object', false)
  .addOption(dataDirOption())
  .addOption(joinOption())
  .action((name: string | undefined, options: CommonOptions & { json: boolean }) =>
    getSettingsCommand(configOf(options), name, options.json),
  );
settings
  .command('set')
  .argument('<name>', `one of: ${SETTING_NAMES}`)
  .argument('<value>', 'such as 2MiB/s, 50GB, 20, none for no limit, 0 to stop', notEmpty)
  .description('change a limit; it holds at once, also for what is under way')
  .addHelpText('after', SCHEDULE_HELP)
  .addOption(dataDirOption())
  .addOption(joinOption())
  .action((name: string, value: string, options: CommonOptions) =>
    setSettingCommand(configOf(options), name, value),
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
  .command('broadcast')
  .description('broadcast live: prints the content id and where an encoder pushes to')
  .requiredOption(
    '--name <name>',
    'name that others see; the same name goes on with the same broadcast',
    notEmpty,
  )
  .option('--folder <dir>', 'take what an encoder writes to this folder, instead of what it pushes', notEmpty)
  .option('--end', 'end the broadcast of that name for good', false)
  .option('--http-port <port>', 'port that the encoder pushes to, when no node runs (default: any)', port)
  .addOption(dataDirOption())
  .addOption(joinOption())
  .action((options: CommonOptions & { name: string; folder?: string; end: boolean }) =>
    broadcastCommand(configOf(options), options),
  );

addWalletCommands<CommonOptions>(program, { configOf, dataDirOption, joinOption });

program
  .command('status')
  .description('balances, credit, price, traffic')
  .option('--json', 'as one JSON object', false)
  .addOption(dataDirOption())
  .addOption(joinOption())
  .action((options: CommonOptions & { json: boolean }) => statusCommand(configOf(options), options.json));

program
  .command('channels')
  .description('payment channels: what was served, paid and settled, with whom and for what')
  .option('--limit <count>', 'this many channels, the newest', wholeNumber(1, 100_000), 100)
  .option('--json', 'as one JSON object', false)
  .addOption(dataDirOption())
  .addOption(joinOption())
  .addHelpText('after', CHANNELS_HELP)
  .action((options: CommonOptions & { limit: number; json: boolean }) =>
    channelsCommand(configOf(options), options.limit, options.json),
  );

program
  .command('token')
  .description('print what scripts and browsers show to drive the node')
  .option('--renew', 'make a new one; the old one is refused from then on', false)
  .addOption(dataDirOption())
  .action((options: CommonOptions & { renew: boolean }) => tokenCommand(configOf(options), options.renew));

program
  .command('quote')
  .argument('<MiB>', 'amount of traffic', wholeNumber(1, MAX_QUOTE_UNITS))
  .description('what that much traffic would cost now, and how it would be paid')
  .option('--json', 'as one JSON object', false)
  .addOption(dataDirOption())
  .addOption(joinOption())
  .action((mib: number, options: CommonOptions & { json: boolean }) =>
    quoteCommand(configOf(options), mib, options.json),
  );

program
  .command('export')
  .description('write the journal for another program: every settlement, repayment, operation and fee')
  .requiredOption(
    '--format <format>',
    `one of: ${EXPORT_FORMATS.join(', ')} (ledger reads what hledger reads)`,
    notEmpty,
  )
  .option('--from <date>', 'first day, or moment, in UTC: 2026-11-01, 2026-11-01T18:00:00Z', notEmpty)
  .option('--to <date>', 'last day, or moment, in UTC', notEmpty)
  .option('--out <file>', 'write to this file (default: standard output)', notEmpty)
  .option('--force', 'overwrite the file', false)
  .option('--bom', 'begin a table with a byte order mark, as some spreadsheets want it', false)
  .addOption(dataDirOption())
  .action(async (options: CommonOptions & ExportOptions) => {
    const { exportCommand } = await import('./cli/export.ts');
    await exportCommand(configOf(options), options);
  });

const journal = program.command('journal').description('the double-entry journal of this account');
journal
  .command('verify')
  .description('make every entry again from its record, add them up, and compare with the node and its shard')
  .option('--json', 'as one JSON object', false)
  .addOption(dataDirOption())
  .addOption(joinOption())
  .action(async (options: CommonOptions & { json: boolean }) => {
    const { journalVerifyCommand } = await import('./cli/journal.ts');
    await journalVerifyCommand(configOf(options), options.json);
  });

const chain = program.command('chain').description('look at the main chain of a devnet, and prove it');
const chainDirOption = () => dataDirOption('of a node with its own devnet, or of ace-node validator');
chain
  .command('info')
  .description('settings, traffic totals, prices, pools, supply, head')
  .option('--json', 'as one JSON object', false)
  .addOption(chainDirOption())
  .action(async (options: { dataDir: string; json: boolean }) => {
    const { chainInfoCommand } = await import('./cli/chain.ts');
    await chainInfoCommand(resolve(options.dataDir), options.json);
  });
chain
  .command('verify')
  .description('build the chain again from its log, and compare everything')
  .option('--head <hash>', 'head of an earlier verify: it must be part of the history', recordHash)
  .option('--json', 'as one JSON object', false)
  .addOption(chainDirOption())
  .action(async (options: { dataDir: string; json: boolean; head?: string }) => {
    const { chainVerifyCommand } = await import('./cli/chain.ts');
    await chainVerifyCommand(resolve(options.dataDir), options);
  });

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
  .action(async (file: string | undefined, options: { json: boolean; dataDir?: string }) => {
    const { demoCommand } = await import('./cli/demo.ts');
    await demoCommand({
      entry: import.meta.filename,
      file: resolve(file ?? join(appDir, 'resources', 'sample-clip.mp4')),
      json: options.json,
      ...(options.dataDir !== undefined && { dataDir: resolve(options.dataDir) }),
    });
  });

let failed = false;
watchOutput(fail);
stopWithParent();
try {
  await program.parseAsync();
} catch (error) {
  fail(error);
}

/** One line for one failure: a command that cannot write its output may fail for that, too. */
function fail(error: unknown): void {
  process.exitCode = 1;
  if (failed) return;
  failed = true;
  process.stderr.write(`ace-node: ${explain(error)}\n`);
}

function explain(error: unknown): string {
  if (error instanceof AceError && error.code !== 'Internal') return error.message;
  if (process.env.ACE_NODE_DEBUG)
    return error instanceof Error ? (error.stack ?? error.message) : String(error);
  const message = error instanceof Error ? error.message : String(error);
  return `something went wrong inside the node: ${message} (ACE_NODE_DEBUG=1 shows where)`;
}
