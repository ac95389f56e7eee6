/**
 * The window that end-to-end tests look through: a browser on a headless node, or, in the test project `electron`, the
 * desktop window itself. A test that opens its page here runs in both.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { createInterface } from 'node:readline';
import { _electron, chromium, type Page } from 'playwright-core';
import type { TestContext } from 'vitest';
import { findWindow } from '../../main/app/find-window.ts';

export const ROOT = join(import.meta.dirname, '../..');
const CLI = join(ROOT, 'out/main/cli.js');
const START_TIMEOUT_MS = 45_000;
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

const inElectron = process.env.ACE_TEST_WINDOW === 'electron';
const browserPath = findBrowser();

/** Why no window can be opened here; `null` where one can. */
const noWindow: string | null = inElectron ? noElectron() : browserPath === null ? 'No browser' : null;

/** For `beforeEach`: without a window a story is skipped, never passed, and the report says why. */
export function skipWithoutWindow({ skip }: Pick<TestContext, 'skip'>): void {
  if (noWindow !== null) skip(noWindow);
}

export interface AppWindow {
  readonly page: Page;
  /** Errors and violations of the content policy, which the browser reports on the console. */
  readonly troubles: readonly string[];
}

/**
 * A node of its own on an empty folder, with its pages open.
 * @param undo gets what ends it again, to be called in the opposite order
 */
export async function openApp(dataDir: string, undo: (() => unknown)[]): Promise<AppWindow> {
  return inElectron ? openElectron(dataDir, undo) : openBrowser(dataDir, undo);
}

async function openBrowser(dataDir: string, undo: (() => unknown)[]): Promise<AppWindow> {
  const address = await startHeadless(dataDir, undo);
  const browser = await chromium.launch({ executablePath: browserPath ?? '', args: CHROMIUM_ARGS });
  undo.push(() => browser.close());
  const page = await browser.newPage({ viewport: { width: 1180, height: 800 } });
  const troubles = collectTroubles(page);
  await page.goto(address);
  return { page, troubles };
}

async function openElectron(dataDir: string, undo: (() => unknown)[]): Promise<AppWindow> {
  const found = findWindow(process.env, process.platform, process.getuid?.() === 0);
  if ('why' in found) throw new Error(found.why);
  const config = {
    dataDir,
    resourcesDir: join(ROOT, 'resources'),
    pagesDir: join(ROOT, 'out/renderer'),
    httpPort: 0,
  };
  const app = await _electron.launch({
    executablePath: found.binary,
    args: [join(ROOT, 'out/main/electron.js')],
    env: { ...definedEnv(), ACE_NODE_CONFIG: JSON.stringify(config) },
  });
  undo.push(() => app.close());
  const page = await app.firstWindow();
  return { page, troubles: collectTroubles(page) };
}

function noElectron(): string | null {
  const found = findWindow(process.env, process.platform, process.getuid?.() === 0);
  return 'why' in found ? found.why : null;
}

function collectTroubles(page: Page): string[] {
  const troubles: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') troubles.push(message.text());
  });
  page.on('pageerror', (error) => troubles.push(error.message));
  return troubles;
}

function startHeadless(dataDir: string, undo: (() => unknown)[]): Promise<string> {
  const args = [CLI, 'start', '--headless', '--data-dir', dataDir, '--http-port', '0'];
  const node = spawn(process.execPath, args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] });
  undo.push(() => stop(node));
  let errors = '';
  node.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors = (errors + text).slice(-4_000);
  });
  return new Promise((resolve, reject) => {
    const timer = setTimeout(
      () => reject(new Error(`The node printed no address in time.\n${errors}`)),
      START_TIMEOUT_MS,
    );
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

async function stop(node: ChildProcess): Promise<void> {
  if (node.exitCode !== null || node.signalCode !== null) return;
  const ended = new Promise((resolve) => node.once('exit', resolve));
  node.kill('SIGTERM');
  const timer = setTimeout(() => node.kill('SIGKILL'), 10_000);
  await ended;
  clearTimeout(timer);
}

function definedEnv(): Record<string, string> {
  return Object.fromEntries(
    Object.entries(process.env).flatMap(([k, v]) => (v === undefined ? [] : [[k, v]])),
  );
}

function findBrowser(): string | null {
  const given = process.env.CHROME_PATH;
  if (given) return existsSync(given) ? given : null;
  const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
  const dirs = (process.env.PATH ?? '').split(delimiter);
  return dirs.flatMap((dir) => names.map((name) => join(dir, name))).find((path) => existsSync(path)) ?? null;
}
