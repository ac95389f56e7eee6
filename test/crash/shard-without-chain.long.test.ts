/** A shard that starts while the main chain's process is away: claims are taken, nothing is lost, the rest waits. */
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

const UNITS = 40;

it('shard and chain killed in mid-stream, the shard back alone: all units are claimed, and settled when the chain is back', async () => {
  const dir = tempDir();
  const [chainDir, shardDir] = [join(dir, 'chain'), join(dir, 'chain', 'shard-1')];
  const file = await makeFile(join(dir, 'clip.bin'), UNITS * MIB);
  const viewerAt = await peerFolder(dir, 'viewer', 1);
  const providerAt = await peerFolder(dir, 'provider', 0);
  const chain = startRole('validator', chainDir, '0', '2');
  const chainAddress = await chain.said('ready');
  const first = startRole('shard', shardDir, chainAddress);
  const shardAddress = await first.said('ready');
  const provider = startRole('peer', providerAt.dir, chainAddress, 'import', file);
  const contentId = await provider.said('imported');
  await provider.said('ready');
  const viewer = startRole('peer', viewerAt.dir, shardAddress, 'fetch', contentId);
  await viewer.has(0.2 * UNITS * MIB);
  await Promise.all([chain.kill(), first.kill()]);

  const shard = startRole('shard', shardDir, chainAddress);
  expect(await shard.said('ready')).toBe(shardAddress);
  // The lease is with the provider: nobody needs the chain to stream, to pay and to claim.
  await viewer.said('done');
  const books = openNodeStore(join(providerAt.dir, 'node.db'));
  onTestFinished(() => books.close());
  await waitFor(
    'the shard has all claims, without the chain',
    () => books.payeeChannels.all().every((row) => row.claimedUnits === row.state.paidUnits),
    60_000,
  );
  expect(books.payeeChannels.paidUnits()).toBe(UNITS);

  const again = startRole('validator', chainDir, '0');
  expect(await again.said('ready')).toBe(chainAddress);
  const snapshot = () => openStoredChain(join(chainDir, 'chain.db'));
  await waitFor(
    'everything is settled',
    async () => {
      const now = snapshot();
      const { creditUsedUnits } = await now.account(viewerAt.account);
      await now.close();
      return creditUsedUnits === UNITS;
    },
    60_000,
  );
  for (const process of [viewer, provider, shard, again]) await process.terminate();
  const store = openValidatorStore(join(shardDir, 'validator.db'));
  onTestFinished(() => store.close());
  expect(store.loans.owedUnits(viewerAt.account)).toBe(UNITS);
  const end = snapshot();
  onTestFinished(() => end.close());
  for (const token of TOKENS) {
    const { held, owed } = await heldAndOwed(end, token);
    expect(held).toBe(owed);
  }
}, 180_000);

it('a shard that has never met its chain does not start without it', async () => {
  const dir = tempDir();
  const chain = startRole('validator', join(dir, 'chain'), '0', '2');
  const chainAddress = await chain.said('ready');
  await chain.kill();
  const shard = startRole('shard', join(dir, 'chain', 'shard-1'), chainAddress);
  await expect(shard.said('ready')).rejects.toThrow(/ended with 1/);
});
