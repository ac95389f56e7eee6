import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as dagCbor from '@ipld/dag-cbor';
import Sqlite from 'better-sqlite3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openEmbeddedChain } from '../../main/chain/embedded/embedded-chain.ts';
import { hashRecord } from '../../main/chain/embedded/log.ts';
import { verifyChain } from '../../main/chain/embedded/verify.ts';
import { signOperation } from '../../main/wallet/account.ts';
import { parseAmount } from '../../shared/economy/money.ts';
import type { Operation } from '../../shared/economy/operation.ts';
import { expectAceRejection } from '../helpers/ace-error.ts';
import { entry, settle, testAccount, testGenesis, testSettings } from '../helpers/chain.ts';
import { tempDir } from '../helpers/temp-dir.ts';

const [RICH, PEER] = [testAccount(1), testAccount(2)];
const settings = testSettings({
  pinnedXacPerXat: null,
  feedAccount: RICH.address,
  treasury: RICH.address,
});
const genesis = testGenesis(
  [
    [RICH.address, 'XAT', '100'],
    [RICH.address, 'XAT', '100', 'main'],
    [RICH.address, 'XAB', '100'],
  ],
  [
    ['lockedPool', 'XAT', '1000'],
    ['exchangeXat', 'XAT', '1000'],
    ['exchangeXat', 'XAC', '1000'],
  ],
);

/** A chain's folder in which everything that can happen has happened. */
let original: string;

beforeAll(async () => {
  original = mkdtempSync(join(tmpdir(), 'ace-test-'));
  let nowMs = 1_700_000_000_000;
  const chain = openEmbeddedChain({
    path: join(original, 'chain.db'),
    settings,
    genesis,
    nowMs: () => (nowMs += 60_000),
  });
  const operations: Record<string, unknown>[] = [
    { kind: 'transfer', place: 'services', to: PEER.address, token: 'XAT', amount: parseAmount('1') },
    { kind: 'deposit', token: 'XAT', amount: parseAmount('2') },
    { kind: 'withdraw', token: 'XAT', amount: parseAmount('1') },
    { kind: 'feed', aceBytePriceUsd: '0.25' },
    { kind: 'mint', amountXat: parseAmount('1'), maxXab: parseAmount('4') },
    {
      kind: 'swap',
      sell: 'XAT',
      buy: 'XAC',
      amount: parseAmount('30'),
      minReceived: parseAmount('1'),
      deadlineMs: 1_900_000_000_000,
    },
    {
      kind: 'access',
      lastsMs: 0,
      to: PEER.address,
      contentId: 'bafy',
      priceXac: parseAmount('2'),
      premium: false,
    },
    { kind: 'reward', to: PEER.address, amountXac: parseAmount('1'), purpose: 'advertising' },
    { kind: 'link', device: 'ab'.repeat(32) },
  ];
  for (const [nonce, fields] of operations.entries()) {
    const operation = { from: RICH.address, nonce, ...fields } as unknown as Operation;
    await chain.submit(await signOperation(RICH, settings, operation));
    await settle(chain, [
      entry(RICH.address, PEER.address, 100),
      entry(PEER.address, RICH.address, 1_000_000),
    ]);
  }
  await chain.close();
});

afterAll(() => rmSync(original, { recursive: true, force: true }));

/** Verifies a copy of the chain after somebody changed its file. */
function verify(tamper = '', head?: Uint8Array) {
  const dir = tempDir();
  cpSync(original, dir, { recursive: true });
  const path = join(dir, 'chain.db');
  const db = new Sqlite(path);
  db.exec(`DROP TRIGGER log_is_not_changed; DROP TRIGGER log_is_not_cut; ${tamper}`);
  db.close();
  return verifyChain({ path, scratchPath: join(dir, 'scratch.db'), ...(head && { head }) });
}

describe('verifying a chain', () => {
  it('builds the same books from its log', async () => {
    const { height, operations, batches } = await verify();
    expect({ height, operations, batches }).toEqual({ height: 18, operations: 9, batches: 9 });
  });

  it('does so while another process writes to it', async () => {
    const dir = tempDir();
    cpSync(original, dir, { recursive: true });
    const path = join(dir, 'chain.db');
    const live = openEmbeddedChain({ path, settings, genesis, nowMs: () => Date.now() });
    const verifying = verifyChain({ path, scratchPath: join(dir, 'scratch.db') });
    await settle(live, [entry(PEER.address, RICH.address, 1)]);
    expect((await verifying).height).toBe(18);
    await live.close();
  });

  const [rich, peer] = [RICH, PEER].map(({ address }) => `x'${address.slice(2)}'`);
  it.each([
    [
      'balances moved between accounts',
      `UPDATE accounts SET xac = xac + iif(address = ${rich}, 1, -1) WHERE xac > 1`,
    ],
    [
      'tokens moved between an account’s places',
      `UPDATE accounts SET xat = xat - 1, services_xat = services_xat + 1 WHERE address = ${rich}`,
    ],
    [
      'where an operation moved them',
      'UPDATE account_operations SET xat = services_xat, services_xat = xat WHERE xat <> services_xat',
    ],
    ['access that was bought', 'UPDATE access SET until_ms = until_ms + 1'],
    ['a nonce', `UPDATE accounts SET nonce = nonce + 1 WHERE address = ${peer}`],
    ['credit', `UPDATE accounts SET credit_used_units = 0 WHERE address = ${peer}`],
    ['a pool', "UPDATE pools SET balance = balance + 1 WHERE pool = 'trafficFeePool' AND token = 'XAC'"],
    ['the supply', "UPDATE supply SET emitted = emitted + 1, burned = burned + 1 WHERE token = 'XAT'"],
    ['the traffic totals', 'UPDATE totals SET watch_ms = watch_ms + 1'],
    ['a price', "UPDATE price_observations SET price = price || '0'"],
    ['the feed', "UPDATE feed SET ace_byte_price_usd = '1/1'"],
    ['a device', 'DELETE FROM devices'],
    ['a batch’s result', "UPDATE batches SET result = x'00' WHERE number = 3"],
    ['a batch’s bytes', "UPDATE batches SET bytes = x'00' WHERE number = 3"],
    ['a missing batch', 'DELETE FROM batches WHERE number = 3'],
    ['a record’s bytes', "UPDATE log SET bytes = x'00' WHERE height = 5"],
    ['a record’s time', 'UPDATE log SET appended_at_ms = appended_at_ms + 1 WHERE height = 5'],
    ['a record’s hash', 'UPDATE log SET hash = zeroblob(32) WHERE height = 5'],
    ['a record that is missing', 'DELETE FROM log WHERE height = 5'],
    ['a log cut short', 'DELETE FROM log WHERE height > 12'],
  ])('notices %s', async (_, tamper) => {
    await expectAceRejection('ChainDiverged', verify(tamper));
  });

  it.each([
    [
      'the balances of one account',
      `UPDATE accounts SET xac = xac + 1 WHERE address = ${rich}`,
      '1 row of its accounts',
    ],
    ['a device that is gone', 'DELETE FROM devices', '1 row of its devices'],
    [
      'two pools',
      "UPDATE pools SET balance = balance + 1 WHERE pool IN ('trafficFeePool', 'txFeePool') AND token = 'XAC'",
      '2 rows of its pools',
    ],
  ])('counts the rows that differ once each: %s', async (_, tamper, says) => {
    const { message } = await expectAceRejection('ChainDiverged', verify(tamper));
    expect(message).toContain(`${says} cannot follow from its log`);
  });

  it('finds every head that the chain ever had, and no other', async () => {
    const db = new Sqlite(join(original, 'chain.db'), { readonly: true });
    const hashes = db.prepare<[], Uint8Array>('SELECT hash FROM log ORDER BY height').pluck().all();
    db.close();
    for (const head of [hashes[0], hashes[9], hashes[18]]) {
      expect((await verify('', head)).height).toBe(18);
    }
    const { message } = await expectAceRejection('ChainDiverged', verify('', new Uint8Array(32).fill(7)));
    expect(message).toContain('another history');
  });

  it('needs neither settings nor genesis from outside, and names the network', async () => {
    expect((await verify()).networkId).toBe(settings.networkId);
  });

  it('says what else the proved chain is held against', async () => {
    const dir = tempDir();
    cpSync(original, dir, { recursive: true });
    const paths = { path: join(dir, 'chain.db'), scratchPath: join(dir, 'scratch.db') };
    const numbers: number[] = [];
    await verifyChain({
      ...paths,
      compare: async (proved) => void numbers.push((await proved.lastBatch(0)).number),
    });
    expect(numbers).toEqual([9]);
  });

  it('refuses a log that begins with a genesis nobody knows', async () => {
    const bytes = dagCbor.encode(['ace-genesis-0', {}, [], []]);
    const record = {
      height: 0,
      previousHash: new Uint8Array(32),
      kind: 'genesis' as const,
      bytes,
      appendedAtMs: 1,
    };
    const [hex, hash] = [bytes, hashRecord(record)].map((part) => Buffer.from(part).toString('hex'));
    const forged = `UPDATE log SET bytes = x'${hex}', hash = x'${hash}', appended_at_ms = 1 WHERE height = 0`;
    await expectAceRejection('DataDirMismatch', verify(forged));
    await expectAceRejection('ChainDiverged', verify("UPDATE log SET bytes = x'00' WHERE height = 0"));
  });
});

it('says that a batch is missing', async () => {
  const path = join(tempDir(), 'chain.db');
  const chain = openEmbeddedChain({
    path,
    settings: testSettings(),
    genesis,
    nowMs: () => 1_700_000_000_000,
  });
  await settle(chain, [entry(PEER.address, RICH.address, 10)]);
  await chain.close();
  const db = new Sqlite(path);
  db.exec('DELETE FROM batches');
  db.close();
  await expect(verifyChain({ path, scratchPath: `${path}.scratch` })).rejects.toThrow(
    'batch 1 of shard 0 is missing',
  );
});
