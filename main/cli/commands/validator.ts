/** `ace-node validator` */
import type { Command } from 'commander';
import { DEFAULT_DEVNET, MAX_DEVNET_SHARDS } from '../../../shared/devnet-profile.ts';
import { givenPath } from '../../util/given-path.ts';
import { notEmpty, positiveDecimal, wholeNumber } from '../option-values.ts';
import { announceOption, dataDirOption, listenOption, port } from './command-context.ts';

interface ValidatorCommandOptions {
  readonly dataDir: string;
  readonly port: number;
  readonly listen?: string[];
  readonly announce?: string[];
  readonly shards: number;
  readonly chain?: string;
  readonly creditLimit: number;
  readonly trafficRate: string;
  readonly settlementInterval: number;
}

export function addValidatorCommand(program: Command): void {
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
      wholeNumber(1, MAX_DEVNET_SHARDS),
      1,
    )
    .option(
      '--chain <multiaddr>',
      'run the shard whose folder this is, on the main chain of shard 0',
      notEmpty,
    )
    .option('--credit-limit <units>', 'traffic credit of an account, in MiB', wholeNumber(0, 10_240), 10_240)
    .option('--traffic-rate <gb>', 'traffic rate at genesis, GB per hour', positiveDecimal, '3.5')
    .option(
      '--settlement-interval <ms>',
      'time between settlement batches',
      wholeNumber(50, 86_400_000),
      2_000,
    )
    .action(runValidator);
}

async function runValidator(options: ValidatorCommandOptions, command: Command): Promise<void> {
  const profile = {
    ...DEFAULT_DEVNET,
    trafficCreditLimitUnits: options.creditLimit,
    trafficRateGbPerHour: options.trafficRate,
    settlementIntervalMs: options.settlementInterval,
    shards: options.shards,
  };
  const isGiven = (name: string) => command.getOptionValueSource(name) === 'cli';
  const dataDir = givenPath(options.dataDir);
  const { port, listen, announce, chain } = options;
  const { shardCommand, validatorCommand } = await import('../validator.ts');
  if (chain === undefined) await validatorCommand(dataDir, { port, listen, announce }, profile, isGiven);
  else await shardCommand(dataDir, { port, listen, announce }, chain, isGiven);
}
