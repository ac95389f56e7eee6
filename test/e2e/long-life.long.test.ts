/** The pages of a node that has been at it for long: they open as fast, and what is in sight has all its rows. */
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { dayOf, startOfDay } from '../../main/util/local-day.ts';
import { MAX_GROUPS } from '../../shared/rpc/settlements.ts';
import { browserPath } from '../helpers/browser.ts';
import { seedLongLife } from '../helpers/long-life.ts';
import { longestTaskMs } from '../helpers/main-thread.ts';
import { connected, Stage } from '../helpers/pages.ts';

const TITLES = 5_000;
const SETTLEMENTS = 100_000;
const SEED_MS = 900_000;
/** Of the processor: a task that takes longer is felt as a page that does not answer. */
const LONGEST_TASK_MS = 200;
const STEPS = 40;

/** Each view, and what it shows when all of it has come. */
const VIEWS = {
  watch: 'play',
  sharing: 'sharing-sentence',
  traffic: 'period-down',
  wallet: 'account',
  credit: 'credit-text',
  settlements: 'statement-group',
  network: 'pools-table',
  settings: 'port-http-now',
} as const;

describe.skipIf(browserPath === null)('the pages of a node with 5,000 titles and 100,000 settlements', () => {
  const stage = new Stage();
  let address = '';
  let visit: Awaited<ReturnType<Stage['page']>> | null = null;

  beforeAll(async () => {
    const folder = stage.temporaryDir();
    await (await stage.start(folder)).stop();
    await seedLongLife(folder, join(stage.temporaryDir(), 'media'), {
      titles: TITLES,
      settlements: SETTLEMENTS,
      // The newest day is a whole one.
      untilMs: startOfDay(dayOf(Date.now())) - 1,
    });
    address = (await stage.start(folder)).address;
  }, SEED_MS);
  afterAll(() => stage.close());
  afterEach(async () => {
    const { page, troubles } = visit ?? {};
    visit = null;
    await page?.context().close();
    expect(troubles ?? []).toEqual([]);
  });

  async function open(view: keyof typeof VIEWS): Promise<Page> {
    visit = await stage.page(address);
    const { page } = visit;
    await connected(page);
    await page.getByTestId(`nav-${view}`).click();
    await page.getByTestId(VIEWS[view]).first().waitFor();
    return page;
  }

  it.each(Object.keys(VIEWS) as (keyof typeof VIEWS)[])('%s opens without a long task', async (view) => {
    const page = await open(view);
    const longestMs = await longestTaskMs(page, async () => {
      await page.reload();
      await connected(page);
      await page.getByTestId(VIEWS[view]).first().waitFor();
      // The library comes in any case: it stays where it is when another section is looked at.
      await page.getByTestId('library-scroll').waitFor({ state: 'attached' });
    });
    console.log(`${view}: the longest task of its load took ${Math.round(longestMs)} ms of the processor`);
    expect(longestMs).toBeLessThan(LONGEST_TASK_MS);
  });

  it('has its library in sight after a start at another section', async () => {
    const page = await open('settings');
    await page.reload();
    await page.getByTestId('library-scroll').waitFor({ state: 'attached' });
    await page.getByTestId('nav-watch').click();
    await page.getByTestId('play').nth(4).waitFor();
  });

  it('lists one by one to the end and back without a gap', async () => {
    const page = await open('settlements');
    await page.getByTestId('settlements-by-none').click();
    await noGap(page);
    const lastPx = await scrollTo(page, Number.MAX_SAFE_INTEGER);
    const steps = Array.from({ length: STEPS + 1 }, (_, step) => Math.round((lastPx * step) / STEPS));
    for (const px of [...steps, ...steps.toReversed()]) {
      await scrollTo(page, px);
      await noGap(page);
    }
    // As a person drags the bar: nobody waits for what was passed over.
    for (const px of steps) await scrollTo(page, px);
    await noGap(page);
    expect((await inSight(page)).rows.at(-1)?.seq).toBe(1);
  });

  it('has every settlement in one of its days, and every day’s in its groups', async () => {
    const page = await open('settlements');
    const days = page.getByTestId('statement-day');
    const counts = () => countsOf(page, 'statement-day');
    const earlier = page.getByTestId('statement-earlier');
    while ((await earlier.count()) > 0) {
      const before = await days.count();
      await earlier.click();
      await expect.poll(() => days.count()).toBeGreaterThan(before);
    }
    const all = await counts();
    expect(sum(all)).toBe(SETTLEMENTS);

    for (const by of ['peer', 'title'] as const) {
      await page.getByTestId(`settlements-by-${by}`).click();
      for (const index of [1, Math.floor(all.length / 2), all.length - 1]) {
        const day = days.nth(index);
        if ((await day.getByTestId('statement-group').count()) === 0)
          await day.getByTestId('day-open').click();
        await expect.poll(async () => sum(await countsOf(day, 'statement-group'))).toBe(all[index]);
        const group = day.getByTestId('statement-group').first();
        await group.getByTestId('group-open').click();
        await expect
          .poll(() => group.getByTestId('settlement').count())
          .toBe(Number(await group.getAttribute('data-count')));
        await group.getByTestId('group-open').click();
      }
    }
    // The newest day was for more titles than are listed, which is said.
    await expect.poll(() => days.first().getByTestId('statement-group').count()).toBe(MAX_GROUPS);
    await days.first().getByTestId('groups-most').waitFor();
  });
});

interface Row {
  readonly index: number;
  readonly top: number;
  readonly bottom: number;
  /** `null`: it has no content yet. */
  readonly seq: number | null;
}

const IN_SIGHT = `(() => {
  const list = document.querySelector('[data-testid=settlement-list]').getBoundingClientRect();
  const rows = [...document.querySelectorAll('[data-testid=settlement-list] [role=row]')].map((row) => {
    const { top, bottom } = row.getBoundingClientRect();
    const seq = row.querySelector('[data-seq]')?.dataset.seq;
    return { index: Number(row.getAttribute('aria-rowindex')) - 2, top, bottom, seq: seq === undefined ? null : Number(seq) };
  });
  const seen = rows.filter(({ top, bottom }) => bottom > list.top + 1 && top < list.bottom - 1);
  return { top: list.top, bottom: list.bottom, rows: seen.sort((a, b) => a.top - b.top) };
})()`;

function inSight(page: Page): Promise<{ top: number; bottom: number; rows: Row[] }> {
  return page.evaluate(IN_SIGHT);
}

/** Where it came to. */
function scrollTo(page: Page, px: number): Promise<number> {
  return page.evaluate(`(() => {
    const list = document.querySelector('[data-testid=settlement-list]');
    list.scrollTop = ${px};
    return list.scrollTop;
  })()`);
}

/** Rows cover the list from top to bottom, one after the other, and each has the settlement of its place. */
async function noGap(page: Page): Promise<void> {
  await expect.poll(async () => gapIn(await inSight(page))).toBeNull();
}

function gapIn({ top, bottom, rows }: Awaited<ReturnType<typeof inSight>>): string | null {
  const [first, last] = [rows[0], rows.at(-1)];
  if (!first || !last) return 'no row at all';
  if (first.top > top + 1) return `nothing above row ${first.index}`;
  if (last.bottom < bottom - 5 && last.index < SETTLEMENTS - 1) return `nothing below row ${last.index}`;
  for (const [i, row] of rows.entries()) {
    const before = rows[i - 1];
    if (row.seq !== SETTLEMENTS - row.index) return `row ${row.index} shows settlement ${row.seq}`;
    if (before && Math.abs(row.top - before.bottom) > 1)
      return `something between rows ${before.index} and ${row.index}`;
  }
  return null;
}

async function countsOf(place: Pick<Page, 'getByTestId'>, testid: string): Promise<number[]> {
  const found = await place.getByTestId(testid).all();
  return Promise.all(found.map(async (one) => Number(await one.getAttribute('data-count'))));
}

function sum(counts: readonly number[]): number {
  return counts.reduce((all, count) => all + count, 0);
}
