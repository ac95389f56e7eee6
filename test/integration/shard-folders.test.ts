import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { shardCommand, validatorCommand } from '../../main/cli/validator.ts';
import { openValidatorStore } from '../../main/db/validator/store.ts';
import { sha256 } from '../../main/util/sha256.ts';
import { runDevnetValidator } from '../../main/validator/devnet.ts';
import type { RunningValidator } from '../../main/validator/running-validator.ts';
import { makeShardFolders } from '../../main/validator/shard-folders.ts';
import { runShardValidator } from '../../main/validator/shard-process.ts';
import { homeShard } from '../../shared/home-shard.ts';
import { expectAceRejection } from '../helpers/ace-error.ts';
import { storedGenesis } from '../helpers/chain.ts';
import { TEST_PROFILE } from '../helpers/devnet.ts';
import { tempDir } from '../helpers/temp-dir.ts';

async function running(start: Promise<RunningValidator>): Promise<RunningValidator> {
  const validator = await start;
  onTestFinished(() => validator.stop());
  return validator;
}

const devnet = (dataDir: string, shards: number) =>
  running(runDevnetValidator({ dataDir, port: 0, profile: { ...TEST_PROFILE, shards } }));
const shard = (dataDir: string, { multiaddr }: RunningValidator) =>
  runShardValidator({ dataDir, port: 0, chainMultiaddr: multiaddr });
const NOWHERE = '/ip4/127.0.0.1/tcp/1/p2p/12D3KooWQineyczTH4sgd8d9t6qVPVe3mf2vcMyMr7QGWmMXZCiV';

describe('the folders of a devnet with many shards', () => {
  it('hold a key for each shard, and a faucet that is at home there and has its part', async () => {
    const dir = tempDir();
    const { settings, chain } = await devnet(dir, 3);
    expect(settings.validatorKeys).toHaveLength(3);
    const { shards } = JSON.parse(readFileSync(join(dir, 'profile.json'), 'utf8'));
    const balances: bigint[] = [];
    for (const [i, { faucet, validatorKey }] of shards.entries()) {
      expect(validatorKey).toBe(settings.validatorKeys[i]);
      expect(homeShard(faucet, 3, sha256)).toBe(i);
      balances.push((await chain.account(faucet)).main.XAT);
    }
    expect(balances.reduce((sum, balance) => sum + balance)).toBe(1_000_000n * 10_000_000n);
    expect(Math.max(...balances.map(Number)) - Math.min(...balances.map(Number))).toBeLessThan(3);
  });

  it('stay what they are at the next start, also when the first was interrupted', async () => {
    const dir = tempDir();
    const made = await makeShardFolders(dir, 'interrupted', 2);
    const first = await runDevnetValidator({
      dataDir: dir,
      port: 0,
      profile: { ...TEST_PROFILE, shards: 2 },
    });
    expect(first.settings.validatorKeys).toEqual(made.map(({ validatorKey }) => validatorKey));
    await first.stop();
    const again = await devnet(dir, 2);
    expect(again.settings).toEqual(first.settings);
    expect(storedGenesis(join(dir, 'chain.db')).settings).toEqual(first.settings);
    const { multiaddr, settings } = await running(shard(join(dir, 'shard-1'), again));
    expect(settings).toEqual(first.settings);
    expect(multiaddr).not.toBe(again.multiaddr);
  });

  it('are not made for one shard, whose profile says nothing of it', async () => {
    const dir = tempDir();
    await devnet(dir, 1);
    expect(JSON.parse(readFileSync(join(dir, 'profile.json'), 'utf8'))).not.toHaveProperty('shards');
    expect(existsSync(join(dir, 'shard-1'))).toBe(false);
  });

  it('start as shards only: none begins a network of its own', async () => {
    const dir = tempDir();
    const chain = await devnet(dir, 2);
    const folder = join(dir, 'shard-1');
    await expectAceRejection('DataDirMismatch', runDevnetValidator({ dataDir: folder, port: 0 }));
    await expectAceRejection('FileMissing', shard(tempDir(), chain));
    await expectAceRejection('FileMissing', shard(dir, chain));
    const away = runShardValidator({ dataDir: folder, port: 0, chainMultiaddr: NOWHERE });
    await expectAceRejection('ShardUnavailable', away);
    const noAddress = runShardValidator({ dataDir: folder, port: 0, chainMultiaddr: 'shard-0' });
    await expectAceRejection('InvalidInput', noAddress);
    await running(shard(folder, chain));
  });

  it('belong to one network, and so do the books in them', async () => {
    const [one, other] = [tempDir(), tempDir()];
    const [first, second] = [await devnet(one, 2), await devnet(other, 2)];
    await expectAceRejection('DataDirMismatch', shard(join(one, 'shard-1'), second));
    const books = openValidatorStore(join(one, 'shard-1', 'validator.db'));
    books.commit(() => books.meta.set('network', second.settings.networkId));
    books.close();
    await expectAceRejection('DataDirMismatch', shard(join(one, 'shard-1'), first));
    writeFileSync(join(other, 'shard-1', 'shard.json'), '{"shard": 1}');
    await expectAceRejection('DataDirMismatch', shard(join(other, 'shard-1'), second));
  });
});

describe('ace-node validator', () => {
  it('refuses another number of shards than the devnet has, and a profile for a shard', async () => {
    const dir = tempDir();
    const { multiaddr } = await devnet(dir, 2);
    const given =
      (...names: string[]) =>
      (name: string) =>
        names.includes(name);
    const three = validatorCommand(dir, { port: 0 }, { ...TEST_PROFILE, shards: 3 }, given('shards'));
    await expectAceRejection('DataDirMismatch', three);
    for (const option of ['shards', 'creditLimit', 'trafficRate', 'settlementInterval']) {
      const shardOne = shardCommand(join(dir, 'shard-1'), { port: 0 }, multiaddr, given(option));
      await expectAceRejection('InvalidInput', shardOne);
    }
  });
});
