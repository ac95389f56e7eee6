/** A node whose own devnet has a chain from before accounts had two places. */
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { DataDir } from '../../main/data-dir/data-dir.ts';
import { NODE_MIGRATIONS } from '../../main/db/node/store.ts';
import { openDatabase } from '../../main/db/open.ts';
import { startNode } from '../../main/node/node.ts';
import { expectAceRejection } from '../helpers/ace-error.ts';
import { tempDir } from '../helpers/temp-dir.ts';

it('is refused before its books are brought up to date: the program that made it still opens them', async () => {
  const dir = new DataDir(join(tempDir(), 'node'));
  const { chainDb } = new DataDir(dir.validatorDir);
  const config = {
    ...{ dataDir: dir.path, resourcesDir: dir.path, pagesDir: dir.path },
    ...{ httpPort: 0, offerSample: false },
  };
  await (await startNode(config)).stop();
  for (const path of [chainDb, dir.nodeDb]) rmSync(path);
  const earlier = [1, 2, 3, 4, 5, 6, 7].map((version) => ({
    version,
    name: `of ${version}`,
    up: () => undefined,
  }));
  openDatabase({ path: chainDb, role: 'chain', migrations: earlier }).close();
  openDatabase({ path: dir.nodeDb, role: 'node', migrations: NODE_MIGRATIONS.slice(0, 20) }).close();
  const [chain, books] = [readFileSync(chainDb), readFileSync(dir.nodeDb)];
  const error = await expectAceRejection('SchemaTooOld', startNode(config));
  expect(error.message).toContain(chainDb);
  expect(readFileSync(chainDb).equals(chain)).toBe(true);
  // Before, the wallet had opened node.db by then, and its schema was of this program.
  expect(readFileSync(dir.nodeDb).equals(books)).toBe(true);
});
