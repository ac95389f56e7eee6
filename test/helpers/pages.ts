/** The node as people start it, and its pages in a real Chromium. What was started ends with `close`. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import axe from 'axe-core';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import {
  collectTroubles,
  launchBrowser,
  START_TIMEOUT_MS,
  type StartedNode,
  startHeadless,
} from './browser.ts';

export type Language = 'en' | 'ru';
export type Theme = 'light' | 'dark';

export interface PageOptions {
  readonly language?: Language;
  readonly theme?: Theme;
  readonly width?: number;
  readonly height?: number;
}

/** For what hangs: a busy machine takes its time. */
const PAGE_TIMEOUT_MS = 60_000;

/** One for all tests of a file: to start it takes longer than most of them. It ends with this process. */
let browser: Promise<Browser> | null = null;

/** For programs that go on after their pages are closed. */
export async function closeBrowser(): Promise<void> {
  const opened = await browser;
  browser = null;
  await opened?.close();
}

/** A place for everything that has to be ended again, in the opposite order. */
export class Stage {
  readonly #undo: (() => unknown)[] = [];

  async close(): Promise<void> {
    for (const step of this.#undo.splice(0).reverse()) await step();
  }

  onClose(step: () => unknown): void {
    this.#undo.push(step);
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
    browser ??= launchBrowser();
    const { language = 'en', theme = 'light', width = 1180, height = 800 } = options;
    const context: BrowserContextOptions = {
      viewport: { width, height },
      locale: language === 'en' ? 'en-GB' : 'ru-RU',
      colorScheme: theme,
      reducedMotion: 'reduce',
    };
    const opened = await (await browser).newContext(context);
    opened.setDefaultTimeout(PAGE_TIMEOUT_MS);
    this.#undo.push(() => opened.close());
    const page = await opened.newPage();
    const troubles = collectTroubles(page);
    await page.goto(address);
    return { page, troubles };
  }
}

export interface WatchedPage {
  readonly page: Page;
  /** Errors and violations of the content policy, which the browser reports on the console. */
  readonly troubles: readonly string[];
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
