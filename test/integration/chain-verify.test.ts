import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as dagCbor from '@ipld/dag-cbor';
import Sqlite from 'better-sqlite3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openEmbeddedChain } from '../../main/chain/embedded/embedded-chain.ts';
import { hashRecord } from '../../main/chain/embedded/log.ts';
import { verifyChain } from '../../main/chain/embedded/verify.ts';
import type { LogRecord } from '../../main/db/chain/log.ts';
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
    { kind: 'transfer', to: PEER.address, token: 'XAT', amount: parseAmount('1') },
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
    { kind: 'access', to: PEER.address, contentId: 'bafy', priceXac: parseAmount('2'), premium: false },
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
    expect({ height, operations, batches }).toEqual({ height: 14, operations: 7, batches: 7 });
  });

  it('does so while another process writes to it', async () => {
    const dir = tempDir();
    cpSync(original, dir, { recursive: true });
    const path = join(dir, 'chain.db');
    const live = openEmbeddedChain({ path, settings, genesis, nowMs: () => Date.now() });
    const verifying = verifyChain({ path, scratchPath: join(dir, 'scratch.db') });
    await settle(live, [entry(PEER.address, RICH.address, 1)]);
    expect((await verifying).height).toBe(14);
    await live.close();
  });

  const [rich, peer] = [RICH, PEER].map(({ address }) => `x'${address.slice(2)}'`);
  it.each([
    [
      'balances moved between accounts',
      `UPDATE accounts SET xac = xac + iif(address = ${rich}, 1, -1) WHERE xac > 1`,
    ],
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
    for (const head of [hashes[0], hashes[7], hashes[14]]) {
      expect((await verify('', head)).height).toBe(14);
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
    expect(numbers).toEqual([7]);
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

it('a chain that began with older rules takes up the newest when it is opened, and both parts are proved', async () => {
  const dir = tempDir();
  const path = join(dir, 'chain.db');
  const nowMs = () => 1_700_000_000_000;
  const options = { path, settings: testSettings(), genesis, nowMs };
  const watched = { videoUnits: 10n, watchMs: 10_000n };
  const units = (chain: ReturnType<typeof openEmbeddedChain>) =>
    chain.market().then((m) => m.totals.videoUnits);
  const onCredit = [entry(PEER.address, RICH.address, 10)];

  const old = openEmbeddedChain({ ...options, rules: 1 });
  const first = await units(old);
  await settle(old, onCredit, { watched });
  // By the old rules, what was taken on credit counts at once.
  expect((await units(old)) - first).toBe(10n);
  await old.close();

  const chain = openEmbeddedChain(options);
  await settle(chain, onCredit, { watched });
  expect((await units(chain)) - first).toBe(10n);
  await chain.close();
  await openEmbeddedChain(options).close();
  const proved = await verifyChain({ path, scratchPath: join(dir, 'scratch.db') });
  expect([proved.height, proved.batches, proved.operations]).toEqual([3, 2, 0]);
});

// The chain could only "not be applied again", before.
it('says that a record names rules that this program does not know, or that a batch is missing', async () => {
  const dir = tempDir();
  const path = join(dir, 'chain.db');
  const options = { path, settings: testSettings(), genesis, nowMs: () => 1_700_000_000_000 };
  await openEmbeddedChain({ ...options, rules: 1 }).close();
  const chain = openEmbeddedChain(options);
  await settle(chain, [entry(PEER.address, RICH.address, 10)]);
  await chain.close();
  const why = (tamper: (db: Sqlite.Database) => void) => {
    const forged = join(tempDir(), 'chain.db');
    cpSync(path, forged);
    const db = new Sqlite(forged);
    db.exec('DROP TRIGGER log_is_not_changed; DROP TRIGGER log_is_not_cut;');
    tamper(db);
    db.close();
    return verifyChain({ path: forged, scratchPath: `${forged}.scratch` });
  };
  const newer = (db: Sqlite.Database) => {
    const record = db
      .prepare<[], LogRecord>(
        `SELECT height, kind, previous_hash AS previousHash, appended_at_ms AS appendedAtMs FROM log WHERE height = 1`,
      )
      .get() as LogRecord;
    const bytes = dagCbor.encode([4]);
    const hash = hashRecord({ ...record, bytes });
    db.prepare('UPDATE log SET bytes = ?, hash = ? WHERE height = 1').run(bytes, hash);
  };
  await expect(why(newer)).rejects.toThrow('record 1 names rules that this program does not know');
  const without = (db: Sqlite.Database) => void db.exec('DELETE FROM batches');
  await expect(why(without)).rejects.toThrow('batch 1 of shard 0 is missing');
});

it('a chain of the rules of a day takes up those of any 24 hours, and each part is proved by its own', async () => {
  const dir = tempDir();
  const path = join(dir, 'chain.db');
  const midnightMs = 19_700 * 86_400_000;
  let nowMs = midnightMs - 60_000;
  const options = { path, settings: testSettings(), genesis, nowMs: () => nowMs };
  // The slowest that a video can be: as far up as the rules let the rate go.
  const push = (chain: ReturnType<typeof openEmbeddedChain>) =>
    settle(chain, [entry(RICH.address, PEER.address, 100_000)], {
      watched: { videoUnits: 100_000n, watchMs: 100_000n * 131_072n },
    });
  const rate = async (chain: ReturnType<typeof openEmbeddedChain>) => {
    const { videoUnits, watchMs } = (await chain.market()).totals;
    return Number(videoUnits) / Number(watchMs);
  };
  const old = openEmbeddedChain({ ...options, rules: 2 });
  const first = await rate(old);
  for (let n = 0; n < 6; n++) await push(old);
  nowMs = midnightMs + 60_000;
  for (let n = 0; n < 6; n++) await push(old);
  // Twice the bound of a day, within two minutes.
  expect((await rate(old)) / first).toBeLessThan(0.97);
  await old.close();

  const chain = openEmbeddedChain(options);
  const second = await rate(chain);
  for (const stepMs of [0, 86_280_000]) {
    nowMs += stepMs;
    for (let n = 0; n < 6; n++) await push(chain);
  }
  expect((await rate(chain)) / second).toBeGreaterThan(0.979);
  await chain.close();
  const proved = await verifyChain({ path, scratchPath: join(dir, 'scratch.db') });
  expect(proved.batches).toBe(24);
});

it('what older rules counted without its time stays counted: nothing is taken back', async () => {
  const options = {
    path: join(tempDir(), 'chain.db'),
    settings: testSettings(),
    genesis,
    nowMs: () => 1_700_000_000_000,
  };
  const old = openEmbeddedChain({ ...options, rules: 1 });
  await settle(old, [entry(PEER.address, RICH.address, 10)], { watched: { videoUnits: 10n, watchMs: 5n } });
  const before = (await old.market()).totals;
  await old.close();
  const chain = openEmbeddedChain(options);
  await settle(chain, [entry(RICH.address, PEER.address, 1)]);
  expect((await chain.market()).totals).toEqual(before);
  await chain.close();
});
