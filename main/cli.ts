/**
 * The command line. What people read goes to stdout; errors are one line on stderr and a non-zero exit code. What is large
 * is loaded by the command that needs it.
 */
import './process/heap.ts';
import './process/no-dumps.ts';
import { dirname, join } from 'node:path';
import { Command, Help, Option } from 'commander';
import packageJson from '../package.json' with { type: 'json' };
import { AceError } from '../shared/errors.ts';
import { shownName } from '../shared/shown-name.ts';
import { addAccountCommands } from './cli/commands/account.ts';
import { addChainCommand } from './cli/commands/chain.ts';
import { CommandContext } from './cli/commands/command-context.ts';
import { addContentCommands } from './cli/commands/contents.ts';
import { addDemoCommand } from './cli/commands/demo.ts';
import { addDevicesCommand } from './cli/commands/devices.ts';
import { addFundsCommands } from './cli/commands/funds.ts';
import { addJournalCommands } from './cli/commands/journal.ts';
import { addSettingsCommand } from './cli/commands/settings.ts';
import { addStartCommand } from './cli/commands/start.ts';
import { addValidatorCommand } from './cli/commands/validator.ts';
import { addWalletCommand } from './cli/commands/wallet.ts';
import { addWatchingCommands } from './cli/commands/watching.ts';
import { notEmpty } from './cli/option-values.ts';
import { stopWithParent, watchOutput } from './cli/pipes.ts';
import { refusalLine } from './cli/refusal.ts';

/** From the sources this file is in main/, from the build in out/main/. */
const here = import.meta.dirname;
const appDir = here.endsWith(join('out', 'main')) ? dirname(dirname(here)) : dirname(here);

const program = new Command('ace-node')
  .description('A node of the Ace Network: watch video from peers, pay for every MiB.')
  .version(packageJson.version)
  .addOption(
    new Option('--passphrase-file <file>', 'the wallet’s passphrase: the first line of this file').argParser(
      notEmpty,
    ),
  )
  .configureOutput({
    outputError: (text, write) => write(`ace-node: ${refusalLine(text)} (see --help)\n`),
  })
  .configureHelp({
    // That a switch is off until it is given goes without saying.
    optionDescription: (option) =>
      option.defaultValue === false ? option.description : new Help().optionDescription(option),
  })
  .addHelpText(
    'after',
    '\nThe wallet’s passphrase, where it has one, is asked for in a terminal. Without one it is taken from\n--passphrase-file, or from the variable ACE_NODE_PASSPHRASE, which other programs of this user can see.',
  );

const context = new CommandContext(program, appDir);
// In the order of the help.
addStartCommand(program, context);
addValidatorCommand(program);
addContentCommands(program, context);
addSettingsCommand(program, context);
addWatchingCommands(program, context);
addWalletCommand(program, context);
addDevicesCommand(program, context);
addFundsCommands(program, context);
addAccountCommands(program, context);
addJournalCommands(program, context);
addChainCommand(program);
addDemoCommand(program, context, import.meta.filename);

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
  if (error instanceof AceError && error.code !== 'Internal') return shownName(error.message);
  if (process.env.ACE_NODE_DEBUG)
    return error instanceof Error ? (error.stack ?? error.message) : String(error);
  const message = error instanceof Error ? error.message : String(error);
  return `something went wrong inside the node: ${shownName(message)} (ACE_NODE_DEBUG=1 shows where)`;
}
