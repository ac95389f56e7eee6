/** What tests that kill processes begin with: roles that end with the test, and folders of accounts. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { accountFromPhrase } from '../../main/wallet/account.ts';
import { saveWallet } from '../../main/wallet/keystore.ts';
import { RoleProcess } from './role-process.ts';
import { secretsAt } from './shards.ts';

/** A process of one role, which ends with the test that runs. */
export function startRole(...args: string[]): RoleProcess {
  const process = new RoleProcess(...args);
  onTestFinished(() => process.kill());
  return process;
}

/** A folder below `dir` with the wallet of an account whose home is this shard, of `shardCount`. */
export async function peerFolder(
  dir: string,
  name: string,
  homeShard: number,
  shardCount = 2,
): Promise<{ readonly dir: string; readonly account: string }> {
  const at = join(dir, name);
  mkdirSync(at);
  const secrets = secretsAt(homeShard, shardCount);
  await saveWallet(join(at, 'wallet.json'), secrets, { protection: 'none', devnet: true });
  return { dir: at, account: accountFromPhrase(secrets.phrase).address };
}
