/**
 * A long library, and what plays beside it, in a real browser. The node is the look-alike of the transports' tests: to
 * import 5,000 files for a list takes minutes, and the pages cannot tell.
 */
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import type { ContentView } from '../../shared/rpc/content.ts';
import { browserPath, ROOT } from '../helpers/browser.ts';
import { FAKE_TOKEN, startFakeNode } from '../helpers/fake-node.ts';
import { axeFindings, connected, sidewaysScroll } from '../helpers/pages.ts';
import { useStage } from '../helpers/use-stage.ts';

const TITLES = 5_000;
const stage = useStage();

/** Its pages, without and with the key in the address. */
async function aNode(): Promise<{ bare: string; address: string }> {
  const node = await startFakeNode({ video: join(ROOT, 'resources/sample-clip.mp4') });
  stage.onClose(() => node.close());
  const [clip] = await node.service.contents();
  if (!clip) throw new Error('The look-alike has no clip');
  const many = Array.from(
    { length: TITLES },
    (_, i): ContentView => ({
      ...clip,
      contentId: `bafkrei${String(i)
        .padStart(52, '0')
        .replace(/\d/g, (digit) => 'abcdefghij'[Number(digit)] ?? '')}`,
      name: `Film ${i}.mp4`,
      addedAtMs: i + 1,
      sizeBytes: (i + 1) * 1_000,
      servedUnits: i % 7,
    }),
  );
  node.service.contents = async () => [{ ...clip, addedAtMs: 0 }, ...many];
  return { bare: node.url, address: `${node.url}#token=${FAKE_TOKEN}` };
}

const names = (page: Page) =>
  page
    .getByTestId('library-item')
    .locator('.truncate')
    .allTextContents()
    .then((texts) => texts.map((text) => text.trim()));
const mainTop = (page: Page) => page.evaluate<number>('document.getElementById("main").scrollTop');
const inView = (page: Page, testId: string) =>
  page.evaluate<boolean>(`(() => {
    const { top, bottom } = document.querySelector('[data-testid=${testId}]').getBoundingClientRect();
    return top >= 0 && bottom <= innerHeight;
  })()`);

describe.skipIf(browserPath === null)('a library of 5,000 titles', () => {
  it('scrolls without a gap, and is searched and put in order', async () => {
    const { address } = await aNode();
    const { page, troubles } = await stage.page(address);
    await connected(page);
    await page.getByTestId('library-item').first().waitFor();
    expect((await names(page))[0]).toBe('Film 4999.mp4');
    expect(await page.getByTestId('library-item').count()).toBeLessThan(100);
    // The field for a link is above the titles.
    const fieldTop = (await page.getByTestId('paste').boundingBox())?.y ?? 0;
    expect(fieldTop).toBeLessThan((await page.getByTestId('library-item').first().boundingBox())?.y ?? 0);

    const list = page.getByTestId('library-scroll');
    await list.scrollIntoViewIfNeeded();
    for (const part of [0.3, 0.9, 0.5, 1]) {
      await list.evaluate((element, to) => {
        const scroller = element as unknown as { scrollTop: number; scrollHeight: number };
        scroller.scrollTop = scroller.scrollHeight * to;
      }, part);
      // Rows stand at the top and at the bottom of what is in sight, whatever was scrolled over.
      await expect.poll(() => gapPx(page)).toBeLessThan(2);
      await expect.poll(() => overlapPx(page)).toBeLessThan(1);
    }
    expect((await names(page)).at(-1)).toContain('Sample clip');

    await page.getByTestId('library-search').fill('film 4321');
    await expect.poll(() => names(page)).toEqual(['Film 4321.mp4']);
    expect(await page.getByTestId('library-found').textContent()).toBe('1 of 5,001 titles');
    await page.getByTestId('library-search').fill('no such title');
    await page.getByText('No title of the library has these words').waitFor();
    await page.getByTestId('library-search').fill('');
    await page.getByTestId('library-order-sent').click();
    await expect.poll(async () => (await names(page))[0]).toBe('Film 4997.mp4');
    await page.getByTestId('library-order-name').click();
    await expect.poll(async () => (await names(page)).slice(0, 2)).toEqual(['Film 0.mp4', 'Film 1.mp4']);
    expect(await axeFindings(page)).toEqual([]);
    await page.setViewportSize({ width: 390, height: 800 });
    expect(await sidewaysScroll(page)).toBe(false);
    expect(await axeFindings(page)).toEqual([]);
    expect(troubles).toEqual([]);
  });

  it('brings what is played into view, and names what does not start', async () => {
    const { address } = await aNode();
    const { page } = await stage.page(address, { height: 600 });
    await connected(page);
    await page.getByTestId('library-search').fill('clip');
    const play = page.getByTestId('library-item').filter({ hasText: 'Sample clip' }).getByTestId('play');
    await play.scrollIntoViewIfNeeded();
    expect(await mainTop(page)).toBeGreaterThan(0);
    await play.click();
    await page.getByTestId('player').waitFor();
    await expect.poll(() => mainTop(page)).toBe(0);

    await page.getByTestId('library-search').fill('film 4217');
    const other = page.getByTestId('library-item').filter({ hasText: 'Film 4217.mp4' }).getByTestId('play');
    await other.click();
    await page.getByTestId('player-error').waitFor();
    expect(await page.getByTestId('player-error').textContent()).toContain('“Film 4217.mp4” did not start');
    await expect.poll(() => inView(page, 'player-error')).toBe(true);
    // The clip plays on under its own name.
    expect(await page.getByTestId('player').getAttribute('aria-label')).toContain('Sample clip');
  });
});

describe.skipIf(browserPath === null)('what plays', () => {
  it('can be stopped from another section, and is remembered over a reload until then', async () => {
    const { address } = await aNode();
    const { page, troubles } = await stage.page(address, { height: 600 });
    await connected(page);
    expect(await page.getByTestId('play-last').count()).toBe(0);
    await page.getByTestId('library-search').fill('clip');
    await page.getByTestId('library-item').filter({ hasText: 'Sample clip' }).getByTestId('play').click();
    await page.getByTestId('player').waitFor();
    await page.evaluate('document.getElementById("main").scrollTop = 300');
    await page.getByTestId('nav-settings').click();
    expect(await mainTop(page)).toBe(0);
    await page.getByTestId('now-playing').getByText('Sample clip').waitFor();
    expect(await axeFindings(page)).toEqual([]);

    await page.reload();
    await connected(page);
    await page.getByTestId('nav-watch').click();
    await page.getByTestId('play-last').click();
    await page.getByTestId('player').waitFor();
    await page.getByTestId('nav-wallet').click();
    await page.getByTestId('now-playing-stop').click();
    await page.getByTestId('now-playing').waitFor({ state: 'detached' });
    expect(await page.getByTestId('player').count()).toBe(0);
    await page.reload();
    await connected(page);
    expect(await page.getByTestId('play-last').count()).toBe(0);
    expect(troubles).toEqual([]);
  });
});

describe.skipIf(browserPath === null)('the key to the node', () => {
  it('comes from another open tab, or is pasted, and is kept nowhere else', async () => {
    const { address, bare } = await aNode();
    const { page } = await stage.page(bare);
    await page.getByTestId('token-form').waitFor();
    expect(await page.getByTestId('connection').textContent()).toContain('No key to the node');
    expect(await page.getByTestId('link-notice').textContent()).toContain('ace-node token');
    expect(await axeFindings(page)).toEqual([]);
    await page.getByTestId('token-paste').fill('no key');
    await page.getByTestId('token-use').click();
    await page.getByText('That is not the key to a node').waitFor();
    await page.getByTestId('token-paste').fill(address);
    await page.getByTestId('token-use').click();
    await connected(page);

    const second = await page.context().newPage();
    await second.goto(bare);
    await connected(second);
    expect(await second.evaluate('Object.values(localStorage).join()')).not.toContain(FAKE_TOKEN);
    await second.close();
    await page.close();
    const third = await stage.page(bare);
    await third.page.getByTestId('token-form').waitFor();
  });
});

/** What of the list's window no row covers. */
function gapPx(page: Page): Promise<number> {
  return page.evaluate<number>(`(() => {
    const scroller = document.querySelector('[data-testid=library-scroll]');
    const { top, bottom } = scroller.getBoundingClientRect();
    // One row is made wherever it lies: the tab key stops there.
    const rows = [...scroller.querySelectorAll('li')]
      .map((row) => row.getBoundingClientRect())
      .filter((row) => row.bottom > top && row.top < bottom);
    const first = Math.min(...rows.map((row) => row.top));
    const last = Math.max(...rows.map((row) => row.bottom));
    return Math.max(0, first - top) + Math.max(0, bottom - last);
  })()`);
}

/** By how much rows lie on each other. */
function overlapPx(page: Page): Promise<number> {
  return page.evaluate<number>(`(() => {
    const rows = [...document.querySelectorAll('[data-testid=library-scroll] li')]
      .map((row) => row.getBoundingClientRect())
      .sort((a, b) => a.top - b.top);
    return Math.max(...rows.slice(1).map((row, i) => rows[i].bottom - row.top));
  })()`);
}
