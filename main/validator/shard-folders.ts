/**
 * The folders of a devnet with many shards. The process with the main chain is shard 0; it makes a folder for each of
 * the others inside its own, with the shard's key and faucet account. A folder may be moved, with the
 * shard stopped.
 */

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { ADDRESS } from '../../shared/address.ts';
import { AceError } from '../../shared/errors.ts';
import { toHex } from '../../shared/hex.ts';
import { homeShard } from '../../shared/home-shard.ts';
import { DataDir } from '../data-dir/data-dir.ts';
import { makeFolder } from '../db/make-folder.ts';
import { writeFileAtomic } from '../util/atomic-write.ts';
import { sha256 } from '../util/sha256.ts';
import { accountFromPhrase } from '../wallet/account.ts';
import { validatorSecrets } from './validator-files.ts';

/** A shard as the network's profile names it. */
export const devnetShardSchema = z.object({
  /** Ed25519, hex. */
  validatorKey: z.string().regex(/^[0-9a-f]{64}$/),
  /** Account out of which the shard's faucet pays; at home on the shard. */
  faucet: z.string().regex(ADDRESS),
});
export type DevnetShard = z.infer<typeof devnetShardSchema>;

const shardFileSchema = z.object({
  networkId: z.string().min(1).max(64),
  shard: z.number().int().positive(),
});
export type ShardFile = z.infer<typeof shardFileSchema>;

/**
 * Makes what is missing of the shards' folders. The profile that names the shards is written after this, so that an
 * interrupted start goes on where it stopped.
 * @throws AceError `DataDirMismatch` when a folder is of a network with another number of shards
 */
export async function makeShardFolders(
  dataDir: string,
  networkId: string,
  shardCount: number,
): Promise<DevnetShard[]> {
  const shards: DevnetShard[] = [];
  for (let shard = 0; shard < shardCount; shard++) {
    const folder = shard === 0 ? dataDir : join(dataDir, `shard-${shard}`);
    makeFolder(folder);
    // A faucet's transfers are operations of its account, which only its home shard takes.
    const isHome = (phrase: string) =>
      homeShard(accountFromPhrase(phrase).address, shardCount, sha256) === shard;
    const { phrase, device } = await validatorSecrets(new DataDir(folder).wallet, {
      fits: isHome,
      mayMake: true,
    });
    if (shard > 0) {
      const file: ShardFile = { networkId, shard };
      await writeFileAtomic(shardFilePath(folder), `${JSON.stringify(file, null, 2)}\n`, 0o600);
    }
    shards.push({
      validatorKey: toHex(device.publicKey),
      faucet: accountFromPhrase(phrase).address,
    });
  }
  return shards;
}

/** Which shard a folder is of; `null` when it is no such folder. @throws AceError `DataDirMismatch` */
export function readShardFile(dataDir: string): ShardFile | null {
  const path = shardFilePath(dataDir);
  if (!existsSync(path)) return null;
  try {
    return shardFileSchema.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch (cause) {
    throw new AceError('DataDirMismatch', `${path} does not say which shard this is`, { cause });
  }
}

function shardFilePath(dataDir: string): string {
  return new DataDir(dataDir).shard;
}
