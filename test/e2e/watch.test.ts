/**
 * The main job in a real browser: the headless node as people start it, its pages in Chromium, the sample clip played
 * and paid. The same story runs in the desktop window where there is an Electron binary.
 */
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { _electron, type Page } from 'playwright-core';
import { afterEach, describe, expect, it } from 'vitest';
import { browserPath, collectTroubles, connected, ROOT, Stage } from '../helpers/pages.ts';

const electronPath = findElectron();
const stage = new Stage();

afterEach(() => stage.close());

describe('the main job', () => {
  it.skipIf(browserPath === null)(
    'plays the sample clip in a browser, and what was paid is settled',
    async () => {
      const { address } = await stage.start(stage.temporaryDir());
      const { page, troubles } = await stage.page(address);
      await watchAndSettle(page);
      expect(new URL(page.url()).hash, 'the token does not stay in the address').not.toContain('token');
      expect(troubles).toEqual([]);
    },
  );

  it.skipIf(browserPath === null)(
    'says what is wrong with what was typed, and forgets it afterwards',
    async () => {
      const { address } = await stage.start(stage.temporaryDir());
      const { page } = await stage.page(address);
      await connected(page);

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
      dataDir: stage.temporaryDir(),
      resourcesDir: join(ROOT, 'resources'),
      pagesDir: join(ROOT, 'out/renderer'),
    };
    const app = await _electron.launch({
      executablePath: electronPath ?? '',
      args: [join(ROOT, 'out/main/electron.js')],
      env: { ...definedEnv(), ACE_NODE_CONFIG: JSON.stringify({ ...config, httpPort: 0 }) },
    });
    stage.onClose(() => app.close());
    const page = await app.firstWindow();
    const troubles = collectTroubles(page);
    await watchAndSettle(page);
    expect(troubles).toEqual([]);
  });
});

async function watchAndSettle(page: Page): Promise<void> {
  await connected(page);
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

function definedEnv(): Record<string, string> {
  return Object.fromEntries(
    Object.entries(process.env).flatMap(([k, v]) => (v === undefined ? [] : [[k, v]])),
  );
}

/** Only looks: requiring `electron` without its binary would start a download. */
function findElectron(): string | null {
  const dir = dirname(createRequire(import.meta.url).resolve('electron/package.json'));
  const pathFile = join(dir, 'path.txt');
  if (!existsSync(pathFile)) return null;
  const binary = join(dir, 'dist', readFileSync(pathFile, 'utf8').trim());
  return existsSync(binary) ? binary : null;
}
