import { join } from 'node:path';
import { expect, it } from 'vitest';
import { initial } from '../../../../main/db/chain/migrations/0001-initial.ts';
import { chainMigrations } from '../../../../main/db/chain/migrations/index.ts';
import { openChainStore } from '../../../../main/db/chain/store.ts';
import { openDatabase } from '../../../../main/db/open.ts';
import { tempDir } from '../../../helpers/temp-dir.ts';

const [FIRST, SECOND] = [`0x${'0a'.repeat(20)}`, `0xff${'00'.repeat(19)}`];

it('accounts of the first schema keep every number under their new keys', () => {
  const path = join(tempDir(), 'chain.db');
  const old = openDatabase({ path, role: 'chain', migrations: [initial] });
  const insert = old.prepare('INSERT INTO accounts VALUES (?, ?, ?, ?, ?, ?, ?)');
  insert.run(SECOND, 0n, 9_000_000_000_000_000_000n, 3n, 4n, 5, 10_240);
  insert.run(FIRST, 1n, 2n, 0n, 0n, 0, 0);
  old.close();
  const { db, accounts } = openChainStore(path);
  expect(accounts.all()).toEqual([
    { address: FIRST, balances: { XAT: 1n, XAC: 2n, XAS: 0n, XAB: 0n }, nonce: 0, creditUsedUnits: 0 },
    {
      address: SECOND,
      balances: { XAT: 0n, XAC: 9_000_000_000_000_000_000n, XAS: 3n, XAB: 4n },
      nonce: 5,
      creditUsedUnits: 10_240,
    },
  ]);
  expect(accounts.get(FIRST)).toEqual(accounts.all()[0]);
  db.close();
});

it('a day that the rate began with stays, as the older rules need it', () => {
  const path = join(tempDir(), 'chain.db');
  const old = openDatabase({ path, role: 'chain', migrations: chainMigrations.slice(0, 5) });
  old.prepare('INSERT INTO rate_day (id, day, video_units, watch_ms) VALUES (1, 20000, 7, 8)').run();
  old.close();
  const { db, rateDay, rateHours } = openChainStore(path);
  expect(rateDay.get()).toEqual({ day: 20_000n, videoUnits: 7n, watchMs: 8n });
  expect(rateHours.any()).toBe(false);
  db.close();
});

it('a chain that lost the table of a day opens and goes on with the rules of hours', () => {
  const path = join(tempDir(), 'chain.db');
  const old = openDatabase({ path, role: 'chain', migrations: chainMigrations.slice(0, 6) });
  old.exec(`DROP TABLE rate_day; INSERT INTO rate_hours VALUES (480000, 7, 8)`);
  old.close();
  const { db, rateDay, rateHours } = openChainStore(path);
  expect(rateDay.get()).toBeUndefined();
  expect(rateHours.since(480_000n)).toEqual([{ videoUnits: 7n, watchMs: 8n }]);
  db.close();
});
