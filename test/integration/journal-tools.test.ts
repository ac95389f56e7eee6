/** Exports in the hands of the programs that they are for: accepted at their strictest, and the same balances. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { JournalExport } from '../../main/journal/export/export.ts';
import { PLACES } from '../../shared/economy/holdings.ts';
import { formatAmount, TOKENS } from '../../shared/economy/money.ts';
import {
  ALWAYS,
  type ExportFormat,
  type ExportPeriod,
  parseExportPeriod,
} from '../../shared/journal/export.ts';
import { NASTY_NAMES, nastyNode, type Truth } from '../helpers/exported.ts';
import { hasProgram, runTool } from '../helpers/tools.ts';

let dir = '';
let truth: Truth;
/** Account and commodity to amount, what is 0 left out. */
const expected: Record<string, string> = {};
/** A moment in the middle of the history. */
let middleMs = 0;

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'ace-test-'));
  truth = await nastyNode(dir);
  for (const place of PLACES) {
    for (const [token, amount] of Object.entries(truth.held[place])) {
      if (amount > 0n) expected[`assets:${place} ${token}`] = formatAmount(amount);
    }
  }
  for (const [other, units] of truth.owes) expected[`liabilities:loans:${other} MiB`] = `-${units}.0`;
  for (const [other, units] of truth.owed) expected[`assets:loans:${other} MiB`] = `${units}.0`;
  const times = jsonl().map(({ time }) => Date.parse(time as string));
  middleMs = times[Math.floor(times.length * 0.8)] ?? 0;
});

afterAll(() => rmSync(dir, { recursive: true, force: true }));

function file(format: ExportFormat, period: ExportPeriod = ALWAYS): string {
  const journal = new JournalExport(join(dir, 'node.db'), { format, period, bom: false });
  const path = join(dir, `${format}-${period.fromMs}`);
  writeFileSync(path, [...journal.pieces()].join(''));
  journal.close();
  return path;
}

function jsonl(): Record<string, unknown>[] {
  return readFileSync(file('jsonl'), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
}

/** As `account commodity` to amount, of the two that can be read so. */
function balancesOf(rows: readonly (readonly [account: string, commodity: string, amount: string])[]) {
  return Object.fromEntries(
    rows.flatMap(([account, commodity, amount]) =>
      /[1-9]/.test(amount) ? [[`${account} ${commodity}`, amount]] : [],
    ),
  );
}

function hledgerBalances(path: string) {
  const { stdout } = runTool(
    'hledger',
    '-f',
    path,
    'bal',
    'assets',
    'liabilities',
    '--flat',
    '-N',
    '-O',
    'csv',
  );
  const rows = [...stdout.matchAll(/^"([^"]+)","([^"]*)"$/gm)].slice(1);
  return balancesOf(
    rows.flatMap(([, account = '', amounts = '']) =>
      amounts.split(', ').map((text): [string, string, string] => {
        const [amount = '', commodity = ''] = text.split(' ');
        return [account, commodity, amount];
      }),
    ),
  );
}

function ledgerBalances(path: string) {
  const rows = [...TOKENS, 'MiB'].flatMap((commodity) => {
    const format = '%(account)|%(quantity(scrub(display_total)))\\n';
    const only = ['--limit', `commodity == "${commodity}"`, '--balance-format', format];
    const args = ['bal', '^assets', '^liabilities', '--flat', '--no-total', '--empty', ...only];
    const { stdout } = runTool('ledger', '-f', path, '--args-only', ...args);
    const decimals = commodity === 'MiB' ? 1 : 7;
    return stdout.split('\n').flatMap((line): [string, string, string][] => {
      const [account = '', amount = ''] = line.split('|');
      return amount === '' ? [] : [[account, commodity, withDecimals(amount, decimals)]];
    });
  });
  return balancesOf(rows);
}

function beancountBalances(path: string) {
  const rows = [...TOKENS, 'MiB'].flatMap((commodity) => {
    // One by one: all numbers of a column are shown with the same decimals.
    const where = `account ~ '^(Assets|Liabilities)' and currency = '${commodity.toUpperCase()}'`;
    const query = `select account, sum(number) where ${where} group by account`;
    const { stdout } = runTool('bean-query', '-f', 'csv', path, query);
    return stdout
      .split('\n')
      .slice(1)
      .map((line): [string, string, string] => {
        const [account = '', said = ''] = line.split(',').map((text) => text.trim());
        // So it writes a single base unit.
        const amount = /E-7$/.test(said) ? Number(said).toFixed(7) : said;
        return [account.replace(/(^|:)[A-Z]/g, (start) => start.toLowerCase()), commodity, amount];
      });
  });
  return balancesOf(rows);
}

/** ledger leaves zeros out at the end. */
function withDecimals(amount: string, decimals: number): string {
  const [whole, part = ''] = amount.split('.');
  return `${whole}.${part.padEnd(decimals, '0')}`;
}

const HLEDGER = ['check', '--strict', 'ordereddates', 'payees'];
const LEDGER = ['--args-only', '--pedantic', '--check-payees', 'source'];
const PROGRAMS = [
  {
    name: 'hledger',
    format: 'hledger',
    args: (f: string) => ['-f', f, ...HLEDGER],
    balances: hledgerBalances,
  },
  { name: 'ledger', format: 'hledger', args: (f: string) => ['-f', f, ...LEDGER], balances: ledgerBalances },
  { name: 'bean-check', format: 'beancount', args: (f: string) => [f], balances: beancountBalances },
] as const;

it('has a history with all tokens, loans both ways and every bad name', () => {
  expect(Object.keys(expected).length).toBeGreaterThan(9);
  const said = JSON.stringify(jsonl());
  for (const name of NASTY_NAMES) expect(said).toContain(JSON.stringify(name).slice(1, -1));
  // Access sold and bought, its fees among them.
  for (const account of [
    'income:access',
    'expenses:fees:access',
    'expenses:access:net',
    'expenses:access:fee',
  ])
    expect(said).toContain(account);
});

describe('hledger', () => {
  it.skipIf(!hasProgram('hledger'))('finds no tag that another’s words made', () => {
    const { stdout } = runTool('hledger', '-f', file('hledger'), 'tags');
    const declared = ['batch', 'channels', 'content', 'hash', 'kind', 'note', 'time', 'xac-per-gb'];
    expect(
      stdout
        .trim()
        .split('\n')
        .filter((tag) => !declared.includes(tag)),
    ).toEqual([]);
    expect(stdout).toContain('content');
  });
});

describe.each(PROGRAMS)('$name', ({ name, format, args, balances }) => {
  const isThere = hasProgram(name);

  it.skipIf(!isThere)('takes the whole journal at its strictest', () => {
    const path = file(format);
    expect(runTool(name, ...args(path))).toEqual({ code: 0, stdout: '', stderr: '' });
    expect(readFileSync(path, 'utf8').match(/^\d{4}-\d\d-\d\d \*/gm)?.length).toBeGreaterThan(25);
  });

  it.skipIf(!isThere)('has the balances of chain and shard, to the last base unit', () => {
    expect(balances(file(format))).toEqual(expected);
  });

  it.skipIf(!isThere)('has them from a later day on, too', { tags: 'long' }, () => {
    const path = file(format, { fromMs: middleMs, toMs: Number.MAX_SAFE_INTEGER });
    expect(runTool(name, ...args(path))).toEqual({ code: 0, stdout: '', stderr: '' });
    expect(balances(path)).toEqual(expected);
    expect(readFileSync(path, 'utf8').length).toBeLessThan(readFileSync(file(format), 'utf8').length);
  });

  it.skipIf(!isThere)('takes a period that begins on the last of all days', { tags: 'long' }, () => {
    const path = file(format, parseExportPeriod('9999-12-31', undefined));
    expect(runTool(name, ...args(path))).toEqual({ code: 0, stdout: '', stderr: '' });
    expect(balances(path)).toEqual(expected);
  });

  it.skipIf(!isThere)('notices one base unit too much in one posting', () => {
    const path = file(format);
    const text = readFileSync(path, 'utf8');
    const changed = text.replace(
      /([Aa]ssets:[Ss]ervices {2}-?\d+\.\d{6})([0-8])( XA[CT]\n)/,
      (_, a, b, c) => a + (Number(b) + 1) + c,
    );
    expect(changed).not.toBe(text);
    writeFileSync(path, changed);
    expect(runTool(name, ...args(path)).code).not.toBe(0);
  });

  it.skipIf(!isThere)('notices a balance at the end that is one base unit off', () => {
    const path = file(format);
    const text = readFileSync(path, 'utf8');
    const at = text.search(format === 'hledger' ? /.* \* \(closing\)/ : /.* balance Assets:Main/);
    const closing = text.slice(at);
    const wrong = closing.replace(/(\d+\.\d{6})(\d)( ~ 0)? XAT\n/g, (all, most, last, exact = '') =>
      /[1-9]/.test(all.slice(0, -4)) ? `${most}${(Number(last) + 1) % 10}${exact} XAT\n` : all,
    );
    expect(wrong).not.toBe(closing);
    writeFileSync(path, text.slice(0, at) + wrong);
    expect(runTool(name, ...args(path)).code).not.toBe(0);
  });
});
