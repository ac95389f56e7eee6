import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { openStoredChain } from '../../main/chain/embedded/stored-chain.ts';
import { openNodeStore } from '../../main/db/node/store.ts';
import { openValidatorStore } from '../../main/db/validator/store.ts';
import { TOKENS } from '../../shared/economy/money.ts';
import { heldAndOwed } from '../helpers/chain.ts';
import { peerFolder, startRole } from '../helpers/crash-roles.ts';
import { MIB } from '../helpers/devnet.ts';
import { makeFile } from '../helpers/files.ts';
import { tempDir } from '../helpers/temp-dir.ts';
import { waitFor } from '../helpers/wait.ts';

it('a shard and the chain, processes of their own, killed in turn in mid-stream: every unit is settled once', async () => {
  const dir = tempDir();
  const chainDir = join(dir, 'chain');
  const shardDir = join(chainDir, 'shard-1');
  const units = 120;
  const file = await makeFile(join(dir, 'clip.bin'), units * MIB);
  const [viewerAt, providerAt] = [await peerFolder(dir, 'viewer', 1), await peerFolder(dir, 'provider', 0)];

  let chain = startRole('validator', chainDir, '0', '2');
  const chainAddress = await chain.said('ready');
  let shard = startRole('shard', shardDir, chainAddress);
  const shardAddress = await shard.said('ready');
  const provider = startRole('peer', providerAt.dir, chainAddress, 'import', file);
  const contentId = await provider.said('imported');
  await provider.said('ready');
  const viewer = startRole('peer', viewerAt.dir, shardAddress, 'fetch', contentId);

  await viewer.has(0.2 * units * MIB);
  await shard.kill();
  shard = startRole('shard', shardDir, chainAddress);
  expect(await shard.said('ready')).toBe(shardAddress);
  await viewer.has(0.5 * units * MIB);
  await chain.kill();
  chain = startRole('validator', chainDir, '0');
  expect(await chain.said('ready')).toBe(chainAddress);
  await viewer.said('done');
  await viewer.terminate();

  const books = openNodeStore(join(providerAt.dir, 'node.db'));
  await waitFor(
    'the payer’s shard has all claims',
    () => books.payeeChannels.all().every((row) => row.claimedUnits === row.state.paidUnits),
    60_000,
  );
  const paid = books.payeeChannels.paidUnits();
  books.close();
  await provider.terminate();
  await shard.terminate();
  await chain.terminate();

  expect(paid).toBe(units);
  const store = openValidatorStore(join(shardDir, 'validator.db'));
  const snapshot = openStoredChain(join(chainDir, 'chain.db'));
  onTestFinished(async () => {
    store.close();
    await snapshot.close();
  });
  expect(store.loans.owedUnits(viewerAt.account)).toBe(units);
  expect((await snapshot.account(viewerAt.account)).creditUsedUnits).toBe(units);
  expect((await snapshot.lastBatch(1)).number).toBe(store.batches.last()?.number);
  for (const token of TOKENS) {
    const { held, owed } = await heldAndOwed(snapshot, token);
    expect(held).toBe(owed);
  }
});
