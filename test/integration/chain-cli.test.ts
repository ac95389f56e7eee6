import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openEmbeddedChain } from '../../main/chain/embedded/embedded-chain.ts';
import { chainInfoCommand, chainVerifyCommand } from '../../main/cli/chain.ts';
import { openDatabase } from '../../main/db/open.ts';
import { openValidatorStore } from '../../main/db/validator/store.ts';
import { signOperation } from '../../main/wallet/account.ts';
import { parseAmount } from '../../shared/economy/money.ts';
import { ratio } from '../../shared/economy/ratio.ts';
import { encodeBatch } from '../../shared/settlement/batch.ts';
import { encodeBatchResult } from '../../shared/settlement/batch-result.ts';
import { expectAceRejection } from '../helpers/ace-error.ts';
import { entry, nextBatch, sign, testAccount, testGenesis, testSettings } from '../helpers/chain.ts';
import { expectOneLine, killStarted, run, startService } from '../helpers/cli.ts';

const [RICH, PEER] = [testAccount(1), testAccount(2)];
const BATCHES = 3;

let root: string;
/** A validator's folder after it ended: chain.db and validator.db, which agree. */
let original: string;

const newDir = () => mkdtempSync(join(root, 'test-'));

/** A copy of the folder, with its files changed behind the programs' back. */
function copy(change: { chain?: string; validator?: string; onlyChain?: boolean } = {}): string {
  const dir = newDir();
  cpSync(original, dir, { recursive: true });
  if (change.onlyChain) rmSync(join(dir, 'validator.db'));
  for (const [file, sql] of [
    ['chain.db', change.chain],
    ['validator.db', change.validator],
  ] as const) {
    if (sql === undefined) continue;
    const db = new Sqlite(join(dir, file));
    if (file === 'chain.db') db.exec('DROP TRIGGER log_is_not_changed; DROP TRIGGER log_is_not_cut');
    db.exec(sql);
    db.close();
  }
  return dir;
}

const chain = (command: string, dataDir: string, ...args: string[]) =>
  run(['chain', command, '--data-dir', dataDir, ...args]);

async function headOf(dataDir: string): Promise<string> {
  return JSON.parse((await chain('info', dataDir, '--json')).stdout).headHash;
}

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'ace-chain-cli-'));
  original = newDir();
  const live = openEmbeddedChain({
    path: join(original, 'chain.db'),
    settings: testSettings({ networkId: 'cli-test', pinnedXacPerXas: ratio(1, 3_000_000_000n) }),
    genesis: testGenesis([
      [RICH.address, 'XAT', '10'],
      [RICH.address, 'XAT', '10', 'main'],
    ]),
    nowMs: () => 1_700_000_000_000,
  });
  const book = openValidatorStore(join(original, 'validator.db'));
  for (let nonce = 0; nonce < BATCHES; nonce++) {
    const fields = {
      kind: 'transfer',
      place: 'services',
      to: PEER.address,
      token: 'XAT',
      amount: parseAmount('1'),
    } as const;
    await live.submit(await signOperation(RICH, live.settings(), { ...fields, from: RICH.address, nonce }));
    const watched = { videoUnits: 5n, watchMs: 1_000n };
    const signed = sign(await nextBatch(live, [entry(RICH.address, PEER.address, 10)], { watched }));
    const { number, createdAtMs } = signed.batch;
    const result = await live.applyBatch(signed);
    const bytes = encodeBatch(signed.batch);
    book.batches.insert({ number, hash: result.hash, bytes, signature: signed.signature, createdAtMs });
    book.batches.setResult(number, encodeBatchResult(result));
  }
  book.close();
  await live.close();
});

afterAll(async () => {
  await killStarted();
  rmSync(root, { recursive: true, force: true });
});

describe.concurrent('ace-node chain info', () => {
  it('says everything of a chain of which there is only the file, and leaves the folder as it was', async () => {
    const dir = copy({ onlyChain: true });
    const { code, stdout, stderr } = await chain('info', dir);
    expect([code, stderr]).toEqual([0, '']);
    for (const [name, says] of [
      ['Network', 'cli-test'],
      ['Last batch', 'shard 0: 3'],
      ['Traffic', '102400015 MiB of video, viewed for 1000.0 hours'],
      ['Traffic rate', String.raw`99\.99\d+ GB per hour`],
      // What 7 decimals would show as nothing.
      ['1 XAS', '0.00000000033333333 XAC'],
      ['trafficCreditLimitUnits', '10240'],
      ['trafficFee', '0.1'],
      ['feedAccount', 'none'],
      ['XAT exists', String.raw`1000019\.99\d+ \(genesis 1000020.0000000.*`],
      ['lockedPool', '.* XAT'],
      ['txFeePool', 'empty'],
    ]) {
      expect(stdout).toMatch(new RegExp(`^${name} +${says}$`, 'm'));
    }
    expect(stdout).not.toMatch(/undefined|NaN|\[object/);
    expect(readdirSync(dir)).toEqual(['chain.db']);
  });

  it('says it exactly with --json', async () => {
    const { code, stdout } = await chain('info', copy(), '--json');
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      networkId: 'cli-test',
      height: 2 * BATCHES,
      headHash: expect.stringMatching(/^[0-9a-f]{64}$/),
      batches: [{ shard: 0, number: BATCHES }],
      settings: { trafficFee: { exact: '1/10', decimal: '0.1' }, treasury: null },
      totals: { videoUnits: '102400015', watchMs: '3600003000' },
      price: { xacPerXas: { exact: '1/3000000000', decimal: '0.00000000033333333' } },
      supply: { XAT: { genesis: '1000020.0000000' } },
    });
  });

  it('finds the chain of a node with its own devnet', async () => {
    const dir = newDir();
    mkdirSync(join(dir, 'devnet'));
    cpSync(original, join(dir, 'devnet', 'validator'), { recursive: true });
    expect((await chain('info', dir)).stdout).toContain('cli-test');
  });

  it.each([
    ['sums that are wrong', 'UPDATE accounts SET xat = xat + 1'],
    ['an amount that cannot be', 'UPDATE accounts SET xat = 9223372036854775807'],
    ['a pool that cannot be', 'UPDATE pools SET balance = 9000000000000000001'],
    ['a supply that cannot be', 'UPDATE supply SET genesis = 9000000000000000001'],
    ['a token without a supply', "DELETE FROM supply WHERE token = 'XAT'"],
    ['no totals', 'DELETE FROM totals'],
    ['a price that is no number', "UPDATE feed SET ace_byte_price_usd = 'much'"],
    ['another genesis', "UPDATE log SET bytes = x'00' WHERE height = 0"],
    ['no genesis', 'DELETE FROM log WHERE height = 0'],
  ])('says that the file is damaged with %s', async (_, damage) => {
    const { message } = await expectAceRejection(
      'ChainDiverged',
      chainInfoCommand(copy({ chain: damage }), false),
    );
    expect(message).toMatch(/chain\.db is damaged.*run ace-node chain verify/);
  });

  it('says so in one line, also with --json', async () => {
    const dir = copy({ chain: 'UPDATE accounts SET xat = 9223372036854775807' });
    expectOneLine(await chain('info', dir), /chain\.db is damaged.*run ace-node chain verify/);
    expectOneLine(await chain('info', dir, '--json'), /chain\.db is damaged.*run ace-node chain verify/);
  });
});

describe.concurrent('ace-node chain verify', () => {
  it('proves a chain of which there is only the file, and leaves the folder as it was', async () => {
    const dir = copy({ onlyChain: true });
    const { code, stdout, stderr } = await chain('verify', dir);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/^Verified: 3 operations and 3 batches/);
    expect(stdout).toContain(`--head ${await headOf(dir)}`);
    expect(stdout).not.toContain('own book');
    expect(readdirSync(dir)).toEqual(['chain.db']);
  });

  it('compares the validator’s book where there is one, and leaves it as it was', async () => {
    const dir = copy();
    expect((await chain('verify', dir)).stdout).toContain(
      'The book of the shard beside it (shard 0) agrees: 3 batches of its own.',
    );
    const { code, stdout } = await chain('verify', dir, '--json');
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual({
      verified: true,
      networkId: 'cli-test',
      height: 2 * BATCHES,
      headHash: await headOf(dir),
      operations: BATCHES,
      batches: BATCHES,
      head: null,
      shardBatches: BATCHES,
    });
    expect(readdirSync(dir).sort()).toEqual(['chain.db', 'validator.db']);
  });

  it('takes a head of the history, and refuses any other', async () => {
    const dir = copy();
    const head = await headOf(dir);
    const right = await chain('verify', dir, '--head', head.toUpperCase());
    expect([right.code, right.stderr]).toEqual([0, '']);
    expect(right.stdout).toContain(`The head ${head} is part of this history.`);
    expectOneLine(await chain('verify', dir, '--head', '0'.repeat(64)), /another history/);
    const wrong = await chain('verify', dir, '--json', '--head', '0'.repeat(64));
    expect([wrong.code, wrong.stderr]).toEqual([1, '']);
    expect(JSON.parse(wrong.stdout)).toEqual({
      verified: false,
      why: expect.stringMatching('another history'),
    });
  });

  it('says where a changed file differs', async () => {
    const dir = copy({
      chain: "UPDATE pools SET balance = balance + 1 WHERE pool = 'txFeePool' AND token = 'XAT'",
    });
    expectOneLine(await chain('verify', dir), /1 row of its pools cannot follow from its log/);
    const { code, stdout, stderr } = await chain('verify', dir, '--json');
    expect([code, stderr]).toEqual([1, '']);
    expect(JSON.parse(stdout)).toEqual({ verified: false, why: expect.stringMatching('1 row of its pools') });
  });

  it.each([
    [
      'a chain that lost batches',
      { chain: cutChain(3) },
      'shard 0 has settled 3 batches, the chain has only 2',
    ],
    ['a book that lost one', { validator: 'DELETE FROM batches WHERE number = 3' }, 'does not know batch 3'],
    ['an empty book', { validator: 'DELETE FROM batches' }, 'does not know batch 1'],
    [
      'another batch',
      { validator: 'UPDATE batches SET hash = zeroblob(32) WHERE number = 2' },
      'another batch 2',
    ],
    ['other bytes', { validator: "UPDATE batches SET bytes = x'00' WHERE number = 2" }, 'another batch 2'],
    [
      'another answer',
      { validator: "UPDATE batches SET result = x'00' WHERE number = 3" },
      'another answer to batch 3',
    ],
    [
      'a missing answer',
      { validator: 'UPDATE batches SET result = NULL WHERE number = 2' },
      'another answer to batch 2',
    ],
  ])('names what differs from the validator’s book: %s', async (_, change, says) => {
    const { message } = await expectAceRejection(
      'ChainDiverged',
      chainVerifyCommand(copy(change), { json: false }),
    );
    expect(message).toMatch(new RegExp(`^The chain cannot be trusted: .*${says}$`));
  });

  it('takes a book whose last answer is still on its way', async () => {
    const dir = copy({ validator: 'UPDATE batches SET result = NULL WHERE number = 3' });
    expect((await chain('verify', dir)).code).toBe(0);
  });
});

describe.concurrent.each(['info', 'verify'])('ace-node chain %s', (command) => {
  it('is refused in a folder without a chain, and makes nothing there', async () => {
    const dir = newDir();
    expectOneLine(await chain(command, dir), `There is no main chain in ${dir}`);
    expectOneLine(await chain(command, join(dir, 'missing')), 'There is no main chain in');
    expect(readdirSync(dir)).toEqual([]);
  });

  it('is refused on a file that is no chain, by its own name', async () => {
    const dir = newDir();
    const path = join(dir, 'chain.db');
    cpSync(join(original, 'validator.db'), path);
    expectOneLine(await chain(command, dir), `${path} is not a chain database`);
    writeFileSync(path, 'x'.repeat(20_000));
    expectOneLine(await chain(command, dir), path);
    expect(readdirSync(dir)).toEqual(['chain.db']);
  });

  it.each([
    ['an unknown flag', ['--headd', 'x']],
    ['an argument', ['more']],
    ['an empty folder name', ['--data-dir', '']],
  ])('is refused with %s', async (_, args) => {
    expectOneLine(await run(['chain', command, ...args]), /see --help/);
  });

  it('works while a validator runs on the folder, and writes nothing there', async () => {
    const dir = join(newDir(), 'validator');
    const validator = await startService('validator', '--data-dir', dir);
    const before = readdirSync(dir).sort();
    const { code, stdout, stderr } = await chain(command, dir, '--json');
    expect([code, stderr]).toEqual([0, '']);
    expect(JSON.parse(stdout)).toMatchObject({ height: 0, networkId: expect.stringMatching(/^ace-devnet-/) });
    expect(readdirSync(dir).sort()).toEqual(before);
    expect(await validator.stop()).toBe(0);
    expect((await chain(command, dir)).code).toBe(0);
  });
});

describe.concurrent('ace-node chain', () => {
  it.each([
    ['a head that is too short', ['verify', '--head', 'ab']],
    ['a head that is no hex', ['verify', '--head', 'x'.repeat(64)]],
    ['a head without a value', ['verify', '--head']],
    ['info of a head', ['info', '--head', '0'.repeat(64)]],
    ['an unknown command', ['prove']],
  ])('is refused with %s', async (_, args) => {
    expectOneLine(await run(['chain', ...args]), /see --help/);
  });
});

/** SQL that takes the last batch of {@link BATCHES} out of a chain, consistently with nothing. */
function cutChain(number: number): string {
  return `DELETE FROM log WHERE height >= ${2 * number}; DELETE FROM batches WHERE number >= ${number}`;
}

it('of before accounts had two places is refused as such, also where the book beside it is older', async () => {
  const dir = newDir();
  const empty = (version: number) => ({ version, name: `of ${version}`, up: () => undefined });
  for (const [file, role, versions] of [
    ['chain.db', 'chain', [1, 2, 3, 4, 5, 6, 7]],
    ['validator.db', 'validator', [1]],
  ] as const) {
    openDatabase({ path: join(dir, file), role, migrations: versions.map(empty) }).close();
  }
  const files = () => readdirSync(dir).map((name) => [name, readFileSync(join(dir, name)).toString('hex')]);
  const before = files();
  const error = await expectAceRejection('SchemaTooOld', chainInfoCommand(dir, false));
  // Before, it said to start Ace Node on it once, which is refused.
  expect(await expectAceRejection('SchemaTooOld', chainVerifyCommand(dir, { json: false }))).toEqual(error);
  expect(files()).toEqual(before);
});
