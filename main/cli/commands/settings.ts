/** `ace-node settings` */
import type { Command } from 'commander';
import { notEmpty } from '../option-values.ts';
import { SCHEDULE_HELP, SETTING_NAMES } from '../setting-values.ts';
import { getSettingsCommand, setSettingCommand } from '../settings.ts';
import { type CommandContext, type CommonOptions, ofNode } from './command-context.ts';

export function addSettingsCommand(program: Command, context: CommandContext): void {
  const settings = program
    .command('settings')
    .description('limits of disk, rates, connections, data and loans');
  const get = settings
    .command('get', { isDefault: true })
    .argument('[name]', `one of: ${SETTING_NAMES}`)
    .description('what is set, and what that does now')
    .option('--json', 'as one JSON object', false);
  ofNode(get).action((name: string | undefined, options: CommonOptions & { json: boolean }) =>
    getSettingsCommand(context.configOf(options), name, options.json),
  );
  const set = settings
    .command('set')
    .argument('<name>', `one of: ${SETTING_NAMES}`)
    .argument('<value>', 'such as 2MiB/s, 50GB, 20, none for no limit, 0 to stop', notEmpty)
    .description('change a limit; it holds at once, also for what is under way')
    .addHelpText('after', SCHEDULE_HELP);
  ofNode(set).action((name: string, value: string, options: CommonOptions) =>
    setSettingCommand(context.configOf(options), name, value),
  );
}
