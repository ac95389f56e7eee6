/** A validator whose two files are not of the same moment: one was restored from an older copy. */
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { expect, it } from 'vitest';
import { openEmbeddedChain } from '../../main/chain/embedded/embedded-chain.ts';
import { openValidatorStore } from '../../main/db/validator/store.ts';
import { settle } from '../../main/validator/batching.ts';
import { runDevnetValidator } from '../../main/validator/devnet.ts';
import { deviceFromSeed } from '../../main/wallet/device.ts';
import { openWallet } from '../../main/wallet/keystore.ts';
import { expectAceRejection } from '../helpers/ace-error.ts';
import { storedGenesis } from '../helpers/chain.ts';
import { tempDir } from '../helpers/temp-dir.ts';

const FILES = ['chain.db', 'validator.db'] as const;

/** A devnet that has settled `batches` batches since the copies in `older` were made. */
async function devnet(batches: number): Promise<{ dir: string; older: string }> {
  const [dir, older] = [tempDir(), tempDir()];
  const validator = await runDevnetValidator({ dataDir: dir, port: 0 });
  await validator.stop();
  for (const file of FILES) cpSync(join(dir, file), join(older, file));
  const { deviceSeed } = await openWallet(join(dir, 'wallet.json'), { protection: 'none', devnet: true });
  const path = join(dir, 'chain.db');
  const chain = openEmbeddedChain({ path, ...storedGenesis(path), nowMs: () => Date.now() });
  const store = openValidatorStore(join(dir, 'validator.db'));
  const context = { chain, store, key: deviceFromSeed(deviceSeed), shard: 0, nowMs: () => Date.now() };
  for (let i = 0; i < batches; i++) {
    const channelId = new Uint8Array(32).fill(i + 1);
    store.commit(() => {
      store.leases.insert({
        channelId,
        anchor: channelId,
        payer: `0x${'01'.repeat(20)}`,
        payee: `0x${'02'.repeat(20)}`,
        payerDevice: channelId,
        payeeDevice: channelId,
        terms: channelId,
        signature: channelId,
        capacityUnits: 1,
        leasedAtMs: 1,
        expiresAtMs: Date.now() + 3_600_000,
      });
      store.leases.saveClaim({
        channelId,
        claimedUnits: 1,
        claimedTick: channelId,
        checkpointNumber: 1,
        videoBytes: 0,
        watchMs: 0,
        released: 1,
      });
    });
    expect(await settle(context)).not.toBeNull();
  }
  store.close();
  await chain.close();
  return { dir, older };
}

const start = (dataDir: string) => runDevnetValidator({ dataDir, port: 0 });

it('starts when both files are of one moment', async () => {
  const { dir } = await devnet(2);
  await (await start(dir)).stop();
});

it.each(FILES)('does not start on an older copy of %s, and says which file is old', async (file) => {
  const { dir, older } = await devnet(2);
  cpSync(join(older, file), join(dir, file));
  const error = await expectAceRejection('DataDirMismatch', start(dir));
  expect(error.message).toMatch(file === 'chain.db' ? /main chain is older/ : /database is older/);
});

it('does not start on a damaged lease, and says which file it is in', async () => {
  const { dir } = await devnet(1);
  const db = new Sqlite(join(dir, 'validator.db'));
  // Of an account that has paid: its devices are looked at.
  db.exec(`INSERT INTO watchers (account, watched_until_ms, ever_paid_units) SELECT payer, 1, 1 FROM leases;
    UPDATE leases SET payer_device = x'ff00'`);
  db.close();
  const error = await expectAceRejection('StoreFailed', start(dir));
  expect(error.message).toBe('A row of validator.db is damaged: restore a copy of the file');
});
