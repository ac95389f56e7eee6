import { existsSync } from 'node:fs';
import { AceError } from '../../shared/errors.ts';
import { isValidatorFolder, type NodeConfig, nodePaths } from '../data-dir/config.ts';
import { ApiToken } from '../rpc/api-token.ts';
import { runningNode } from './session.ts';

/** `ace-node token [--renew]` */
export async function tokenCommand({ dataDir }: NodeConfig, renew: boolean): Promise<void> {
  const { nodeDb, apiToken } = nodePaths(dataDir);
  // Asking makes no node where there is none.
  if (!existsSync(nodeDb) || isValidatorFolder(dataDir)) {
    throw new AceError('NodeNotRunning', `There is no node in ${dataDir} yet: ace-node start makes one`);
  }
  process.stdout.write(
    `${renew ? await renewed(dataDir, apiToken) : (await ApiToken.open(apiToken)).current}\n`,
  );
}

/** A running node makes it itself: it goes on with the new one, and cuts off who came with the old one. */
async function renewed(dataDir: string, file: string): Promise<string> {
  const session = await runningNode(dataDir);
  if (session === null) return (await ApiToken.open(file)).renew();
  try {
    return (await session.call('renewApiToken', {})).token;
  } finally {
    await session.close();
  }
}
