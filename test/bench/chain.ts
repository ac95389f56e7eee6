/**
 * How fast the embedded chain applies settlement batches to a million accounts, beside bare SQLite writing the same rows
 * as durably; how long such a chain takes to open, and how much memory. Prints a table, or JSON with --json. Nothing here
 * is asserted on time.
 *
 *   npm run bench:chain [-- --accounts 1000000] [--entries 20000] [--rounds 5] [--json]
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { machine, runRole, tell } from './report.ts';

const { values } = parseArgs({
  options: {
    accounts: { type: 'string', default: '1000000' },
    entries: { type: 'string', default: '20000' },
    rounds: { type: 'string', default: '5' },
    json: { type: 'boolean', default: false },
  },
});
const dir = mkdtempSync(join(tmpdir(), 'ace-node-bench-'));

/** Each figure comes from a process of its own, so that none pays for another's memory. */
function role<T>(name: string, ...args: string[]): T {
  return runRole('chain-roles.ts', [name, dir, ...args]);
}

try {
  role('make', values.accounts);
  const opened = role<{ openMs: number; peakRssMib: number }>('open');
  const bare = role<{ rates: number[] }>('bare', values.entries, values.rounds);
  role('seal', values.entries, values.rounds);
  const chain = role<{ rates: number[]; peakRssMib: number }>('apply', values.entries, values.rounds);
  const reopened = role<{ openMs: number; peakRssMib: number }>('open');
  report({
    ...machine,
    accounts: Number(values.accounts),
    entriesPerBatch: Number(values.entries),
    entriesPerSecond: overall(chain.rates),
    goalEntriesPerSecond: 50_000,
    allEntriesPerSecond: chain.rates,
    bareSqliteEntriesPerSecond: overall(bare.rates),
    allBareEntriesPerSecond: bare.rates,
    openMs: Math.max(opened.openMs, reopened.openMs),
    goalOpenMs: 2_000,
    openPeakRssMib: Math.max(opened.peakRssMib, reopened.peakRssMib),
    applyPeakRssMib: chain.peakRssMib,
    goalRssMib: 300,
  });
} finally {
  rmSync(dir, { recursive: true, force: true });
}

function report(figures: Readonly<Record<string, string | number | readonly number[]>>): void {
  const f = figures as Record<string, number>;
  const rows: [string, string][] = [
    ['machine', `${figures.cpu}, ${figures.cores} cores; ${f.accounts} accounts`],
    [
      'batches applied',
      `${f.entriesPerSecond} entries/s   (goal ${f.goalEntriesPerSecond}; ${figures.allEntriesPerSecond})`,
    ],
    [
      'bare SQLite, the same rows',
      `${f.bareSqliteEntriesPerSecond} entries/s   (${figures.allBareEntriesPerSecond})`,
    ],
    ['opened in', `${f.openMs} ms   (goal ${f.goalOpenMs})`],
    ['memory, opened', `${f.openPeakRssMib} MiB   (goal ${f.goalRssMib})`],
    ['memory, applying', `${f.applyPeakRssMib} MiB   (goal ${f.goalRssMib})`],
  ];
  tell(figures, rows, values.json);
}

/** Of batches of the same size, whatever work of the file falls into one of them: the harmonic mean. */
function overall(rates: readonly number[]): number {
  return Math.round(rates.length / rates.reduce((seconds, rate) => seconds + 1 / rate, 0));
}
