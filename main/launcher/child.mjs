import { spawn } from 'node:child_process';
import { constants } from 'node:os';

/**
 * @typedef {object} ChildResult
 * @property {number | null} code exit code, null when a signal ended it
 * @property {NodeJS.Signals | null} signal
 * @property {string} output stdout and stderr together; empty when they were inherited
 */

/** @type {NodeJS.Signals[]} */
const FORWARDED_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'];
const PARENT_CHECK_MS = 500;

/**
 * Runs a program to its end. While it runs, a signal that asks this process to stop goes to the child
 * instead, so the child decides how to end and never outlives us by accident.
 *
 * @param {string} command
 * @param {string[]} args
 * @param {{ stdio: 'inherit' | 'collect', cwd?: string, env?: NodeJS.ProcessEnv, shell?: boolean,
 *   timeout?: number, killSignal?: NodeJS.Signals }} options timeout: milliseconds until killSignal ends it
 * @returns {Promise<ChildResult>} rejects when the program cannot be started
 */
export function runChild(command, args, { stdio, ...options }) {
  const child = spawn(command, args, {
    ...options,
    stdio: stdio === 'inherit' ? 'inherit' : ['ignore', 'pipe', 'pipe'],
    windowsHide: true,
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text) => {
      output += text;
    });
  }

  /** @param {NodeJS.Signals} signal */
  const forward = (signal) => {
    // Ctrl-C reaches the whole foreground group: the child has it already, and a second one means "now".
    if (signal === 'SIGINT' && onTerminal()) return;
    child.kill(signal);
  };
  for (const signal of FORWARDED_SIGNALS) process.on(signal, forward);
  const orphaned = whenNpmIsGone(() => child.kill('SIGTERM'));

  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve({ code, signal, output }));
  }).finally(() => {
    for (const signal of FORWARDED_SIGNALS) process.off(signal, forward);
    clearInterval(orphaned);
  });
}

/**
 * npm runs a script in a shell, and a shell that is asked to stop does not pass it on. So when this process was started
 * by a script and its parent is gone, the script was stopped.
 *
 * @param {() => void} stop
 * @returns {NodeJS.Timeout | undefined}
 */
function whenNpmIsGone(stop) {
  if (process.env.npm_lifecycle_event === undefined) return undefined;
  const parent = process.ppid;
  return setInterval(() => {
    if (process.ppid !== parent) stop();
  }, PARENT_CHECK_MS).unref();
}

/**
 * Ends this process the way the child ended.
 *
 * @param {ChildResult} result
 */
export function exitLike({ code, signal }) {
  if (signal === null) {
    process.exitCode = code ?? 1;
    return;
  }
  // If the signal is ignored here, this is what the caller sees.
  process.exitCode = 128 + (constants.signals[signal] ?? 0);
  process.kill(process.pid, signal);
}

function onTerminal() {
  return Boolean(process.stdin.isTTY || process.stdout.isTTY || process.stderr.isTTY);
}
