/** `ace-node play`, `broadcast` */
import type { Command } from 'commander';
import { type BroadcastOptions, broadcastCommand } from '../broadcast.ts';
import { notEmpty, span, typedAmount } from '../option-values.ts';
import { playCommand } from '../play.ts';
import { type CommandContext, type CommonOptions, ofNode, port } from './command-context.ts';

export function addWatchingCommands(program: Command, context: CommandContext): void {
  const play = program
    .command('play <content-id>')
    .description('print a playback address, or fetch the whole content into a file')
    .option('--out <file>', 'fetch everything into this file; - is standard output', notEmpty)
    .option('--force', 'overwrite the file', false)
    .option('--wait', 'when the credit is used up, wait for a top-up', false);
  ofNode(play).action(
    (contentId: string, options: CommonOptions & { out?: string; force: boolean; wait: boolean }) =>
      playCommand(context.configOf(options), contentId, options),
  );

  const broadcast = program
    .command('broadcast')
    .description('broadcast live: prints the content id and where an encoder pushes to')
    .requiredOption(
      '--name <name>',
      'name that others see; the same name goes on with the same broadcast',
      notEmpty,
    )
    .option(
      '--folder <dir>',
      'take what an encoder writes to this folder, instead of what it pushes',
      notEmpty,
    )
    .option(
      '--price <xac>',
      'what others pay for access, from now on; what was bought before stays good until its end',
      typedAmount,
    )
    .option('--lasts <span>', 'what one purchase lasts, such as 90m, 24h or 7d (default: 24h)', span)
    .option('--premium', 'of the premium pool', false)
    .option('--end', 'end the broadcast of that name for good', false)
    .option('--http-port <port>', 'port that the encoder pushes to, when no node runs (default: any)', port);
  ofNode(broadcast).action((options: CommonOptions & BroadcastOptions) =>
    broadcastCommand(context.configOf(options), options),
  );
}
