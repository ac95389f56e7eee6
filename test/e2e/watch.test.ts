/**
 * The main job as a person sees it: the sample clip played and paid, in a real browser on a headless node. In the test
 * project `electron` the same story runs in the desktop window.
 */
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { beforeEach, describe, expect, it } from 'vitest';
import { openApp, skipWithoutWindow } from '../helpers/app-window.ts';
import { ROOT } from '../helpers/browser.ts';
import { connected } from '../helpers/pages.ts';
import { useStage } from '../helpers/use-stage.ts';

const stage = useStage();

beforeEach(skipWithoutWindow);

describe('the main job', () => {
  it('plays the sample clip, and what was paid is settled', async () => {
    const { page, troubles } = await openApp(stage);
    await watchAndSettle(page);
    expect(new URL(page.url()).hash, 'the token does not stay in the address').not.toContain('token');
    expect(troubles).toEqual([]);
  });

  it('says what is wrong with what was typed, and forgets it afterwards', { tags: 'long' }, async () => {
    const { page } = await openApp(stage);
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
  // The network settles by itself at its own pace; a person can ask for it, unless nothing is left to settle by then.
  if (await settle.isEnabled()) await settle.click({ timeout: 2_000 }).catch(() => undefined);
  await expect.poll(() => settledUnits(page), { timeout: 60_000 }).toBeGreaterThan(before);
  // The list comes after its sum.
  await page.getByTestId('statement-group').first().waitFor();
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
