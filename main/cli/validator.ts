import { join } from 'node:path';
import type { DevnetProfile } from '../../shared/devnet-profile.ts';
import { AceError } from '../../shared/errors.ts';
import { announceMultiaddrs, listenMultiaddrs } from '../p2p/listen.ts';
import { stopSignal } from '../process/stop-signals.ts';
import { readProfile, runDevnetValidator } from '../validator/devnet.ts';
import type { RunningValidator } from '../validator/running-validator.ts';
import { runShardValidator } from '../validator/shard-process.ts';
import type { ListenOptions } from '../validator/validator-files.ts';

/** The options that make a devnet, by the name that commander gives their values. */
const PROFILE_OPTIONS = [
  { name: 'creditLimit', flag: '--credit-limit', field: 'trafficCreditLimitUnits' },
  { name: 'trafficRate', flag: '--traffic-rate', field: 'trafficRateGbPerHour' },
  { name: 'settlementInterval', flag: '--settlement-interval', field: 'settlementIntervalMs' },
] as const;

const SHARDS_OPTION = { name: 'shards', flag: '--shards' } as const;

/**
 * `ace-node validator`: a shard validator with the main chain of a devnet. Standard output gets one line, the address
 * that nodes join; how to start the other shards goes to standard error.
 *
 * @param isGiven whether the user typed the option, which is then not to be passed over
 */
export async function validatorCommand(
  dataDir: string,
  where: ListenOptions,
  profile: DevnetProfile,
  isGiven: (option: string) => boolean,
): Promise<void> {
  refuseOtherProfile(dataDir, profile, isGiven);
  if (where.listen) listenMultiaddrs(where.listen, where.port); // refused now, before anything is made
  announceMultiaddrs(where.announce ?? []);
  const running = await runDevnetValidator({ dataDir, ...where, profile });
  await runUntilStopped(running, otherShards(dataDir, running));
}

/** `ace-node validator --chain`: another shard of the devnet, with the main chain in another process. */
export async function shardCommand(
  dataDir: string,
  where: ListenOptions,
  chainMultiaddr: string,
  isGiven: (option: string) => boolean,
): Promise<void> {
  for (const { name, flag } of [...PROFILE_OPTIONS, SHARDS_OPTION]) {
    if (!isGiven(name)) continue;
    throw new AceError('InvalidInput', `${flag} makes a new devnet: it does not go together with --chain`);
  }
  await runUntilStopped(await runShardValidator({ dataDir, ...where, chainMultiaddr }));
}

/** How the rest of a devnet with many shards is started; accounts at home there wait for it. */
function otherShards(dataDir: string, { settings, multiaddr }: RunningValidator): string {
  const folders = settings.validatorKeys.slice(1).map((_, i) => join(dataDir, `shard-${i + 1}`));
  if (folders.length === 0) return '';
  const commands = folders.map((dir) => `  ace-node validator --data-dir ${dir} --chain ${multiaddr}\n`);
  return `This is shard 0. Each of the others needs a process too, wherever its folder lies now:\n${commands.join('')}`;
}

async function runUntilStopped(running: RunningValidator, hint = ''): Promise<void> {
  const signalled = stopSignal(); // a reader of the address may send one at once
  process.stdout.write(`${running.multiaddr}\n`);
  process.stderr.write(hint);
  await signalled;
  await running.stop();
}

/** A devnet keeps its genesis. @throws AceError `DataDirMismatch` when it was made with another value than is given */
function refuseOtherProfile(
  dataDir: string,
  profile: DevnetProfile,
  isGiven: (option: string) => boolean,
): void {
  const stored = readProfile(dataDir);
  if (stored === null) return;
  const storedShards = stored.shards?.length ?? 1;
  if (isGiven(SHARDS_OPTION.name) && storedShards !== profile.shards) {
    throw otherProfile(dataDir, `${SHARDS_OPTION.flag} ${storedShards}`);
  }
  for (const { name, flag, field } of PROFILE_OPTIONS) {
    // As numbers: 3.50 is 3.5.
    if (!isGiven(name) || Number(stored[field]) === Number(profile[field])) continue;
    throw otherProfile(dataDir, `${flag} ${stored[field]}`);
  }
}

function otherProfile(dataDir: string, kept: string): AceError {
  return new AceError(
    'DataDirMismatch',
    `The devnet in ${dataDir} was made with ${kept} and keeps it: leave the option out, or choose another --data-dir`,
  );
}
