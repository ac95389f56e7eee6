/** `ace-node demo` */
import { join } from 'node:path';
import type { Command } from 'commander';
import { givenPath } from '../../util/given-path.ts';
import { notEmpty } from '../option-values.ts';
import type { CommandContext } from './command-context.ts';

/** @param entry this program's file, for the processes that the demo starts */
export function addDemoCommand(program: Command, { resourcesDir }: CommandContext, entry: string): void {
  program
    .command('demo')
    .argument('[file]', 'what is streamed (default: the sample clip)', notEmpty)
    .description('play the credit story with separate processes and check that it balances')
    .option('--json', 'one JSON object instead of the table', false)
    .option(
      '--data-dir <dir>',
      'new or empty folder in which everything is kept (default: a temporary folder that is removed)',
      notEmpty,
    )
    .action(async (file: string | undefined, options: { json: boolean; dataDir?: string }) => {
      const { demoCommand } = await import('../demo.ts');
      await demoCommand({
        entry,
        file: file === undefined ? join(resourcesDir, 'sample-clip.mp4') : givenPath(file),
        json: options.json,
        ...(options.dataDir !== undefined && { dataDir: givenPath(options.dataDir) }),
      });
    });
}
