/**
 * What ticks cost: verified one by one beside bare SHA-256, made durable across 1,000 channels beside bare SQLite
 * writing the same rows, in groups of a given size and in groups that form by themselves, and with 10, 1,000 and 10,000
 * channels open. Prints a table, or JSON with --json. Nothing here is
 * asserted on time.
 *
 *   npm run bench:ticks [-- --rounds 5] [--turns 50] [--json]
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { machine, median, runRole, tell } from './report.ts';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    turns: { type: 'string', default: '50' },
    json: { type: 'boolean', default: false },
  },
});
const { rounds, turns } = values;
const CHANNELS = '1000';
/** Ticks of each channel that arrive together; the last is as many as a window lets. */
const PER_TURN = [1, 2, 4, 8];
const OPEN = [10, 1_000, 10_000];
const dir = mkdtempSync(join(tmpdir(), 'ace-node-bench-'));

/** Each figure comes from a process of its own, so that none pays for another's memory. */
function role<T>(name: string, file: string, ...args: string[]): T {
  return runRole('ticks-roles.ts', [name, join(dir, file), ...args]);
}

interface Rates {
  readonly rates: number[];
}
interface Opened {
  readonly microsPerTick: number;
  readonly cpuMicrosPerTick: number;
  readonly memoryMib: number;
}

try {
  const verified = role<Rates>('verify', 'none', rounds);
  const hashed = role<Rates & { bufferRates: number[] }>('hash', 'none', rounds);
  const durable = PER_TURN.map((perTurn) => ({
    perTurn,
    ...role<Rates>('durable', `durable-${perTurn}.db`, CHANNELS, rounds, turns, String(perTurn)),
  }));
  const offered = role<Rates & { ticksPerCommit: number }>(
    'offered',
    'offered.db',
    CHANNELS,
    rounds,
    String(8 * Number(turns)),
  );
  const bare = role<Rates>('bare', 'durable-1.db', rounds, turns);
  const opened = OPEN.map((channels) => ({
    channels,
    ...role<Opened>('open', `open-${channels}.db`, String(channels), '40000'),
  }));
  const chains = role<{ memoryMib: number }>('chains', 'none', '10000');
  report({
    ...machine,
    verifiedPerSecond: median(verified.rates),
    goalVerifiedPerSecond: 1_000_000,
    bareHashesPerSecond: median(hashed.rates),
    bareBufferHashesPerSecond: median(hashed.bufferRates),
    durable: durable.map(({ perTurn, rates }) => ({ perTurn, ticksPerSecond: median(rates) })),
    goalDurablePerSecond: 300_000,
    offeredPerSecond: median(offered.rates),
    offeredPerCommit: offered.ticksPerCommit,
    bareSqliteRowsPerSecond: median(bare.rates),
    opened,
    payerChains: chains.memoryMib,
    goalMemoryMib: 400,
  });
} finally {
  rmSync(dir, { recursive: true, force: true });
}

interface Figures {
  readonly cpu: string;
  readonly cores: number;
  readonly verifiedPerSecond: number;
  readonly goalVerifiedPerSecond: number;
  readonly bareHashesPerSecond: number;
  readonly bareBufferHashesPerSecond: number;
  /** `perTurn` ticks of each of 1,000 channels, one row each in one commit. */
  readonly durable: readonly { readonly perTurn: number; readonly ticksPerSecond: number }[];
  readonly goalDurablePerSecond: number;
  /** Of 1,000 channels, each with a window of ticks on their way; and how many shared a commit. */
  readonly offeredPerSecond: number;
  readonly offeredPerCommit: number;
  readonly bareSqliteRowsPerSecond: number;
  readonly opened: readonly (Opened & { readonly channels: number })[];
  /** MiB of a process that holds the hash chains of 10,000 open channels. */
  readonly payerChains: number;
  readonly goalMemoryMib: number;
}

function report(f: Figures): void {
  const rows: [string, string][] = [
    ['machine', `${f.cpu}, ${f.cores} cores; medians of ${rounds} rounds`],
    ['ticks verified, one core', `${f.verifiedPerSecond}/s   (goal ${f.goalVerifiedPerSecond})`],
    [
      'bare SHA-256 of 32 bytes',
      `${f.bareHashesPerSecond}/s   (as a Buffer: ${f.bareBufferHashesPerSecond}/s)`,
    ],
    ...f.durable.map(({ perTurn, ticksPerSecond }): [string, string] => [
      `durable, 1,000 channels × ${perTurn}`,
      `${ticksPerSecond} ticks/s, ${Math.round(ticksPerSecond / perTurn)} rows/s   (goal ${f.goalDurablePerSecond} ticks/s)`,
    ]),
    [
      'offered, a window each',
      `${f.offeredPerSecond} ticks/s; ${f.offeredPerCommit} came to share a commit   (goal ${f.goalDurablePerSecond} ticks/s)`,
    ],
    [
      'bare SQLite, the same rows',
      `${f.bareSqliteRowsPerSecond} rows/s, 1,000 in a commit, a statement each`,
    ],
    ...f.opened.map(({ channels, microsPerTick, cpuMicrosPerTick, memoryMib }): [string, string] => [
      `${channels} channels open`,
      `${cpuMicrosPerTick} µs of processor, ${microsPerTick} µs in all per tick; ${memoryMib} MiB   (goal ${f.goalMemoryMib} MiB)`,
    ]),
    ['a payer’s 10,000 chains', `${f.payerChains} MiB`],
  ];
  tell(f, rows, values.json);
}
