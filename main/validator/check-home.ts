import type { NetworkSettings } from '../../shared/economy/settings.ts';
import { AceError } from '../../shared/errors.ts';
import { homeShard } from '../../shared/home-shard.ts';
import { sha256 } from '../util/sha256.ts';

/** @throws AceError `WrongShard` with the account's `shard` in its details, unless it is at home here */
export function checkHome(settings: NetworkSettings, shard: number, account: string): void {
  const home = homeShard(account, settings.validatorKeys.length, sha256);
  if (home === shard) return;
  throw new AceError('WrongShard', `${account} is at home on shard ${home}, not ${shard}`, {
    details: { shard: home },
  });
}
