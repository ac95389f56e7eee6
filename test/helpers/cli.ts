/** The built command line as processes: commands that end, and services that go on. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import { waitFor } from './wait.ts';

export const CLI = fileURLToPath(new URL('../../out/main/cli.js', import.meta.url));

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Every process of this file: none outlives it, whatever fails. */
const started = new Set<ChildProcess>();

export function spawnCli(args: readonly string[], env: NodeJS.ProcessEnv = {}): ChildProcess {
  const { ACE_NODE_PASSPHRASE: _, ACE_NODE_DEBUG: __, ...clean } = process.env;
  const child = spawn(process.execPath, [CLI, ...args], { stdio: 'pipe', env: { ...clean, ...env } });
  started.add(child);
  child.once('exit', () => started.delete(child));
  return child;
}

/** Kills what the tests of a file started and did not end. */
export function killStarted(): void {
  for (const child of started) child.kill('SIGKILL');
}

/** Runs a command to its end, with pipes for its output. */
export async function run(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Ended> {
  return outcomeOf(spawnCli(args, env));
}

/** What a process said until it ended. */
export async function outcomeOf(child: ChildProcess): Promise<Ended> {
  const said = { stdout: '', stderr: '' };
  child.stdout?.on('data', (data: Buffer) => {
    said.stdout += data.toString();
  });
  child.stderr?.on('data', (data: Buffer) => {
    said.stderr += data.toString();
  });
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, ...said };
}

export interface Service {
  /** First line on stdout. */
  readonly ready: string;
  readonly child: ChildProcess;
  readonly said: () => { readonly stdout: readonly string[]; readonly stderr: readonly string[] };
  /** SIGTERM; the answer is the exit code. */
  stop(): Promise<number | null>;
}

/** A command that goes on until it is told to stop. */
export async function startService(...args: string[]): Promise<Service> {
  const child = spawnCli(args);
  const closed = once(child, 'close');
  const [stdout, stderr]: [string[], string[]] = [[], []];
  for (const [stream, lines] of [
    [child.stdout, stdout],
    [child.stderr, stderr],
  ] as const) {
    if (stream) createInterface({ input: stream }).on('line', (line) => lines.push(line));
  }
  const ready = await waitFor(`"${args.join(' ')}" is ready`, () => {
    if (child.exitCode !== null) throw new Error(`It ended with ${child.exitCode}: ${stderr.join(' / ')}`);
    return stdout[0];
  }).catch((error: unknown) => {
    child.kill('SIGKILL');
    throw error;
  });
  return {
    ready,
    child,
    said: () => ({ stdout, stderr }),
    stop: async () => {
      child.kill('SIGTERM');
      await closed;
      return child.exitCode;
    },
  };
}

export const startNode = (dataDir: string, ...args: string[]) =>
  startService('start', '--headless', '--data-dir', dataDir, '--http-port', '0', ...args);

/** It failed with one line that says this, and no other word anywhere. */
export function expectOneLine(ended: Ended, says: string | RegExp): void {
  expect(ended.stdout).toBe('');
  expect(ended.stderr).toMatch(/^ace-node: [^\n]+\n$/);
  expect(ended.stderr).toMatch(says);
  expect(ended.stderr).not.toContain('something went wrong');
  expect(ended.code).toBe(1);
}
