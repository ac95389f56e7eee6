/**
 * Streaming from far away: what payment costs when every message takes its time, and how long a player waits for its
 * first byte. Each connection between the processes goes through a delay line. The same transfer unpaid is one between
 * two devices of one account. Prints a table, or JSON with --json.
 *
 *   npm run bench:latency [-- --rtt 100] [--size 200] [--rounds 3] [--json]
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { delayed } from './delay-line.ts';
import { writeNoise } from './files.ts';
import { endRoles, startRole } from './processes.ts';
import { machine, median, tell } from './report.ts';

const ROLES = 'stream-roles.ts';
const GOAL_OF_UNPAID = 0.97;
/** Of a player that opens the second content of a provider: the first one finds it and connects. */
const PLAYED = 5;

const { values } = parseArgs({
  options: {
    rtt: { type: 'string', default: '100' },
    size: { type: 'string', default: '200' },
    rounds: { type: 'string', default: '3' },
    json: { type: 'boolean', default: false },
  },
});
const rttMs = Number(values.rtt);
const sizeMib = Number(values.size);
const rounds = Number(values.rounds);
const dir = mkdtempSync(join(tmpdir(), 'ace-node-bench-'));

try {
  const line = await startRole('delay-line.ts', [String(rttMs)]);
  const far = delayed(line.ready);
  const file = join(dir, 'file.bin');
  await writeNoise(file, sizeMib);
  const unpaid: number[] = [];
  const paid: number[] = [];
  for (let round = 0; round < rounds; round++) {
    unpaid.push(await transferRound(file, far, true));
    paid.push(await transferRound(file, far, false));
  }
  report(unpaid, paid, await waitForFirstBytes(far));
} finally {
  endRoles();
  rmSync(dir, { recursive: true, force: true });
}

/** MiB per second, from the first request to the last byte. */
async function transferRound(file: string, far: NodeJS.ProcessEnv, own: boolean): Promise<number> {
  const base = mkdtempSync(join(dir, 'round-'));
  const [provider, viewer] = [join(base, 'provider'), join(base, 'viewer')];
  if (own) (await startRole(ROLES, ['own-devices', provider, viewer])).end();
  const validator = await startRole(ROLES, ['validator', join(base, 'validator')]);
  const giving = await startRole(ROLES, ['provider', provider, validator.ready, file]);
  const taking = await startRole(ROLES, ['viewer', viewer, validator.ready, giving.ready], far);
  for (const role of [taking, giving, validator]) role.end();
  rmSync(base, { recursive: true, force: true });
  const { mibPerSecond, paidUnits } = JSON.parse(taking.ready) as { mibPerSecond: number; paidUnits: number };
  if ((paidUnits === 0) !== own) throw new Error(`${paidUnits} units were paid`);
  return mibPerSecond;
}

/** Milliseconds that the player of each content waited, the first one without a connection to the provider. */
async function waitForFirstBytes(far: NodeJS.ProcessEnv): Promise<number[]> {
  const base = mkdtempSync(join(dir, 'player-'));
  const files = Array.from({ length: PLAYED + 1 }, (_, i) => join(base, `${i}.bin`));
  for (const [i, path] of files.entries()) await writeNoise(path, 16 + i);
  const validator = await startRole(ROLES, ['validator', join(base, 'validator')]);
  const provider = await startRole(ROLES, ['provider', join(base, 'provider'), validator.ready, ...files]);
  const contentIds = provider.ready.split(' ');
  const player = await startRole(
    ROLES,
    ['player', join(base, 'viewer'), validator.ready, ...contentIds],
    far,
  );
  for (const role of [player, provider, validator]) role.end();
  return (JSON.parse(player.ready) as { waitedMs: number[] }).waitedMs;
}

function report(unpaid: readonly number[], paid: readonly number[], waitedMs: readonly number[]): void {
  const [first = 0, ...later] = waitedMs;
  const figures = {
    ...machine,
    rttMs,
    sizeMib,
    rounds,
    unpaidMibPerSecond: round1(median(unpaid)),
    paidMibPerSecond: round1(median(paid)),
    ofUnpaid: Math.round((median(paid) / median(unpaid)) * 1_000) / 1_000,
    firstByteUnconnectedMs: Math.round(first),
    firstByteMs: Math.round(median(later)),
    goalFirstByteMs: 1.5 * rttMs + 50,
  };
  const all = (of: readonly number[]) => of.map(round1).join(', ');
  tell(
    figures,
    [
      [
        'machine',
        `${machine.cpu}, ${machine.cores} cores; ${sizeMib} MiB, median of ${rounds} rounds, ${rttMs} ms round trip`,
      ],
      ['unpaid, between own devices', `${figures.unpaidMibPerSecond} MiB/s   (${all(unpaid)})`],
      ['paid', `${figures.paidMibPerSecond} MiB/s   (${all(paid)})`],
      ['  of unpaid', `${figures.ofUnpaid}   (goal ${GOAL_OF_UNPAID})`],
      ['play to first byte, provider unknown', `${figures.firstByteUnconnectedMs} ms`],
      [
        'play to first byte, provider connected',
        `${figures.firstByteMs} ms   (goal ${figures.goalFirstByteMs}; ${later.map(Math.round).join(', ')})`,
      ],
    ],
    values.json,
  );
}

function round1(value: number): number {
  return Math.round(value * 10) / 10;
}
