import { renameSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runDevnetValidator } from '../../main/validator/devnet.ts';
import { runShardValidator } from '../../main/validator/shard-process.ts';
import { DEFAULT_DEVNET } from '../../shared/devnet-profile.ts';
import { expectAceRejection } from '../helpers/ace-error.ts';
import { tempDir } from '../helpers/temp-dir.ts';

// It was made anew without a word, and the network then had another validator, who knew nothing of the old one's loans.

const start = (dataDir: string, shards = 1) =>
  runDevnetValidator({ dataDir, port: 0, profile: { ...DEFAULT_DEVNET, shards } });

describe('a validator whose key is gone', () => {
  it('does not start, and starts again with the key that it had', async () => {
    const dir = tempDir();
    const before = await start(dir);
    const { validatorKeys } = before.settings;
    await before.stop();
    const [key, copy] = [join(dir, 'wallet.json'), join(dir, 'wallet.json.copy')];
    renameSync(key, copy);
    await expectAceRejection('WalletMissing', start(dir));
    renameSync(copy, key);
    const again = await start(dir);
    expect(again.settings.validatorKeys).toEqual(validatorKeys);
    await again.stop();
  });

  it('does not start as one of many shards either', async () => {
    const dir = tempDir();
    const before = await start(dir, 2);
    const { multiaddr: chainMultiaddr } = before;
    const shardDir = join(dir, 'shard-1');
    renameSync(join(shardDir, 'wallet.json'), join(shardDir, 'wallet.json.copy'));
    await expectAceRejection(
      'WalletMissing',
      runShardValidator({ dataDir: shardDir, port: 0, chainMultiaddr }),
    );
    await before.stop();
    renameSync(join(dir, 'wallet.json'), join(dir, 'wallet.json.copy'));
    await expectAceRejection('WalletMissing', start(dir, 2));
  });
});
