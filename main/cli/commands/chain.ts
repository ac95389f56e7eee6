/** `ace-node chain` */
import type { Command } from 'commander';
import { givenPath } from '../../util/given-path.ts';
import { recordHash } from '../option-values.ts';
import { dataDirOption } from './command-context.ts';

export function addChainCommand(program: Command): void {
  const chain = program.command('chain').description('look at the main chain of a devnet, and check it');
  const chainDirOption = () => dataDirOption('of a node with its own devnet, or of ace-node validator');
  chain
    .command('info', { isDefault: true })
    .description('settings, traffic totals, prices, pools, supply, head')
    .option('--json', 'as one JSON object', false)
    .addOption(chainDirOption())
    .action(async (options: { dataDir: string; json: boolean }) => {
      const { chainInfoCommand } = await import('../chain.ts');
      await chainInfoCommand(givenPath(options.dataDir), options.json);
    });
  chain
    .command('verify')
    .description('build the chain again from its log, and compare everything')
    .option('--head <hash>', 'head of an earlier verify: it must be part of the history', recordHash)
    .option('--json', 'as one JSON object', false)
    .addOption(chainDirOption())
    .action(async (options: { dataDir: string; json: boolean; head?: string }) => {
      const { chainVerifyCommand } = await import('../chain.ts');
      await chainVerifyCommand(givenPath(options.dataDir), options);
    });
}
