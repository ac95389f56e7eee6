import { existsSync } from 'node:fs';
import { AceError } from '../../shared/errors.ts';
import type { NodeConfig } from '../data-dir/config.ts';
import { DataDir } from '../data-dir/data-dir.ts';
import { ApiToken } from '../rpc/api-token.ts';
import { runningNode } from './node-connection.ts';

/** `ace-node token [--renew]` */
export async function tokenCommand(config: NodeConfig, renew: boolean): Promise<void> {
  const dataDir = new DataDir(config.dataDir);
  // Asking makes no node where there is none.
  if (!existsSync(dataDir.nodeDb) || dataDir.isValidatorFolder) {
    throw new AceError('NodeNotRunning', `There is no node in ${dataDir.path} yet: ace-node start makes one`);
  }
  process.stdout.write(
    `${renew ? await renewed(dataDir) : (await ApiToken.open(dataDir.apiToken)).current}\n`,
  );
}

/** A running node makes it itself: it goes on with the new one, and cuts off who came with the old one. */
async function renewed(dataDir: DataDir): Promise<string> {
  const connection = await runningNode(dataDir);
  if (connection === null) return (await ApiToken.open(dataDir.apiToken)).renew();
  try {
    return (await connection.call('renewApiToken', {})).token;
  } finally {
    await connection.close();
  }
}
