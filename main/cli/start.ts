/**
 * Chooses the shell: a window where one can be opened, otherwise the pages on loopback.
 */
import { spawn } from 'node:child_process';
import { dirname, join } from 'node:path';
import { shellEnvironment } from '../app/config.ts';
import { findWindow } from '../app/find-window.ts';
import type { NodeConfig } from '../node/node.ts';
import { exitCodeOf, STOP_SIGNALS } from '../process/stop-signals.ts';
import { PASSPHRASE_VARIABLE } from '../wallet/passphrase-rule.ts';
import { runHeadless } from './headless.ts';

/** The loader's exit code when a system library is missing. */
const EXIT_NOT_LOADABLE = 127;

export interface ShellOptions {
  readonly headless: boolean;
}

/** Resolves when the shell has ended, with the exit code for this process. */
export async function startShell(config: NodeConfig, options: ShellOptions): Promise<number> {
  if (!options.headless) {
    const window = findWindow(process.env, process.platform, process.getuid?.() === 0);
    const why = 'why' in window ? window.why : await openWindow(window.binary, config);
    if (typeof why === 'number') return why;
    process.stderr.write(`${why}: running without a window\n`);
  }
  await runHeadless(config);
  return 0;
}

/** The exit code of the window's process, or why it could not even be loaded. */
function openWindow(binary: string, config: NodeConfig): Promise<number | string> {
  const entry = join(dirname(config.pagesDir), 'main', 'electron.js');
  const child = spawn(binary, [entry], {
    stdio: 'inherit',
    env: {
      ...process.env,
      ...shellEnvironment(config),
      ...(config.passphrase !== undefined && { [PASSPHRASE_VARIABLE]: config.passphrase }),
      ELECTRON_RUN_AS_NODE: undefined,
    },
  });
  // A service manager may send them to this process alone; a terminal's reaches the window's process by itself, and there a
  // second one would mean "now".
  const passOn = (signal: NodeJS.Signals) => {
    if (signal !== 'SIGINT' || !onTerminal()) child.kill(signal);
  };
  for (const signal of STOP_SIGNALS) process.on(signal, passOn);
  return new Promise((resolve) => {
    const done = (outcome: number | string) => {
      for (const signal of STOP_SIGNALS) process.off(signal, passOn);
      resolve(outcome);
    };
    child.once('error', () => done('The Electron binary does not start'));
    child.once('exit', (code, signal) => {
      if (code === EXIT_NOT_LOADABLE) done('Electron lacks a system library');
      else done(signal === null ? (code ?? 1) : exitCodeOf(signal));
    });
  });
}

function onTerminal(): boolean {
  return process.stdin.isTTY || process.stdout.isTTY || process.stderr.isTTY;
}
