import { AceError } from '../../shared/errors.ts';
import type { DevnetProfile } from '../config.ts';
import { readProfile, runDevnetValidator } from '../shard/devnet.ts';
import { stopSignal } from '../stop-signals.ts';

/** The options that make a devnet, by the name that commander gives their values. */
const PROFILE_OPTIONS = [
  { name: 'creditLimit', flag: '--credit-limit', field: 'trafficCreditLimitUnits' },
  { name: 'trafficRate', flag: '--traffic-rate', field: 'trafficRateGbPerHour' },
  { name: 'settlementInterval', flag: '--settlement-interval', field: 'settlementIntervalMs' },
] as const;

/**
 * `ace-node validator`: a shard validator with the main chain of a devnet. Standard output gets one line, the address
 * that nodes join.
 *
 * @param isGiven whether the user typed the option, which is then not to be passed over
 */
export async function validatorCommand(
  dataDir: string,
  port: number,
  profile: DevnetProfile,
  isGiven: (option: string) => boolean,
): Promise<void> {
  refuseOtherProfile(dataDir, profile, isGiven);
  const running = await runDevnetValidator({ dataDir, port, profile });
  const signalled = stopSignal(); // whoever reads the address may send one at once
  process.stdout.write(`${running.multiaddr}\n`);
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
  for (const { name, flag, field } of PROFILE_OPTIONS) {
    // As numbers: 3.50 is 3.5.
    if (!isGiven(name) || Number(stored[field]) === Number(profile[field])) continue;
    throw new AceError(
      'DataDirMismatch',
      `The devnet in ${dataDir} was made with ${flag} ${stored[field]} and keeps it: leave the option out, or choose another --data-dir`,
    );
  }
}
