/**
 * The command line. `run` and `startService` run the real program in this process, with streams, signals and an exit code
 * of its own: it is loaded once for a file of tests. `spawnCli` and what stands on it start the built one as a process:
 * for kills, pipes and terminals, and once for each command in cli-binary.test.ts.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
// Holds the global process from when it is loaded: before any command does.
import '../../main/process/stop-signals.ts';
import { ProcessOfCommand } from './process-of-command.ts';
import { waitFor } from './wait.ts';
import './cheap-passphrases.ts';

export const CLI = fileURLToPath(new URL('../../out/main/cli.js', import.meta.url));

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

interface Said {
  readonly stdout: readonly string[];
  readonly stderr: readonly string[];
}

export interface Service {
  /** First line on stdout. */
  readonly ready: string;
  readonly said: () => Said;
  /** SIGTERM; the answer is the exit code. */
  stop(): Promise<number | null>;
}

export interface SpawnedService extends Service {
  readonly child: ChildProcess;
}

/** Every process of this file: none outlives it, whatever fails. */
const started = new Set<ChildProcess>();
/** Every service in this process that goes on. */
const running = new Set<Pick<Service, 'stop'>>();

/** Ends what the tests of a file started and did not end: nodes before their validator, which they began after. */
export async function killStarted(): Promise<void> {
  for (const child of started) child.kill('SIGKILL');
  for (const service of [...running].reverse()) await service.stop();
}

function environment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const { ACE_NODE_PASSPHRASE: _, ACE_NODE_DEBUG: __, ...clean } = process.env;
  return { ...clean, ...env };
}

let programs = 0;

/** Runs main/cli.ts, which parses the arguments and acts when it is loaded, in a process of its own making. */
function startProgram(args: readonly string[], env: NodeJS.ProcessEnv) {
  const command = new ProcessOfCommand(args, environment(env));
  const said = { stdout: '', stderr: '' };
  command.onOutput((stream, text) => {
    said[stream] += text;
  });
  const ended = command.run(async () => {
    // The same file again under another name is run again; what it imports is not.
    await import(/* @vite-ignore */ `../../main/cli.ts?run=${++programs}`);
    return command.exitCode;
  });
  return { command, said, ended };
}

/** Runs a command to its end; `input` is its standard input. */
export async function run(args: readonly string[], env: NodeJS.ProcessEnv = {}, input = ''): Promise<Ended> {
  const { command, said, ended } = startProgram(args, env);
  command.stdin.end(input);
  return { code: await ended, ...said };
}

/** A command that goes on until it is told to stop. */
export async function startService(...args: string[]): Promise<Service> {
  const { command, said, ended } = startProgram(args, {});
  let outcome: { readonly code: number } | null = null;
  const closed = ended.then((code) => {
    outcome = { code };
    running.delete(service);
    return code;
  });
  const linesOf = (text: string) => text.split('\n').slice(0, -1);
  const service = {
    said: () => ({ stdout: linesOf(said.stdout), stderr: linesOf(said.stderr) }),
    stop: async () => {
      if (outcome === null && !command.run(() => command.signals.emit('SIGTERM', 'SIGTERM')))
        throw new Error(
          `Nothing of "${args.join(' ')}" listens for a signal: a process would have died of it`,
        );
      return closed;
    },
  };
  running.add(service);
  const ready = await readyLine(args, service.said, () => outcome?.code ?? null);
  return Object.assign(service, { ready });
}

function readyLine(
  args: readonly string[],
  said: () => Said,
  exitCode: () => number | null,
): Promise<string> {
  return waitFor(`"${args.join(' ')}" is ready`, () => {
    if (exitCode() !== null) throw new Error(`It ended with ${exitCode()}: ${said().stderr.join(' / ')}`);
    return said().stdout[0];
  });
}

export const startNode = (dataDir: string, ...args: string[]) => startService(...nodeArgs(dataDir, args));

/** A node of the built program, in a process of its own. */
export const spawnNode = (dataDir: string, ...args: string[]) => spawnService(...nodeArgs(dataDir, args));

function nodeArgs(dataDir: string, args: readonly string[]): string[] {
  return ['start', '--headless', '--data-dir', dataDir, '--http-port', '0', ...args];
}

export function spawnCli(args: readonly string[], env: NodeJS.ProcessEnv = {}): ChildProcess {
  const child = spawn(process.execPath, [CLI, ...args], { stdio: 'pipe', env: environment(env) });
  started.add(child);
  child.once('exit', () => started.delete(child));
  return child;
}

/** Runs a command of the built program to its end, with pipes for its output. */
export async function runBinary(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Ended> {
  return outcomeOf(spawnCli(args, env));
}

/** What a process said until it ended. It fails when a signal killed the process. */
export async function outcomeOf(child: ChildProcess): Promise<Ended> {
  const said = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name]?.on('data', (data: Buffer) => {
      said[name] += data.toString();
    });
  }
  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
  if (signal !== null) throw new Error(`The process died of ${signal}: ${said.stderr}`);
  return { code, ...said };
}

/** A command of the built program that goes on until it is told to stop. */
export async function spawnService(...args: string[]): Promise<SpawnedService> {
  const child = spawnCli(args);
  const closed = once(child, 'close');
  const said: { stdout: string[]; stderr: string[] } = { stdout: [], stderr: [] };
  for (const name of ['stdout', 'stderr'] as const) {
    if (child[name]) createInterface({ input: child[name] }).on('line', (line) => said[name].push(line));
  }
  const service = {
    child,
    said: () => said,
    stop: async () => {
      child.kill('SIGTERM');
      const [code, signal] = (await closed) as [number | null, NodeJS.Signals | null];
      if (signal !== null) throw new Error(`It died of ${signal}: ${said.stderr.join(' / ')}`);
      return code;
    },
  };
  const ready = await readyLine(args, service.said, () => child.exitCode);
  return { ...service, ready };
}

/** It failed with one line that says this, and no other word anywhere. */
export function expectOneLine(ended: Ended, says: string | RegExp): void {
  expect(ended.stdout).toBe('');
  expect(ended.stderr).toMatch(/^ace-node: [^\n]+\n$/);
  expect(ended.stderr).toMatch(says);
  expect(ended.stderr).not.toContain('something went wrong');
  expect(ended.code).toBe(1);
}
