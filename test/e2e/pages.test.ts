/** The pages of a real node with a real peer, in a real browser: what people do on them, and what must hold on each. */
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { browserPath, ROOT } from '../helpers/browser.ts';
import {
  axeFindings,
  connected,
  type Language,
  Stage,
  sidewaysScroll,
  type Theme,
} from '../helpers/pages.ts';
import { makeWorld } from '../helpers/pages-world.ts';
import { itInTiers } from '../helpers/tiers.ts';
import { useStage } from '../helpers/use-stage.ts';

const VIEWS = ['watch', 'sharing', 'traffic', 'network', 'settings'] as const;
/** Those whose parts the others have, too: `npm test` looks at no more. */
const AXE_SOON: ReadonlySet<string> = new Set(['watch', 'settings']);
/** What a person has to wait at most until the page can be used. */
const INTERACTIVE_MS = 1_000;

describe.skipIf(browserPath === null)('the pages of a node that is at work', () => {
  const world = new Stage();
  let address = '';
  let visit: Awaited<ReturnType<Stage['page']>> | null = null;

  beforeAll(async () => {
    address = (await makeWorld(world)).address;
  }, 90_000);
  afterAll(() => world.close());
  afterEach(async () => {
    const { page, troubles } = visit ?? {};
    visit = null;
    await page?.context().close();
    expect(troubles ?? []).toEqual([]);
  });

  async function open(view: string, options: Parameters<Stage['page']>[1] = {}): Promise<Page> {
    visit = await world.page(address, options);
    await connected(visit.page);
    await visit.page.getByTestId(`nav-${view}`).click();
    return visit.page;
  }

  describe.each(VIEWS)('%s', (view) => {
    // Each language and each theme once, English in light below: colours do not depend on words.
    itInTiers<[Language, Theme]>(
      AXE_SOON.has(view)
        ? { quick: [['en', 'dark']], long: [['ru', 'light']] }
        : {
            quick: [],
            long: [
              ['en', 'dark'],
              ['ru', 'light'],
            ],
          },
    )('has nothing that axe finds, in %s and %s', async (language, theme) => {
      const page = await open(view, { language, theme });
      await settled(page, view);
      for (const summary of await page.locator('main summary:visible').all()) await summary.click();
      expect(await axeFindings(page)).toEqual([]);
    });

    it('fits a narrow window', { tags: 'long' }, async () => {
      const page = await open(view, { width: 380, height: 800 });
      await settled(page, view);
      expect(await sidewaysScroll(page)).toBe(false);
      expect(await axeFindings(page)).toEqual([]);
    });
  });

  it('can be used within a second of opening', { tags: 'long' }, async () => {
    const page = await open('watch');
    const times: number[] = [];
    for (let i = 0; i < 3; i++) {
      await page.reload({ waitUntil: 'commit' });
      await page.locator('[data-testid=play]:enabled').first().waitFor();
      times.push(await page.evaluate(() => performance.now()));
    }
    console.log(`interactive after ${times.map(Math.round).join(', ')} ms`);
    expect(Math.min(...times)).toBeLessThan(INTERACTIVE_MS);
  });

  it('speaks another language at once and keeps it, as it keeps the theme', async () => {
    const page = await open('settings');
    await page.getByTestId('language-ru').click();
    expect(await page.locator('h1:visible').textContent()).toBe('Настройки');
    expect(await page.getByTestId('connection').textContent()).toMatch(/На связи · \d+ пир/);
    await page.getByTestId('theme-dark').click();
    const background = () => page.evaluate<string>('getComputedStyle(document.body).backgroundColor');
    const dark = await background();
    await page.reload();
    await connected(page);
    expect(await page.locator('html').getAttribute('lang')).toBe('ru');
    expect(await page.title()).toBe('Настройки · Ace Node');
    expect(await background()).toBe(dark);
    await page.getByTestId('theme-light').click();
    expect(await background()).not.toBe(dark);
  });

  it('shows who sends, what it costs and what came, while a title plays', { tags: 'long' }, async () => {
    const page = await open('watch');
    await page.getByTestId('library-item').filter({ hasText: 'Sample clip' }).getByTestId('play').click();
    await page.getByTestId('player').waitFor();
    await expect
      .poll(
        () =>
          page.getByTestId('player').evaluate((v) => (v as unknown as { currentTime: number }).currentTime),
        {
          timeout: 30_000,
        },
      )
      .toBeGreaterThan(2);
    // The node that watched the clip on credit has all of it too, and may send as well.
    expect(await page.getByTestId('provider').count()).toBeGreaterThanOrEqual(1);
    expect(await page.getByTestId('per-minute').textContent()).toMatch(/^0\.\d+ XAC$/);
    await expect.poll(() => page.getByTestId('today-down').textContent()).toMatch(/\d+\sMiB/);

    await page.getByTestId('nav-traffic').click();
    await expect
      .poll(async () => Number(await page.getByTestId('period-down').getAttribute('data-bytes')), {
        timeout: 20_000,
      })
      .toBeGreaterThan(1_000_000);
    // At least one that sends to us, and one that fetches from us.
    await expect
      .poll(() => page.getByTestId('traffic-share').count(), { timeout: 20_000 })
      .toBeGreaterThanOrEqual(2);
    expect(Number(await page.getByTestId('period-overhead').getAttribute('data-bytes'))).toBeGreaterThan(0);
    await page.getByTestId('traffic-tab-content').click();
    await page.getByTestId('traffic-share').filter({ hasText: 'Sample clip' }).waitFor();
    for (const period of ['month', 'all']) {
      await page.getByTestId(`traffic-period-${period}`).click();
      await expect
        .poll(async () => Number(await page.getByTestId('period-up').getAttribute('data-bytes')))
        .toBeGreaterThan(0);
    }
    await page.getByTestId('traffic-by-peer').click();
    expect(await page.getByTestId('traffic-chart').locator('canvas').count()).toBe(1);
  });

  it('imports what is chosen, what is dropped and what is typed, and removes it again', {
    tags: 'long',
  }, async () => {
    const page = await open('watch');
    const files = ['chosen', 'dropped', 'typed'].map((name) => {
      const path = join(world.temporaryDir(), `${name}.mp4`);
      writeFileSync(path, `${name}${'.'.repeat(100_000)}`);
      return path;
    });
    const [chosen = '', dropped = '', typed = ''] = files;
    await page.getByTestId('import-files').setInputFiles(chosen);
    await row(page, 'chosen.mp4').waitFor();

    const transfer = await page.evaluateHandle(`{
      const made = new DataTransfer();
      made.items.add(new File([${JSON.stringify(readFileSync(dropped, 'utf8'))}], 'dropped.mp4', { type: 'video/mp4' }));
      made;
    }`);
    await page.dispatchEvent('body', 'dragenter', { dataTransfer: transfer });
    await page.getByTestId('drop-target').waitFor();
    await page.dispatchEvent('body', 'drop', { dataTransfer: transfer });
    await row(page, 'dropped.mp4').waitFor();
    expect(await page.getByTestId('drop-target').count()).toBe(0);

    await page.getByTestId('paste').fill(typed);
    await page.getByTestId('paste').press('Enter');
    await row(page, 'typed.mp4').waitFor();

    // The sharing of one title is paused, and taken up again.
    for (const words of ['sharing paused', 'shared']) {
      await row(page, 'typed.mp4').getByTestId('library-menu').click();
      await page.getByTestId('pause').click();
      await row(page, 'typed.mp4').getByText(`· ${words}`).waitFor();
    }

    for (const name of ['chosen.mp4', 'dropped.mp4', 'typed.mp4']) {
      await row(page, name).getByTestId('library-menu').click();
      await page.getByTestId('remove').click();
      await page.getByTestId('remove-confirm').click();
      await row(page, name).waitFor({ state: 'detached' });
    }
    await page.getByTestId('paste').fill('/no/such/file.mp4');
    await page.getByTestId('paste-submit').click();
    expect(await page.getByTestId('library-error').textContent()).toContain('no such file');
  });

  it.each(['en', 'ru'] as const)(
    'says how the node is in two lines of a telephone, in %s',
    async (language) => {
      const page = await open('watch', { language, width: 390, height: 844 });
      await page.getByTestId('credit-left').waitFor();
      const strip = page.locator('header').first();
      expect((await strip.boundingBox())?.height).toBeLessThan(64);
    },
  );

  it('imports a folder that is dropped, with all that is in it, and says what it left out', {
    tags: 'long',
  }, async () => {
    const page = await open('watch');
    const folder = join(world.temporaryDir(), 'films');
    mkdirSync(join(folder, 'deep'), { recursive: true });
    writeFileSync(join(folder, 'first.mp4'), `first${'.'.repeat(100_000)}`);
    writeFileSync(join(folder, 'deep', 'second.mp4'), `second${'.'.repeat(100_000)}`);
    writeFileSync(join(folder, 'deep', 'notes.txt'), 'notes');
    // Only the browser itself can drag a folder in.
    const browser = await page.context().newCDPSession(page);
    const data = { items: [], files: [folder], dragOperationsMask: 1 };
    for (const type of ['dragEnter', 'dragOver', 'drop'] as const)
      await browser.send('Input.dispatchDragEvent', { type, x: 300, y: 300, data });
    const report = page.getByTestId('import-report');
    await report.getByText('Imported “films”').waitFor();
    await report.getByText('2 added · 1 not added').waitFor();
    expect(await report.locator('li').allTextContents()).toEqual([
      'deep/notes.txt Neither video nor sound: by itself it can be imported.',
    ]);
    for (const name of ['first.mp4', 'second.mp4']) {
      await row(page, name).getByTestId('library-menu').click();
      await page.getByTestId('remove').click();
      await page.getByTestId('remove-confirm').click();
      await row(page, name).waitFor({ state: 'detached' });
    }
  });

  it('tells of validators, peers, prices and pools', { tags: 'long' }, async () => {
    const page = await open('network');
    await page.getByTestId('peer').nth(1).waitFor();
    expect(await page.getByTestId('shards').textContent()).toContain('connected');
    expect(await page.getByTestId('market-chart').locator('canvas').count()).toBe(1);
    const pools = await page.getByTestId('pools-table').textContent();
    expect(pools).toContain('Locked');
    expect(pools).toMatch(/89,999,999,999\.\d+|90,000,000,000\.00/);
  });

  it('holds limits and a schedule as soon as they are set', { tags: 'long' }, async () => {
    const page = await open('settings');
    await page.getByTestId('download-limit-limit').click();
    await page.getByTestId('download-limit-value').fill('nothing');
    await page.getByTestId('download-limit-value').press('Enter');
    await page.getByText('Write a number from 0.032 to').waitFor();
    await page.getByTestId('download-limit-value').fill('3.5');
    await page.getByTestId('download-limit-value').press('Enter');
    await page.getByTestId('day-limit-limit').click();

    await page.getByTestId('schedule-add').click();
    await page.getByTestId('rule-upload-stop').click();
    await page.getByTestId('schedule-save').click();
    expect(await page.getByTestId('schedule-rule').textContent()).toContain('Mon–Fri, 08:00 to 18:00');
    expect(await page.getByTestId('schedule-rule').textContent()).toContain('upload stopped');

    await page.reload();
    await connected(page);
    expect(await page.getByTestId('download-limit-value').inputValue()).toBe('3.5');
    expect(await page.getByTestId('day-limit-value').inputValue()).toBe('10');
    await page
      .getByTestId('schedule-rule')
      .getByRole('button', { name: /^Remove/ })
      .click();
    await page.getByTestId('schedule-rule').waitFor({ state: 'detached' });
    await page.getByTestId('download-limit-stop').click();
    expect(await page.getByTestId('stop-download').textContent()).toContain('Downloading is paused');
    await page.getByTestId('download-limit-none').click();
    await page.getByTestId('day-limit-none').click();
    await page.getByTestId('stop-download').waitFor({ state: 'detached' });
  });

  it('shows the token when asked, and goes on with a new one', async () => {
    const page = await open('settings');
    await page.getByTestId('token-show').click();
    await expect.poll(() => page.getByTestId('token').getAttribute('type')).toBe('text');
    const token = await page.getByTestId('token').inputValue();
    expect(address).toContain(encodeURIComponent(token));
    await page.getByTestId('token-renew').click();
    await page.keyboard.press('Escape');
    await page.getByTestId('renew-dialog').waitFor({ state: 'detached' });
    await page.getByTestId('token-renew').click();
    await page.getByTestId('renew-confirm').click();
    await page.getByText('The key is a new one now.').waitFor();
    const renewed = await page.getByTestId('token').inputValue();
    expect(renewed).not.toBe(token);
    address = address.replace(/#token=.*/, `#token=${encodeURIComponent(renewed)}`);
    await connected(page);
    await page.reload();
    await connected(page);
  });

  it('is used with the keyboard alone', async () => {
    const page = await open('watch');
    await page.getByTestId('nav-watch').focus();
    for (const next of ['sharing', 'traffic', 'wallet', 'credit', 'settlements', 'network', 'settings']) {
      await page.keyboard.press('Tab');
      expect(await focusedTestId(page)).toBe(`nav-${next}`);
    }
    await page.keyboard.press('Enter');
    expect(await page.locator('h1:visible').textContent()).toBe('Settings');
    await page.getByTestId('theme-system').focus();
    await page.keyboard.press('ArrowRight');
    expect(await focusedTestId(page)).toBe('theme-light');
    expect(await page.getByTestId('theme-light').getAttribute('aria-checked')).toBe('true');

    await page.getByTestId('nav-watch').click();
    await page.getByTestId('library-menu').first().focus();
    await page.keyboard.press('Enter');
    await expect.poll(() => focusedTestId(page)).toBe('copy-link');
    await page.keyboard.press('Escape');
    await expect.poll(() => focusedTestId(page)).toBe('library-menu');
  });
});

describe.skipIf(browserPath === null)('a node that starts again under its page', () => {
  const stage = useStage();

  it('is noticed, and the page is right again by itself', { tags: 'long' }, async () => {
    const [folder, film] = [stage.temporaryDir(), join(stage.temporaryDir(), 'Film.mp4')];
    copyFileSync(join(ROOT, 'resources/sample-clip.mp4'), film);
    const first = await stage.start(folder);
    const { page } = await stage.page(first.address);
    await connected(page);
    const port = new URL(first.address).port;

    await first.stop();
    await page.getByText('The node does not answer.').first().waitFor();
    expect(await page.getByTestId('play').first().isDisabled()).toBe(true);
    await page.getByTestId('nav-traffic').click();
    await page.getByTestId('nav-watch').click();

    await stage.start(folder, ['--http-port', port]);
    await connected(page);
    await page.getByTestId('link-notice').waitFor({ state: 'detached' });
    await page.getByTestId('paste').fill(film);
    await page.getByTestId('paste-submit').click();
    await row(page, 'Film.mp4').waitFor();
  });
});

/** What a view shows has come. */
async function settled(page: Page, view: (typeof VIEWS)[number]): Promise<void> {
  const last = {
    watch: 'play',
    sharing: 'sharing-row',
    traffic: 'period-down',
    network: 'pools-table',
    settings: 'port-http-now',
  }[view];
  await page.getByTestId(last).first().waitFor();
}

function row(page: Page, name: string) {
  return page.getByTestId('library-item').filter({ hasText: name });
}

function focusedTestId(page: Page): Promise<string | undefined> {
  return page.evaluate('document.activeElement?.dataset.testid');
}
