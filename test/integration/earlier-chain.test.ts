/** A node whose own devnet has a chain from before accounts had two places. */
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { exportCommand } from '../../main/cli/export.ts';
import { DataDir } from '../../main/data-dir/data-dir.ts';
import { MetaTable } from '../../main/db/meta.ts';
import { JournalTable } from '../../main/db/node/journal.ts';
import { NODE_MIGRATIONS } from '../../main/db/node/store.ts';
import { openDatabase } from '../../main/db/open.ts';
import { startNode } from '../../main/node/node.ts';
import type { JournalEntry } from '../../shared/journal/entry.ts';
import { expectAceRejection } from '../helpers/ace-error.ts';
import { testAddress } from '../helpers/chain.ts';
import { tempDir } from '../helpers/temp-dir.ts';

const earlier = [1, 2, 3, 4, 5, 6, 7].map((version) => ({
  version,
  name: `of ${version}`,
  up: () => undefined,
}));

/** Of 5 XAT, as it was booked then. */
const FAUCET: JournalEntry = {
  ...{ atMs: Date.UTC(2026, 10, 30), source: 'operation', shard: 0, seq: 1, part: 0 },
  ...{
    kind: 'faucet',
    direction: 'in',
    counterparty: testAddress(1),
    batchNumber: 0,
    hash: new Uint8Array(32),
  },
  ...{ price: null, channels: [], note: '' },
  postings: [
    { account: 'assets:wallet', commodity: 'XAT', amount: 50_000_000n },
    { account: 'income:faucet', commodity: 'XAT', amount: -50_000_000n },
  ],
};

it('is refused before its books are brought up to date: the program that made it still opens them', async () => {
  const dir = new DataDir(join(tempDir(), 'node'));
  const { chainDb } = new DataDir(dir.validatorDir);
  const config = {
    ...{ dataDir: dir.path, resourcesDir: dir.path, pagesDir: dir.path },
    ...{ httpPort: 0, offerSample: false },
  };
  const first = await startNode(config);
  const { address } = first.peer.account;
  await first.stop();
  for (const path of [chainDb, dir.nodeDb]) rmSync(path);
  openDatabase({ path: chainDb, role: 'chain', migrations: earlier }).close();
  const node = openDatabase({ path: dir.nodeDb, role: 'node', migrations: NODE_MIGRATIONS.slice(0, 20) });
  new JournalTable(node).append(FAUCET);
  new MetaTable(node).set('account', address);
  node.close();
  const [chain, books] = [readFileSync(chainDb), readFileSync(dir.nodeDb)];
  const error = await expectAceRejection('SchemaTooOld', startNode(config));
  expect(error.message).toContain(chainDb);
  expect(readFileSync(chainDb).equals(chain)).toBe(true);
  // Before, the wallet had opened node.db by then, and its schema was of this program.
  expect(readFileSync(dir.nodeDb).equals(books)).toBe(true);

  // They are exported all the same. Before, only once they were of this program's schema.
  const out = join(tempDir(), 'journal.csv');
  await exportCommand(config, { format: 'csv', out, force: false, bom: false });
  expect(readFileSync(out, 'utf8')).toMatch(/\n2026-11-30T00:00:00\.000Z,op-1,faucet,in,[^,]+,5\.0000000,/);
  expect(readFileSync(dir.nodeDb).equals(books)).toBe(true);
});
