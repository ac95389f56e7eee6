/** A real browser and a real node process for tests of the pages. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type Browser, chromium, type Page } from 'playwright-core';
import { findProgram } from './media.ts';

const ROOT = join(import.meta.dirname, '../..');
const CLI = join(ROOT, 'out/main/cli.js');
const START_TIMEOUT_MS = 45_000;
const STOP_TIMEOUT_MS = 10_000;

export const CHROMIUM_ARGS = [
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

/** What a test has started, undone in the opposite order. */
export class Undo {
  readonly #steps: (() => unknown)[] = [];

  push(step: () => unknown): void {
    this.#steps.push(step);
  }

  async all(): Promise<void> {
    for (const step of this.#steps.splice(0).reverse()) await step();
  }

  /** A folder that goes with the rest. */
  folder(): string {
    const dir = mkdtempSync(join(tmpdir(), 'ace-e2e-'));
    this.push(() => rmSync(dir, { recursive: true, force: true }));
    return dir;
  }

  async browser(): Promise<Browser> {
    const browser = await launchBrowser();
    this.push(() => browser.close());
    return browser;
  }

  /** Starts the node as `npm start` does on a machine without a display. The answer is the address that it prints. */
  node(...args: string[]): Promise<string> {
    const all = [CLI, 'start', '--headless', '--http-port', '0', ...args];
    const node = spawn(process.execPath, all, { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] });
    this.push(() => stopProcess(node));
    return addressOf(node);
  }
}

export function launchBrowser(): Promise<Browser> {
  return chromium.launch({ executablePath: browserPath ?? '', args: CHROMIUM_ARGS });
}

/** Everything that a page's console and scripts complain of. */
export function collectTroubles(page: Page): string[] {
  const troubles: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') troubles.push(message.text());
  });
  page.on('pageerror', (error) => troubles.push(error.message));
  return troubles;
}

function addressOf(node: ChildProcess): Promise<string> {
  let errors = '';
  node.stderr?.setEncoding('utf8').on('data', (text: string) => {
    errors = (errors + text).slice(-4_000);
  });
  return new Promise((resolve, reject) => {
    const timer = setTimeout(
      () => reject(new Error(`The node printed no address in time.\n${errors}`)),
      START_TIMEOUT_MS,
    );
    if (node.stdout)
      createInterface(node.stdout).on('line', (line) => {
        const address = /http:\/\/127\.0\.0\.1:\d+\/#token=\S+/.exec(line)?.[0];
        if (address === undefined) return;
        clearTimeout(timer);
        resolve(address);
      });
    node.once('exit', (code) => {
      clearTimeout(timer);
      reject(new Error(`The node ended with ${code}.\n${errors}`));
    });
  });
}

async function stopProcess(node: ChildProcess): Promise<void> {
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
