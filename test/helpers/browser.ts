/** A real browser and a real node process, for tests of the pages. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type Browser, chromium, type Page } from 'playwright-core';
import { findProgram } from './media.ts';

export const ROOT = join(import.meta.dirname, '../..');
const CLI = join(ROOT, 'out/main/cli.js');
export const START_TIMEOUT_MS = 90_000;
const STOP_TIMEOUT_MS = 10_000;

const CHROMIUM_ARGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--autoplay-policy=no-user-gesture-required',
];

/** `null` on a machine without one: tests that need it are skipped. */
export const browserPath = findBrowser();

export function launchBrowser(): Promise<Browser> {
  return chromium.launch({ executablePath: browserPath ?? '', args: CHROMIUM_ARGS });
}

/** Errors and violations of the content policy; the browser reports both on the console. */
export function collectTroubles(page: Page): string[] {
  const troubles: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') troubles.push(message.text());
  });
  page.on('pageerror', (error) => troubles.push(error.message));
  return troubles;
}

export interface StartedNode {
  /** As it prints it, with the token. */
  readonly address: string;
  stop(): Promise<void>;
}

/** Starts the node as people do on a machine without a display; at any free port, unless the arguments name one. */
export function startHeadless(dataDir: string, args: readonly string[] = []): Promise<StartedNode> {
  const given = ['start', '--headless', '--data-dir', dataDir];
  const port = args.includes('--http-port') ? [] : ['--http-port', '0'];
  const node = spawn(process.execPath, [CLI, ...given, ...port, ...args], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let errors = '';
  node.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors = (errors + text).slice(-4_000);
  });
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      node.kill('SIGKILL');
      reject(new Error(`The node printed no address in time.\n${errors}`));
    }, START_TIMEOUT_MS);
    createInterface(node.stdout).on('line', (line) => {
      const address = /http:\/\/127\.0\.0\.1:\d+\/#token=\S+/.exec(line)?.[0];
      if (address === undefined) return;
      clearTimeout(timer);
      resolve({ address, stop: () => stop(node) });
    });
    node.once('exit', (code) => {
      clearTimeout(timer);
      reject(new Error(`The node ended with ${code}.\n${errors}`));
    });
  });
}

async function stop(node: ChildProcess): Promise<void> {
  if (node.exitCode !== null || node.signalCode !== null) return;
  const ended = new Promise((resolve) => node.once('exit', resolve));
  node.kill('SIGTERM');
  const timer = setTimeout(() => node.kill('SIGKILL'), STOP_TIMEOUT_MS);
  await ended;
  clearTimeout(timer);
}

function findBrowser(): string | null {
  const given = process.env.CHROME_PATH;
  if (given) return existsSync(given) ? given : null;
  const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
  return names.map(findProgram).find((path) => path !== null) ?? null;
}
