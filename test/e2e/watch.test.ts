/**
 * The main job in a real browser: the headless node as people start it, its pages in Chromium, the sample clip played
 * and paid. The same story runs in the desktop window where there is an Electron binary.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { _electron, type Browser, chromium, type Page } from 'playwright-core';
import { afterEach, describe, expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '../..');
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

const browserPath = findBrowser();
const electronPath = findElectron();
const undo: (() => unknown)[] = [];

afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step();
});

describe('the main job', () => {
  it.skipIf(browserPath === null)(
    'plays the sample clip in a browser, and what was paid is settled',
    async () => {
      const address = await startHeadless(temporaryDir());
      const browser: Browser = await chromium.launch({
        executablePath: browserPath ?? '',
        args: CHROMIUM_ARGS,
      });
      undo.push(() => browser.close());
      const page = await browser.newPage({ viewport: { width: 1180, height: 800 } });
      const troubles = collectTroubles(page);
      await page.goto(address);
      await watchAndSettle(page);
      expect(new URL(page.url()).hash, 'the token does not stay in the address').not.toContain('token');
      expect(troubles).toEqual([]);
    },
  );

  it.skipIf(browserPath === null)(
    'says what is wrong with what was typed, and forgets it afterwards',
    async () => {
      const dir = temporaryDir();
      const address = await startHeadless(dir);
      const browser = await chromium.launch({ executablePath: browserPath ?? '', args: CHROMIUM_ARGS });
      undo.push(() => browser.close());
      const page = await browser.newPage({ viewport: { width: 1180, height: 800 } });
      await page.goto(address);
      await page
        .locator('[data-testid=connection][data-link=connected]')
        .waitFor({ timeout: START_TIMEOUT_MS });

      const error = page.getByTestId('player-error');
      await paste(page, 'bafyreigdyrzt5sfp7udm7hu76uh7y26nf3efuylqabf3oclgtqy55fbzdi');
      await error.waitFor();
      expect(await error.textContent()).toContain('play it again later');
      await paste(page, join(ROOT, 'package.json'));
      await error.waitFor({ state: 'detached' });

      await page.getByTestId('nav-wallet').click();
      const amount = page.getByTestId('top-up-page-amount');
      await amount.fill('0.12345678');
      await page.getByTestId('top-up-page-submit').click();
      await page.getByText('Write an amount above 0').waitFor();
    },
  );

  it.skipIf(electronPath === null)('plays the sample clip in the desktop window', async () => {
    const config = {
      dataDir: temporaryDir(),
      resourcesDir: join(ROOT, 'resources'),
      pagesDir: join(ROOT, 'out/renderer'),
    };
    const app = await _electron.launch({
      executablePath: electronPath ?? '',
      args: [join(ROOT, 'out/main/electron.js')],
      env: { ...definedEnv(), ACE_NODE_CONFIG: JSON.stringify({ ...config, httpPort: 0 }) },
    });
    undo.push(() => app.close());
    const page = await app.firstWindow();
    const troubles = collectTroubles(page);
    await watchAndSettle(page);
    expect(troubles).toEqual([]);
  });
});

async function watchAndSettle(page: Page): Promise<void> {
  await page.locator('[data-testid=connection][data-link=connected]').waitFor({ timeout: START_TIMEOUT_MS });
  await page.getByTestId('nav-settlements').click();
  const before = await settledUnits(page);

  await page.getByTestId('nav-watch').click();
  await page.getByTestId('play').first().click();
  const video = page.getByTestId('player');
  await video.waitFor();
  await expect
    .poll(() => video.evaluate((v) => (v as unknown as { currentTime: number }).currentTime), {
      timeout: 60_000,
    })
    .toBeGreaterThanOrEqual(3);
  await expect.poll(() => numberOf(page, 'paid-units', 'data-units'), { timeout: 30_000 }).toBeGreaterThan(0);

  await page.getByTestId('nav-settlements').click();
  const settle = page.getByTestId('settle-now');
  // The network settles by itself at its own pace; a person can ask for it.
  if (await settle.isEnabled()) await settle.click();
  await expect.poll(() => settledUnits(page), { timeout: 60_000 }).toBeGreaterThan(before);
  expect(await page.getByTestId('settlement').count()).toBeGreaterThan(0);
}

async function paste(page: Page, text: string): Promise<void> {
  await page.getByTestId('paste').fill(text);
  await page.getByTestId('paste-submit').click();
}

/** 0 while the list says that nothing was settled. */
async function settledUnits(page: Page): Promise<number> {
  await page.locator('[data-testid=settled-units], [data-testid=settlements-empty]').first().waitFor();
  return (await page.getByTestId('settled-units').count()) === 0
    ? 0
    : numberOf(page, 'settled-units', 'data-units');
}

async function numberOf(page: Page, testId: string, attribute: string): Promise<number> {
  const element = page.getByTestId(testId);
  return (await element.count()) === 0 ? 0 : Number(await element.first().getAttribute(attribute));
}

/** Errors and violations of the content policy; the browser reports both on the console. */
function collectTroubles(page: Page): string[] {
  const troubles: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') troubles.push(message.text());
  });
  page.on('pageerror', (error) => troubles.push(error.message));
  return troubles;
}

/** Starts the node as `npm start` does on a machine without a display. Answers the address it prints. */
function startHeadless(dataDir: string): Promise<string> {
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

function temporaryDir(): string {
  const dir = mkdtempSync(join(tmpdir(), 'ace-e2e-'));
  undo.push(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
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

/** Only looks: requiring `electron` without its binary would start a download. */
function findElectron(): string | null {
  const dir = dirname(createRequire(import.meta.url).resolve('electron/package.json'));
  const pathFile = join(dir, 'path.txt');
  if (!existsSync(pathFile)) return null;
  const binary = join(dir, 'dist', readFileSync(pathFile, 'utf8').trim());
  return existsSync(binary) ? binary : null;
}
