import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { openStoredChain } from '../../main/chain/embedded/stored-chain.ts';
import { openNodeStore } from '../../main/db/node/store.ts';
import { openValidatorStore } from '../../main/db/validator/store.ts';
import { settle } from '../../main/validator/batching.ts';
import { TOKENS } from '../../shared/economy/money.ts';
import { heldAndOwed } from '../helpers/chain.ts';
import { startRole } from '../helpers/crash-roles.ts';
import { MIB } from '../helpers/devnet.ts';
import { makeFile, sha256OfFile } from '../helpers/files.ts';
import { party, TestShard } from '../helpers/shard.ts';
import { tempDir } from '../helpers/temp-dir.ts';
import { waitFor } from '../helpers/wait.ts';

const SETTLE_CHILD = fileURLToPath(new URL('./settle-kill-child.ts', import.meta.url));

describe('settling, killed', () => {
  it.each(['sealed', 'applied'])(
    'when the batch is %s loses nothing and settles nothing twice',
    async (point) => {
      const dir = tempDir();
      const child = spawn(process.execPath, [SETTLE_CHILD, dir, point], { stdio: 'inherit' });
      onTestFinished(() => void child.kill('SIGKILL'));
      const [, signal] = await once(child, 'exit');
      expect(signal).toBe('SIGKILL');

      const shard = new TestShard(dir);
      const sealed = shard.store.batches.last();
      expect(sealed?.result).toBeNull();
      expect((await shard.chain.lastBatch(0)).number).toBe(point === 'applied' ? 1 : 0);
      expect((await settle(shard.context))?.batchNumber).toBe(1);
      expect(await settle(shard.context)).toBeNull();
      const account = party(1).account.address;
      expect((await shard.chain.account(account)).creditUsedUnits).toBe(70);
      expect(shard.store.loans.owedUnits(account)).toBe(70);
      // 50 + 50 leased, 70 of it settled.
      expect(shard.store.leases.reservedUnits(account)).toBe(30);
      for (const token of TOKENS) {
        const { held, owed } = await heldAndOwed(shard.chain, token);
        expect(held).toBe(owed);
      }
      await shard.close();
    },
  );
});

describe('a validator killed in mid-stream', () => {
  it('twice keeps every claim it confirmed, and all units are settled once', { tags: 'long' }, async () => {
    const dir = tempDir();
    const [validatorDir, providerDir, viewerDir] = ['validator', 'provider', 'viewer'].map((n) =>
      join(dir, n),
    ) as [string, string, string];
    const units = 40;
    const file = await makeFile(join(dir, 'clip.bin'), units * MIB);
    const port = String(await freePort());
    let validator = startRole('validator', validatorDir, port);
    const address = await validator.said('ready');
    const provider = startRole('peer', providerDir, address, 'import', file);
    const contentId = await provider.said('imported');
    await provider.said('ready');
    const restart = async () => {
      await validator.kill();
      validator = startRole('validator', validatorDir, port);
      await validator.said('ready');
    };

    const first = startRole('peer', join(dir, 'first'), address, 'fetch', contentId);
    const doubled = [Number(await first.said('done'))];
    const books = openNodeStore(join(providerDir, 'node.db'));
    await waitFor('the shard has confirmed all of it', () =>
      books.payeeChannels.all().every((row) => row.claimedUnits === row.state.paidUnits),
    );
    const confirmedUnits = books.payeeChannels.paidUnits();
    books.close();
    await restart();

    const viewer = startRole('peer', viewerDir, address, 'fetch', contentId);
    for (const part of [0.2, 0.6]) {
      await viewer.has(part * units * MIB);
      await restart();
    }
    doubled.push(Number(await viewer.said('done')));
    for (const peer of [first, viewer, provider]) await peer.terminate();
    // At its start a provider hands in what the shard does not know yet.
    for (const seller of [providerDir, join(dir, 'first')]) {
      const again = startRole('peer', seller, address);
      await again.said('ready');
      await again.terminate();
    }
    await validator.terminate();

    expect(confirmedUnits).toBe(units);
    expect(await sha256OfFile(join(viewerDir, 'pieces', `${contentId}.pieces`))).toBe(
      await sha256OfFile(file),
    );
    const store = openValidatorStore(join(validatorDir, 'validator.db'));
    const chain = openStoredChain(join(validatorDir, 'chain.db'));
    onTestFinished(async () => {
      store.close();
      await chain.close();
    });
    // A piece that was late is asked for twice, and paid twice when both come: what the payers' books say they paid.
    const paid = [join(dir, 'first'), viewerDir].map(paidUnits);
    for (const [i, one] of paid.entries()) {
      expect(one).toBeGreaterThanOrEqual(units);
      expect(one).toBeLessThanOrEqual(units + (doubled[i] ?? 0));
    }
    const accounts = await chain.accounts();
    const used = accounts.map((a) => a.creditUsedUnits).filter((one) => one > 0);
    expect(used.toSorted()).toEqual(paid.toSorted());
    const owed = store.loans.debtors().map((debtor) => store.loans.owedUnits(debtor));
    expect(owed.toSorted()).toEqual(paid.toSorted());
    for (const token of TOKENS) {
      const books = await heldAndOwed(chain, token);
      expect(books.held).toBe(books.owed);
    }
  });
});

/** What a stopped viewer paid for, by its own books. */
function paidUnits(dataDir: string): number {
  const books = openNodeStore(join(dataDir, 'node.db'));
  try {
    return books.payerChannels.all().reduce((sum, { state }) => sum + state.revealedUnits, 0);
  } finally {
    books.close();
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}
