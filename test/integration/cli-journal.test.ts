/** `ace-node export` and `ace-node journal verify`, as processes: on a file of any history, and on a node that lives. */
import { spawnSync } from 'node:child_process';
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { NODE_MIGRATIONS } from '../../main/db/node/store.ts';
import { openDatabase } from '../../main/db/open.ts';
import { heldOf, PLACES, tokensOf } from '../../shared/economy/holdings.ts';
import { formatAmount, parseAmount, TOKENS, type Token } from '../../shared/economy/money.ts';
import { EXPORT_FORMATS } from '../../shared/journal/export.ts';
import { CLI, expectOneLine, killStarted, run, startNode } from '../helpers/cli.ts';
import { NASTY_NAMES, nastyNode, type Truth } from '../helpers/exported.ts';
import { tempDir } from '../helpers/temp-dir.ts';

const KOINLY =
  'Date,Sent Amount,Sent Currency,Received Amount,Received Currency,Fee Amount,Fee Currency,Net Worth Amount,Net Worth Currency,Label,Description,TxHash';
const COINTRACKING =
  '"Type","Buy Amount","Buy Currency","Sell Amount","Sell Currency","Fee","Fee Currency","Exchange","Trade-Group","Comment","Date"';

let dir = '';
let truth: Truth;

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'ace-test-'));
  truth = await nastyNode(dir);
});
afterAll(async () => {
  await killStarted();
  rmSync(dir, { recursive: true, force: true });
});

const exported = (...args: string[]) => run(['export', '--data-dir', dir, ...args]);

/** Rows of RFC 4180 with CRLF, the header first. */
function parseCsv(text: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  const cells = /("(?:[^"]|"")*"|[^",\r\n]*)(,|\r\n)/gy;
  for (let match = cells.exec(text); match; match = cells.exec(text)) {
    const [, cell = '', end] = match;
    row.push(cell.startsWith('"') ? cell.slice(1, -1).replaceAll('""', '"') : cell);
    if (end !== '\r\n') continue;
    rows.push(row);
    row = [];
    if (cells.lastIndex === text.length) return rows;
  }
  throw new Error('not a table');
}

/** Sums of the signed columns, by currency. */
function sumsOf(rows: string[][], columns: readonly (readonly [amount: number, sign: bigint])[]) {
  const sums: Record<Token, bigint> = { XAT: 0n, XAC: 0n, XAS: 0n, XAB: 0n };
  for (const row of rows) {
    for (const [column, sign] of columns) {
      const [amount = '', token = ''] = row.slice(column, column + 2);
      if (amount !== '') sums[token as Token] += sign * parseAmount(amount);
    }
  }
  return sums;
}

/** Programs for taxes know one wallet: both places together. */
const allHeld = () => Object.fromEntries(TOKENS.map((token) => [token, heldOf(truth.held, token)]));

describe('ace-node export', () => {
  it('writes our table: a row per entry, CRLF, text that is no formula, numbers that stay numbers', async () => {
    const { stdout, stderr, code } = await exported('--format', 'csv');
    expect([code, stderr]).toEqual([0, '']);
    const [header = [], ...rows] = parseCsv(stdout);
    expect(rows.length).toBeGreaterThan(25);
    for (const row of rows) expect(row.length).toBe(header.length);
    const names = header.indexOf('Content names');
    const cells = rows.map((row) => row[names]);
    for (const bad of ['=HYPERLINK', '+1+1', '-2-2', '@import']) {
      expect(cells.some((text) => text?.startsWith(`'${bad}`))).toBe(true);
    }
    expect(cells.every((text) => !/^[=+\-@]/.test(text ?? ''))).toBe(true);
    expect(stdout.replaceAll('\r\n', '')).not.toMatch(/[\p{Cc}\p{Cf}]/u);
    expect(stdout).toContain('Чук и Гек');
    for (const [place, token] of PLACES.flatMap((each) =>
      tokensOf(each).map((one) => [each, one] as const),
    )) {
      const column = header.indexOf(`${place === 'main' ? 'Main' : 'Services'} ${token}`);
      const texts = rows.map((row) => row[column] ?? '');
      expect(texts.every((text) => /^-?\d+\.\d{7}$/.test(text))).toBe(true);
      const sum = texts.reduce(
        (total, text) => total + (text.startsWith('-') ? -parseAmount(text.slice(1)) : parseAmount(text)),
        0n,
      );
      expect(formatAmount(sum)).toBe(
        formatAmount((truth.held[place] as Record<string, bigint>)[token] ?? 0n),
      );
    }
    expect(
      rows.some((row) => TOKENS.some((token) => row[header.indexOf(`Services ${token}`)]?.startsWith('-'))),
    ).toBe(true);
  });

  it('writes Koinly’s table: no row without an amount, no fee on a deposit, the same balances', async () => {
    const { stdout } = await exported('--format', 'koinly');
    expect(stdout.startsWith(`${KOINLY}\r\n`)).toBe(true);
    const [, ...rows] = parseCsv(stdout);
    for (const row of rows) {
      expect(row[0]).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC$/);
      expect(row[1] !== '' || row[3] !== '').toBe(true);
      expect([row[1], row[3]].every((text) => text === '' || /[1-9]/.test(text ?? ''))).toBe(true);
      expect(row.slice(5, 9)).toEqual(['', '', '', '']);
    }
    expect(
      sumsOf(rows, [
        [1, -1n],
        [3, 1n],
      ]),
    ).toEqual(allHeld());
  });

  it('writes CoinTracking’s table: all quoted, amounts net of the fee beside them, the same balances', async () => {
    const { stdout } = await exported('--format', 'cointracking');
    expect(stdout.startsWith(`${COINTRACKING}\r\n`)).toBe(true);
    for (const line of stdout.trimEnd().split('\r\n')) expect(line).toMatch(/^("([^"]|"")*"(,|$)){11}$/);
    const [, ...rows] = parseCsv(stdout);
    expect(rows.some((row) => row[5] !== '')).toBe(true);
    expect(
      sumsOf(rows, [
        [1, 1n],
        [3, -1n],
      ]),
    ).toEqual(allHeld());
  });

  it('writes JSON that names every content as it is', async () => {
    const { stdout } = await exported('--format', 'jsonl');
    const names = stdout
      .trimEnd()
      .split('\n')
      .flatMap((line) =>
        (JSON.parse(line) as { contents: { name: string }[] }).contents.map(({ name }) => name),
      );
    for (const name of NASTY_NAMES) expect(names).toContain(name);
  });

  it('begins with a byte order mark when asked', async () => {
    const { stdout } = await exported('--format', 'csv', '--bom');
    expect(stdout.startsWith('\uFEFFTime UTC,')).toBe(true);
    expectOneLine(await exported('--format', 'jsonl', '--bom'), '--bom is for tables');
  });

  it('keeps to the days that were asked for, both included', async () => {
    const all = (await exported('--format', 'jsonl')).stdout.trimEnd().split('\n');
    const day = (line: string) => (JSON.parse(line) as { time: string }).time.slice(0, 10);
    const days = [...new Set(all.map(day))];
    const [from = '', to = ''] = [days[2], days[4]];
    const some = (await exported('--format', 'jsonl', '--from', from, '--to', to)).stdout
      .trimEnd()
      .split('\n');
    expect(some).toEqual(all.filter((line) => day(line) >= from && day(line) <= to));
    expect(some.length).toBeLessThan(all.length);
    const nothing = await exported('--format', 'jsonl', '--to', '2001-01-01');
    expect([nothing.code, nothing.stdout]).toEqual([0, '']);
  });

  it.each([
    [['--format', 'qif'], /"qif" is not a format: choose csv, .* or cointracking/],
    [['--format', 'csv', '--from', '2026-11-02', '--to', '2026-11-01'], 'The period ends before it begins'],
    [['--format', 'csv', '--from', '2026-02-30'], '"2026-02-30" is not a date'],
    [['--format', 'csv', '--to', 'yesterday'], '"yesterday" is not a date'],
    [['--format', 'csv', '--out', '/nowhere/at/all.csv'], 'There is no folder /nowhere/at'],
    [[], "required option '--format <format>' not specified"],
  ])('says in one line what is wrong with %j', async (args, says) => {
    expectOneLine(await exported(...args), says);
  });

  it('needs a folder with a node in it', async () => {
    expectOneLine(await run(['export', '--format', 'csv', '--data-dir', tempDir()]), 'There is no node');
  });

  it('writes a file under its name only when all of it is there, and over another one only when told', async () => {
    const out = join(tempDir(), 'journal.csv');
    expect((await exported('--format', 'csv', '--out', '-')).stdout).toBe(
      (await exported('--format', 'csv')).stdout,
    );
    expect(existsSync('-')).toBe(false);
    const done = await exported('--format', 'csv', '--out', out);
    expect([done.code, done.stdout]).toEqual([0, `${out}\n`]);
    const text = readFileSync(out, 'utf8');
    expect(text).toBe((await exported('--format', 'csv')).stdout);
    expectOneLine(await exported('--format', 'jsonl', '--out', out), 'is there already');
    expect(readFileSync(out, 'utf8')).toBe(text);
    expect((await exported('--format', 'jsonl', '--out', out, '--force')).code).toBe(0);
    expect(readFileSync(out, 'utf8')).not.toBe(text);
  });

  const disk = join(tmpdir(), `ace-test-disk-${process.pid}`);
  mkdirSync(disk, { recursive: true });
  const isMounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=8k', 'tmpfs', disk]).status === 0;
  afterAll(() => {
    if (isMounted) spawnSync('umount', [disk]);
    rmSync(disk, { recursive: true, force: true });
  });

  it.skipIf(!isMounted)('leaves nothing behind on a full disk, and what was there as it was', async () => {
    const out = join(disk, 'journal.jsonl');
    expectOneLine(await exported('--format', 'jsonl', '--out', out), 'The disk is full');
    expect(readdirSync(disk)).toEqual([]);
    writeFileSync(out, 'old');
    expectOneLine(await exported('--format', 'jsonl', '--out', out, '--force'), 'The disk is full');
    expect(readdirSync(disk)).toEqual(['journal.jsonl']);
    expect(readFileSync(out, 'utf8')).toBe('old');
  });
});

it.skipIf(!existsSync('/dev/full'))('says in one line that its output went to a full disk', async () => {
  for (const args of [
    ['export', '--format', 'jsonl'],
    ['wallet', 'status'],
  ]) {
    const full = openSync('/dev/full', 'w');
    onTestFinished(() => closeSync(full));
    const { status, stderr } = spawnSync(process.execPath, [CLI, ...args, '--data-dir', dir], {
      stdio: ['ignore', full, 'pipe'],
      encoding: 'utf8',
    });
    expectOneLine({ code: status, stdout: '', stderr }, 'The output cannot be written: the disk is full');
  }
});

describe('a node that lives', () => {
  it('exports while it runs, and its journal agrees with the shard, until somebody changes it', {
    tags: 'long',
  }, async () => {
    const dataDir = tempDir();
    const node = await startNode(dataDir);
    const verify = () => run(['journal', 'verify', '--json', '--data-dir', dataDir]);
    expect((await run(['topup', '2', '--data-dir', dataDir])).code).toBe(0);
    const contents = JSON.parse((await run(['contents', '--json', '--data-dir', dataDir])).stdout);
    const { contentId } = contents[0] as { contentId: string };
    const film = join(tempDir(), 'film.mp4');
    expect((await run(['play', contentId, '--out', film, '--data-dir', dataDir])).code).toBe(0);

    const verified = await verify();
    const result = JSON.parse(verified.stdout);
    expect(result).toMatchObject({ verified: true, shardAsked: true, wrongEntries: 0 });
    expect(verified.code).toBe(0);
    for (const format of EXPORT_FORMATS) {
      const { code, stdout } = await run(['export', '--format', format, '--data-dir', dataDir]);
      expect([code, stdout.length > 0]).toEqual([0, true]);
    }
    const jsonl = (await run(['export', '--format', 'jsonl', '--data-dir', dataDir])).stdout;
    expect(jsonl).toContain('"kind":"faucet"');

    const control = JSON.parse(readFileSync(join(dataDir, 'control.json'), 'utf8'));
    const fetched = (query: string, headers = {}) => fetch(`${control.url}export?${query}`, { headers });
    const bearer = { authorization: `Bearer ${control.token}` };
    const asked = await fetched('format=jsonl', bearer);
    expect(await asked.text()).toBe(jsonl);
    expect(asked.headers.get('content-disposition')).toMatch(/attachment; filename="ace-journal-.*\.jsonl"/);
    expect((await fetched('format=jsonl')).status).toBe(401);
    expect((await fetched('format=jsonl', { authorization: 'Bearer wrong' })).status).toBe(401);
    expect((await fetched('format=qif', bearer)).status).toBe(400);
    expect((await fetched('ticket=wrong', bearer)).status).toBe(401);

    await node.stop();
    expect((await verify()).code).toBe(0);
    const db = openDatabase({ path: join(dataDir, 'node.db'), role: 'node', migrations: NODE_MIGRATIONS });
    db.exec(`UPDATE journal_balances SET amount = amount + 1 WHERE account = 'assets:services'`);
    db.close();
    const sums = await verify();
    expect(sums.code).toBe(1);
    expect(JSON.parse(sums.stdout)).toMatchObject({ verified: false, sumsAgree: false, wrongEntries: 0 });
    const again = openDatabase({ path: join(dataDir, 'node.db'), role: 'node', migrations: NODE_MIGRATIONS });
    again.exec(`DELETE FROM journal_entries WHERE source = 0`);
    again.close();
    const human = await run(['journal', 'verify', '--data-dir', dataDir]);
    expect(human.code).toBe(1);
    expect(human.stdout).toContain('DIFFERS');
    expect(human.stdout).toContain('are missing');
    expect(existsSync(film)).toBe(true);
  });
});
