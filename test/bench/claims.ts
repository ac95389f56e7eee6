/**
 * How many claims a shard verifies and stores durably, through its real intake, beside bare Ed25519 verification of the
 * same signatures on two threads. Each claim has a checkpoint that both sides signed and a tick past it. Prints a
 * table, or JSON with --json. Nothing here is asserted on time.
 *
 *   npm run bench:claims [-- --channels 20000] [--rounds 5] [--json]
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { machine, median, runRole, tell } from './report.ts';

const { values } = parseArgs({
  options: {
    channels: { type: 'string', default: '20000' },
    rounds: { type: 'string', default: '5' },
    json: { type: 'boolean', default: false },
  },
});
const dir = mkdtempSync(join(tmpdir(), 'ace-node-bench-'));
const channels = Number(values.channels);

/** Each figure comes from a process of its own, so that none pays for another's memory. */
function role<T>(name: string, ...args: string[]): T {
  return runRole('claims-roles.ts', [name, dir, ...args]);
}

interface Timed {
  readonly ms: number;
  /** Of all threads: what is left of the figures when others use the machine as well. */
  readonly cpuMs: number;
}

interface Intake extends Timed {
  readonly workers: number;
  readonly commits: number;
  readonly peakRssMib: number;
}

try {
  role('make', values.channels);
  const bare: Timed[] = [];
  const intake: Intake[] = [];
  const single: { usPerClaim: number }[] = [];
  // In turns: what else the machine does falls on both.
  for (let round = 0; round < Number(values.rounds); round++) {
    bare.push(role('bare'));
    intake.push(role<Intake>('intake'));
    single.push(role('single'));
  }
  const bareMs = median(bare.map(({ ms }) => ms));
  const intakeMs = median(intake.map(({ ms }) => ms));
  report({
    ...machine,
    channels,
    claimsPerSecond: perSecond(intakeMs),
    allClaimsPerSecond: intake.map(({ ms }) => perSecond(ms)),
    bareClaimsPerSecond: perSecond(bareMs),
    allBareClaimsPerSecond: bare.map(({ ms }) => perSecond(ms)),
    ofBare: ratioOf(bareMs, intakeMs),
    goalOfBare: 0.8,
    cpuOfBare: ratioOf(median(bare.map(({ cpuMs }) => cpuMs)), median(intake.map(({ cpuMs }) => cpuMs))),
    workers: intake[0]?.workers ?? 0,
    commits: intake[0]?.commits ?? 0,
    oneAtATimeUs: median(single.map(({ usPerClaim }) => usPerClaim)),
    peakRssMib: Math.max(...intake.map(({ peakRssMib }) => peakRssMib)),
  });
} finally {
  rmSync(dir, { recursive: true, force: true });
}

function report(figures: Readonly<Record<string, string | number | readonly number[]>>): void {
  const f = figures as Record<string, number>;
  const rows: [string, string][] = [
    ['machine', `${figures.cpu}, ${figures.cores} cores; ${f.channels} channels`],
    [
      'claims verified and stored',
      `${f.claimsPerSecond} claims/s, 2 signatures each   (${figures.allClaimsPerSecond})`,
    ],
    ['bare Ed25519, 2 threads', `${f.bareClaimsPerSecond} claims/s   (${figures.allBareClaimsPerSecond})`],
    ['of bare', `${f.ofBare}   (goal ${f.goalOfBare})`],
    ['of bare, by processor time', `${f.cpuOfBare}`],
    ['threads, commits', `${f.workers}, ${f.commits}`],
    ['one at a time', `${f.oneAtATimeUs} µs a claim`],
    ['memory', `${f.peakRssMib} MiB`],
  ];
  tell(figures, rows, values.json);
}

function perSecond(ms: number): number {
  return Math.round((channels * 1_000) / ms);
}

function ratioOf(limitMs: number, ms: number): number {
  return Math.round((limitMs / ms) * 1_000) / 1_000;
}
