/** `ace-node import`, `contents`, `sales`, `delete`, `pin`, `unpin`, `pause`, `resume` */
import type { Command } from 'commander';
import { contentsCommand, deleteCommand, pauseCommand, pinCommand } from '../contents.ts';
import { type ImportCommandOptions, importCommand } from '../import.ts';
import { eachNotEmpty, notEmpty, typedAmount } from '../option-values.ts';
import { salesCommand } from '../sales.ts';
import { type CommandContext, type CommonOptions, ofNode } from './command-context.ts';

export function addContentCommands(program: Command, context: CommandContext): void {
  const importing = program
    .command('import')
    .argument('<files...>', 'files, or folders, of which all videos and sounds are shared', eachNotEmpty)
    .description('share files; prints their content ids')
    .option('--name <name>', 'name of one file that others see', notEmpty)
    .option(
      '--copy',
      'copy the bytes; otherwise the file is shared where it lies, for as long as it is not changed',
      false,
    )
    .option(
      '--price <xac>',
      'what others pay once for access; the fee of the network comes out of it. Another price makes another content id',
      typedAmount,
    )
    .option('--premium', 'of the premium pool', false);
  ofNode(importing).action((files: string[], options: CommonOptions & ImportCommandOptions) =>
    importCommand(context.configOf(options), files, options),
  );

  const contents = program
    .command('contents')
    .description('what is here: sizes, where the files lie, what is pinned and what is not shared')
    .option('--json', 'as one JSON array', false);
  ofNode(contents).action((options: CommonOptions & { json: boolean }) =>
    contentsCommand(context.configOf(options), options.json),
  );

  const sales = program
    .command('sales')
    .argument('[content-id]', 'of this title alone')
    .description('access that was sold, by title and day')
    .option('--json', 'as one JSON array', false);
  ofNode(sales).action((contentId: string | undefined, options: CommonOptions & { json: boolean }) =>
    salesCommand(context.configOf(options), contentId, options.json),
  );

  const deleting = program
    .command('delete <content-id>')
    .alias('rm')
    .description('forget a content and remove its bytes; a file that was imported where it lies stays')
    .option('--force', 'also while it is played', false);
  ofNode(deleting).action((contentId: string, options: CommonOptions & { force: boolean }) =>
    deleteCommand(context.configOf(options), contentId, options.force),
  );

  const pin = program
    .command('pin <content-id>')
    .description('never remove a content to make room for others');
  ofNode(pin).action((contentId: string, options: CommonOptions) =>
    pinCommand(context.configOf(options), contentId, true),
  );
  const unpin = program
    .command('unpin <content-id>')
    .description('let a content be removed when room is needed');
  ofNode(unpin).action((contentId: string, options: CommonOptions) =>
    pinCommand(context.configOf(options), contentId, false),
  );
  const pause = program.command('pause <content-id>').description('share one content with nobody for now');
  ofNode(pause).action((contentId: string, options: CommonOptions) =>
    pauseCommand(context.configOf(options), contentId, true),
  );
  const resume = program.command('resume <content-id>').description('share a paused content again');
  ofNode(resume).action((contentId: string, options: CommonOptions) =>
    pauseCommand(context.configOf(options), contentId, false),
  );
}
