/** The node as people start it, and its pages in a real Chromium. What was started ends with `close`. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { createInterface } from 'node:readline';
import axe from 'axe-core';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';

export const ROOT = join(import.meta.dirname, '../..');
const CLI = join(ROOT, 'out/main/cli.js');
export const START_TIMEOUT_MS = 45_000;
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

export type Language = 'en' | 'ru';
export type Theme = 'light' | 'dark';

export interface PageOptions {
  readonly language?: Language;
  readonly theme?: Theme;
  readonly width?: number;
  readonly height?: number;
}

export const browserPath = findBrowser();

/** A place for everything that has to be ended again, in the opposite order. */
export class Stage {
  readonly #undo: (() => unknown)[] = [];
  #browser: Browser | null = null;

  async close(): Promise<void> {
    for (const step of this.#undo.splice(0).reverse()) await step();
    this.#browser = null;
  }

  temporaryDir(): string {
    const dir = mkdtempSync(join(tmpdir(), 'ace-e2e-'));
    this.#undo.push(() => rmSync(dir, { recursive: true, force: true }));
    return dir;
  }

  /** Answers the address that the node prints, with its token, and the way to end it. */
  async start(dataDir: string, args: readonly string[] = []): Promise<StartedNode> {
    const node = await startHeadless(dataDir, args);
    this.#undo.push(() => node.stop());
    return node;
  }

  /** Another page in the same browser, with a storage of its own. */
  async page(address: string, options: PageOptions = {}): Promise<WatchedPage> {
    this.#browser ??= await this.#launch();
    const { language = 'en', theme = 'light', width = 1180, height = 800 } = options;
    const context: BrowserContextOptions = {
      viewport: { width, height },
      locale: language === 'en' ? 'en-GB' : 'ru-RU',
      colorScheme: theme,
      reducedMotion: 'reduce',
    };
    const page = await (await this.#browser.newContext(context)).newPage();
    const troubles = collectTroubles(page);
    await page.goto(address);
    return { page, troubles };
  }

  async #launch(): Promise<Browser> {
    const browser = await chromium.launch({ executablePath: browserPath ?? '', args: CHROMIUM_ARGS });
    this.#undo.push(() => browser.close());
    return browser;
  }
}

export interface WatchedPage {
  readonly page: Page;
  /** Errors and violations of the content policy, which the browser reports on the console. */
  readonly troubles: readonly string[];
}

export interface StartedNode {
  readonly address: string;
  stop(): Promise<void>;
}

export async function connected(page: Page): Promise<void> {
  await page.locator('[data-testid=connection][data-link=connected]').waitFor({ timeout: START_TIMEOUT_MS });
}

/** What axe finds wrong with the page as it is: one line for each, with the first element. */
export async function axeFindings(page: Page): Promise<string[]> {
  // Through the debugger: the page's own policy lets no script in.
  await page.evaluate(axe.source);
  return page.evaluate(async () => {
    const { axe } = globalThis as unknown as {
      axe: { run(): Promise<{ violations: { id: string; help: string; nodes: { html: string }[] }[] }> };
    };
    const { violations } = await axe.run();
    return violations.map(
      ({ id, help, nodes }) => `${id}: ${help}: ${nodes.map(({ html }) => html).join(' | ')}`,
    );
  });
}

/** Whether something is cut off to the right, and what. */
export async function sidewaysScroll(page: Page): Promise<boolean> {
  return page.evaluate(() => {
    const { documentElement } = (
      globalThis as unknown as { document: { documentElement: { scrollWidth: number; clientWidth: number } } }
    ).document;
    return documentElement.scrollWidth > documentElement.clientWidth;
  });
}

function collectTroubles(page: Page): string[] {
  const troubles: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') troubles.push(message.text());
  });
  page.on('pageerror', (error) => troubles.push(error.message));
  return troubles;
}

function startHeadless(dataDir: string, args: readonly string[]): Promise<StartedNode> {
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
  const timer = setTimeout(() => node.kill('SIGKILL'), 10_000);
  await ended;
  clearTimeout(timer);
}

function findBrowser(): string | null {
  const given = process.env.CHROME_PATH;
  if (given) return existsSync(given) ? given : null;
  const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
  const dirs = (process.env.PATH ?? '').split(delimiter);
  return dirs.flatMap((dir) => names.map((name) => join(dir, name))).find((path) => existsSync(path)) ?? null;
}
