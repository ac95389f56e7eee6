import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { openChainStore } from '../../../../main/db/chain/store.ts';
import { openDatabase } from '../../../../main/db/open.ts';
import { expectAceError } from '../../../helpers/ace-error.ts';
import { tempDir } from '../../../helpers/temp-dir.ts';

const version = (version: number) => ({ version, name: `of ${version}`, up: () => undefined });

it('refuses a chain from before accounts had two places with one clear line, and changes nothing', () => {
  const path = join(tempDir(), 'chain.db');
  const earlier = [1, 2, 3, 4, 5, 6, 7].map(version);
  openDatabase({ path, role: 'chain', migrations: earlier }).close();
  const before = readFileSync(path);
  for (const snapshot of [false, true]) {
    const error = expectAceError('SchemaTooOld', () => openChainStore(path, { snapshot }));
    expect(error.message).toBe(
      `${path} was made by an earlier Ace Node, and its chain cannot go on in this one: choose another --data-dir. Nothing here was changed`,
    );
    expect(error.details).toEqual({ version: 7, oldestVersion: 8 });
  }
  expect(readFileSync(path).equals(before)).toBe(true);
});

it('keeps every number of an account in both places', () => {
  const path = join(tempDir(), 'chain.db');
  const account = {
    address: `0xff${'00'.repeat(19)}`,
    main: { XAT: 1n, XAC: 9_000_000_000_000_000_000n, XAS: 3n, XAB: 4n },
    services: { XAC: 5n, XAT: 6n, XAS: 9_000_000_000_000_000_000n },
    nonce: 5,
    creditUsedUnits: 10_240,
  } as unknown as Parameters<ReturnType<typeof openChainStore>['accounts']['put']>[0];
  const { db, accounts, supply } = openChainStore(path);
  accounts.put(account);
  expect(accounts.all()).toEqual([account]);
  expect(accounts.get(account.address)).toEqual(account);
  expect(supply.held()).toEqual({
    XAT: 7n,
    XAC: 9_000_000_000_000_000_005n,
    XAS: 9_000_000_000_000_000_003n,
    XAB: 4n,
  });
  db.close();
});
