import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { DemoResult } from '../../main/cli/demo-plan.ts';
import { CLI, outcomeOf, spawnCli } from '../helpers/cli.ts';
import { MIB } from '../helpers/devnet.ts';
import { makeFile, sha256OfFile } from '../helpers/files.ts';
import { tempDir } from '../helpers/temp-dir.ts';
import { itInTiers } from '../helpers/tiers.ts';
import { staysFor, waitFor } from '../helpers/wait.ts';

const DECIMAL = /^\d+\.\d{7}$/;
/** A validator, two providers, a viewer. */
const PROCESSES = 4;

/** Starts the demo with a folder for temporary files that is the test's own. */
function spawnDemo(dir: string, ...args: string[]): { child: ChildProcess; tmp: string } {
  const tmp = join(dir, 'tmp');
  mkdirSync(tmp);
  return { child: spawnCli(['demo', ...args], { TMPDIR: tmp }), tmp };
}

async function runDemo(dir: string, ...args: string[]) {
  const { child, tmp } = spawnDemo(dir, ...args);
  return { ...(await outcomeOf(child)), left: readdirSync(tmp) };
}

/** Every field that scripts may rely on, in its shape. */
function expectWholeResult(result: DemoResult): void {
  expect(result).toMatchObject({
    contentId: expect.stringMatching(/^bafyrei[a-z2-7]{52}$/),
    sha256Match: true,
    conserved: true,
    creditLimit: expect.any(Number),
    creditUsed: expect.any(Number),
    batches: expect.any(Number),
    wireOverheadBytesPerMiB: expect.any(Number),
    throughputMiBps: expect.any(Number),
  });
  expect(Object.keys(result.accounts).sort()).toEqual(['faucet', 'providerA', 'providerB', 'viewer']);
  const places = Object.values(result.accounts).flatMap(({ main, services }) => [main, services]);
  for (const holder of [...places, ...Object.values(result.pools)]) {
    for (const token of ['XAT', 'XAC', 'XAS'] as const) expect(holder[token]).toMatch(DECIMAL);
  }
  expect(result.access).toMatchObject({
    refusal: { status: 402, code: 'AccessNeeded' },
    ...{ priceXac: '3.0000000', burnedXat: '3.0000000', sellerXac: '2.1000000', feeXac: '0.9000000' },
    played: true,
  });
  expect(result.pools.premiumFeePool.XAC).toBe('0.9000000');
  for (const role of ['viewer', 'providerB'])
    expect(result.accounts[role]?.main).toMatchObject({ XAT: '1.0000000', XAC: '0.0000000' });
  expect(result.checks.filter(({ holds }) => !holds)).toEqual([]);
  expect(result.ticks).toBe(result.units);
  expect(result.unitsPaid + result.unitsOnCredit).toBe(result.ticks);
  expect(result.creditUsed).toBe(result.unitsOnCredit - result.unitsRepaid);
  expect(result.creditUsed).toBeLessThanOrEqual(result.creditLimit);
  expect(result.batches).toBeGreaterThan(0);
}

describe('ace-node demo', () => {
  it('plays the parts that fit into one byte and says which it leaves out', { tags: 'long' }, async () => {
    const dir = tempDir();
    const file = await makeFile(join(dir, 'one.bin'), 1);
    const { code, stdout, stderr, left } = await runDemo(dir, file, '--json');
    expect({ code, stderr, left }).toEqual({ code: 0, stderr: '', left: [] });
    const result = JSON.parse(stdout) as DemoResult;
    expectWholeResult(result);
    expect(result).toMatchObject({ sizeBytes: 1, units: 1, unitsPaid: 0, unitsOnCredit: 1, refusal: null });
    expect(result.leftOut).toEqual([
      'the refusal at the credit limit',
      'paying from funds',
      'credit again after the funds',
    ]);
  });

  it('tells no part of the story that is left out', { tags: 'long' }, async () => {
    const dir = tempDir();
    const file = await makeFile(join(dir, 'two.bin'), 2 * MIB);
    const { code, stdout } = await runDemo(dir, file, '--json');
    expect(code).toBe(0);
    const result = JSON.parse(stdout) as DemoResult;
    expectWholeResult(result);
    expect(result).toMatchObject({
      unitsRepaid: 1,
      creditUsed: 0,
      leftOut: ['credit again after the funds'],
    });
    const told = result.story.map(({ what }) => what);
    expect(told).toContain('from then on it pays from its funds');
    expect(told.join()).not.toContain('credit again');
  });

  it('plays the whole story with a file named in Cyrillic with spaces', async () => {
    const dir = tempDir();
    const file = await makeFile(join(dir, 'Рассвет в гавани 2026.bin'), 3 * MIB + 1);
    const { code, stdout, stderr, left } = await runDemo(dir, file, '--json');
    expect({ code, stderr, left }).toEqual({ code: 0, stderr: '', left: [] });
    const result = JSON.parse(stdout) as DemoResult;
    expectWholeResult(result);
    expect(result).toMatchObject({
      file,
      sizeBytes: 3 * MIB + 1,
      units: 4,
      creditLimit: 1,
      unitsPaid: 2,
      unitsOnCredit: 2,
      unitsRepaid: 1,
      creditUsed: 1,
      leftOut: [],
    });
    expect(result.sha256).toBe(await sha256OfFile(file));
    expect(result.refusal).not.toBeNull();
    expect(result.story.map(({ what }) => what).join()).toContain('the rest is credit again');
    expect(result.checks.map(({ rule }) => rule)).toContain(
      'the credit used at the end is the 1 MiB after the funds',
    );
    expect(result.wireOverheadBytesPerMiB).toBeGreaterThan(0);
    expect(result.throughputMiBps).toBeGreaterThan(0);
  });

  itInTiers<[string, (dir: string) => string, RegExp]>({
    quick: [['is missing', (dir) => join(dir, 'gone.bin'), /There is no file/]],
    long: [['is a folder', (dir) => dir, /is not a file/]],
  })('refuses a file that %s in one line', async (_what, path, says) => {
    const dir = tempDir();
    const { code, stdout, stderr, left } = await runDemo(dir, path(dir));
    expect({ code, stdout, left }).toEqual({ code: 1, stdout: '', left: [] });
    expect(stderr).toMatch(/^ace-node: [^\n]+\n$/);
    expect(stderr).toMatch(says);
  });

  itInTiers<[string, (dir: string) => { args: string[]; env?: NodeJS.ProcessEnv; says: string }]>({
    quick: [
      [
        'is a file',
        (dir) => {
          writeFileSync(join(dir, 'plain'), 'x');
          return { args: ['--data-dir', join(dir, 'plain')], says: join(dir, 'plain') };
        },
      ],
    ],
    long: [
      [
        'leads through a file',
        (dir) => {
          writeFileSync(join(dir, 'plain'), 'x');
          return { args: ['--data-dir', join(dir, 'plain', 'data')], says: join(dir, 'plain') };
        },
      ],
      [
        'is not empty',
        (dir) => {
          writeFileSync(join(dir, 'plain'), 'x');
          return { args: ['--data-dir', dir], says: 'is not empty' };
        },
      ],
      [
        'is temporary where there is no place for such',
        (dir) => ({ args: [], env: { TMPDIR: join(dir, 'gone') }, says: join(dir, 'gone') }),
      ],
    ],
  })('refuses a folder that %s in one line', async (_what, make) => {
    const { args, env, says } = make(tempDir());
    const child = spawn(process.execPath, [CLI, 'demo', ...args], {
      stdio: 'pipe',
      env: { ...process.env, ...env },
    });
    let stderr = '';
    child.stderr.on('data', (data: Buffer) => {
      stderr += data.toString();
    });
    expect(await once(child, 'close')).toEqual([1, null]);
    expect(stderr).toMatch(/^ace-node: [^\n]+\n$/);
    expect(stderr).toContain(says);
    expect(stderr).not.toContain('something went wrong');
  });

  // Linux says which processes are a process's children.
  it.skipIf(process.platform !== 'linux')(
    'interrupted in the middle leaves no process and no file',
    { tags: 'long' },
    async () => {
      const dir = tempDir();
      const file = await makeFile(join(dir, 'film.bin'), 8 * MIB);
      const { child, tmp } = spawnDemo(dir, file, '--json');
      const closed = once(child, 'close');
      const pid = child.pid ?? 0;
      const started = await waitFor('all processes of the demo', () => {
        const pids = childrenOf(pid);
        return pids.length === PROCESSES ? pids : null;
      });
      expect(readdirSync(tmp)).toHaveLength(1);
      child.kill('SIGINT');
      await closed;
      expect(child.exitCode).toBe(130);
      await waitFor('its processes have ended', () => started.every((each) => !isAlive(each)), 3_000);
      expect(await staysFor('what they left', 300, () => readdirSync(tmp))).toEqual([]);
    },
  );

  it.skipIf(process.platform !== 'linux')(
    'killed in the middle leaves no process',
    { tags: 'long' },
    async () => {
      const dir = tempDir();
      const file = await makeFile(join(dir, 'film.bin'), 8 * MIB);
      const { child } = spawnDemo(dir, file, '--json');
      const started = await waitFor('all processes of the demo', () => {
        const pids = childrenOf(child.pid ?? 0);
        return pids.length === PROCESSES ? pids : null;
      });
      child.kill('SIGKILL');
      await once(child, 'close');
      await waitFor('its processes have ended', () => started.every((each) => !isAlive(each)), 15_000);
    },
  );

  it.skipIf(process.platform !== 'linux').each([
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const)(
    'ended by %s at its very start leaves no process and no file',
    { tags: 'long' },
    async (signal, exitCode) => {
      const dir = tempDir();
      const file = await makeFile(join(dir, 'film.bin'), MIB);
      const { child, tmp } = spawnDemo(dir, file);
      const closed = once(child, 'close');
      const started = await waitFor('the first process', () => {
        const pids = childrenOf(child.pid ?? 0);
        return pids.length > 0 ? pids : null;
      });
      child.kill(signal);
      await closed;
      expect(child.exitCode).toBe(exitCode);
      await waitFor('its processes have ended', () => started.every((each) => !isAlive(each)), 3_000);
      expect(await staysFor('what they left', 300, () => readdirSync(tmp))).toEqual([]);
    },
  );
});

function childrenOf(pid: number): number[] {
  try {
    const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
    return text === '' ? [] : text.split(' ').map(Number);
  } catch {
    return [];
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
