/**
 * Many titles at once, in a real browser: chosen with the keyboard alone and with a pointer, paused, removed; what sharing
 * does with them; and a folder that is imported. The node is the look-alike of the transports' tests, with a library that
 * changes.
 */
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { AceError } from '../../shared/errors.ts';
import type { ContentView } from '../../shared/rpc/content.ts';
import { browserPath, ROOT } from '../helpers/browser.ts';
import { FAKE_TOKEN, startFakeNode } from '../helpers/fake-node.ts';
import { connected, type Language } from '../helpers/pages.ts';
import { expectAccessible, useStage } from '../helpers/use-stage.ts';

const TITLES = 5_000;
const MIB = 1_048_576;
const stage = useStage();

const WORDS = {
  en: {
    select: 'Select Film 4999.mp4',
    three: '3 selected',
    hidden: '18 selected, 3 of them not found by the search',
    all: '5,000 selected',
    title: 'Remove 3 titles?',
    free: '5\u00a0MiB become free on this disk.',
    own: 'Your own files stay where they are.',
    removed: 'Removed: 2 · Not done: 1',
    paused: 'Sharing paused: 2',
    now: '2 peers 1.5\u00a0MiB/s',
    got: 'you got 0.0310 XAC',
    report: 'Imported “films”',
    figures: '1 added · 2 not added',
    left: ['notes.txt Neither video nor sound: by itself it can be imported.', 'b.mp4 The file is empty.'],
  },
  ru: {
    select: 'Выбрать «Film 4999.mp4»',
    three: 'Выбрано: 3',
    hidden: 'Выбрано: 18, из них не найдено поиском: 3',
    all: 'Выбрано: 5\u00a0000',
    title: 'Удалить 3 видео?',
    free: 'На диске освободится 5\u00a0МиБ.',
    own: 'Ваши собственные файлы останутся на месте.',
    removed: 'Удалено: 2 · Не удалось: 1',
    paused: 'Отдача приостановлена: 2',
    now: '2 пира 1,5\u00a0МиБ/с',
    got: 'вы получили 0,0310 XAC',
    report: 'Импорт «films» завершён',
    figures: 'добавлено: 1 · не добавлено: 2',
    left: ['notes.txt Не видео и не звук; по отдельности импортировать можно.', 'b.mp4 Файл пуст.'],
  },
} as const;

/** Film 4997 cannot be removed; Film 4998 goes to two peers and has brought something. */
async function aNode(): Promise<string> {
  const node = await startFakeNode({ video: join(ROOT, 'resources/sample-clip.mp4') });
  stage.onClose(() => node.close());
  const { service } = node;
  const [clip] = await service.contents();
  if (!clip) throw new Error('The look-alike has no clip');
  const titleOf = (i: number): ContentView => ({
    ...clip,
    contentId: idOf(i),
    name: `Film ${i}.mp4`,
    addedAtMs: i + 1,
    sizeBytes: 5 * MIB,
    haveBytes: 5 * MIB,
    origin: 'imported',
    servedUnits: i % 7,
    sourcePath: i % 2 === 0 ? `/films/Film ${i}.mp4` : null,
  });
  let titles = Array.from({ length: TITLES }, (_, i) => titleOf(i));
  const change = (next: ContentView[]) => {
    titles = next;
    service.emit('contents', titles);
  };
  service.contents = async () => titles;
  Object.assign(service, {
    async deleteContent({ contentId }: { contentId: string }) {
      if (contentId === idOf(4_997)) throw new AceError('ContentInUse', 'It plays');
      change(titles.filter((title) => title.contentId !== contentId));
      return {};
    },
    async pauseContent({ contentId, paused }: { contentId: string; paused: boolean }) {
      change(titles.map((title) => (title.contentId === contentId ? { ...title, paused } : title)));
      return titles[0];
    },
  });
  service.earnedByTitle = async () => [
    { contentId: idOf(4_998), earnedXac: '0.0300000', repaidXac: '0.0010000', earnedXas: '0.0000000' },
  ];
  service.filesIn = async ({ path }) => ({
    files: [`${path}/a.mp4`, `${path}/b.mp4`],
    leftOut: [{ path: `${path}/notes.txt`, why: 'no-media' }],
  });
  service.importFile = async ({ path }) => {
    if (path === '/films')
      throw new AceError('FileUnreadable', 'A folder', { details: { reason: 'folder' } });
    if (path.endsWith('b.mp4')) throw new AceError('ContentEmpty', 'It is empty');
    const added = { ...titleOf(TITLES), name: 'a.mp4' };
    change([...titles, added]);
    return added;
  };
  const moving = setInterval(() => {
    service.emit('traffic', {
      atMs: Date.now(),
      ...{ downBytesPerSecond: 0, upBytesPerSecond: 1.5 * MIB, overheadBytesPerSecond: 0 },
      today: { downBytes: 0, upBytes: 0 },
      peers: [],
      contents: [
        {
          ...{ contentId: idOf(4_998), name: 'Film 4998.mp4', sentBytes: 312 * MIB, viewers: 2 },
          ...{ downBytesPerSecond: 0, upBytesPerSecond: 1.5 * MIB },
        },
      ],
    });
  }, 250);
  stage.onClose(() => clearInterval(moving));
  return `${node.url}#token=${FAKE_TOKEN}`;
}

function idOf(i: number): string {
  const letters = String(i)
    .padStart(52, '0')
    .replace(/\d/g, (digit) => 'abcdefghij'[Number(digit)] ?? '');
  return `bafkrei${letters}`;
}

const row = (page: Page, i: number) => page.locator(`[data-content-id="${idOf(i)}"]`);
const box = (page: Page, i: number) => row(page, i).getByTestId('select');
const count = (page: Page) => page.getByTestId('selected-count').textContent();
const focus = (page: Page) =>
  page.evaluate<string>(`(() => {
    const { activeElement } = document;
    return [activeElement.closest('[data-content-id]')?.dataset.contentId, activeElement.dataset.testid].join(' ');
  })()`);

async function choosesByKeyboard(page: Page, words: (typeof WORDS)[Language]): Promise<void> {
  await page.getByTestId('library-search').focus();
  await page.keyboard.press('Tab');
  await page.keyboard.press('Tab');
  expect(await focus(page)).toBe(`${idOf(4_999)} select`);
  expect(await box(page, 4_999).getAttribute('aria-label')).toBe(words.select);
  await page.keyboard.press('Space');
  await page.keyboard.press('Shift+ArrowDown');
  await expect.poll(() => focus(page)).toBe(`${idOf(4_998)} select`);
  await page.keyboard.press('Shift+ArrowDown');
  await expect.poll(() => count(page)).toBe(words.three);
  // The list's other end and back: what was chosen is still so.
  await page.keyboard.press('End');
  await expect.poll(() => focus(page)).toBe(`${idOf(0)} select`);
  await expect.poll(() => box(page, 0).isVisible()).toBe(true);
  await page.keyboard.press('Home');
  await expect.poll(() => focus(page)).toBe(`${idOf(4_999)} select`);
  expect(await box(page, 4_997).isChecked()).toBe(true);
  expect(await box(page, 4_996).isChecked()).toBe(false);

  await page.getByTestId('library-search').fill('film 432');
  await expect.poll(() => page.getByTestId('library-item').count()).toBe(15);
  await box(page, 4_320).focus();
  await page.keyboard.press('Control+a');
  await expect.poll(() => count(page)).toBe(words.hidden);
  await expectAccessible(page);
  await page.keyboard.press('Escape');
  await expect.poll(() => count(page)).toBe('');
  await page.getByTestId('library-search').fill('');
  await box(page, 4_999).focus();
  await page.keyboard.press('Control+a');
  await expect.poll(() => count(page)).toBe(words.all);
  await page.keyboard.press('Escape');
  await expect.poll(() => count(page)).toBe('');
}

async function removesAndPauses(page: Page, words: (typeof WORDS)[Language]): Promise<void> {
  await box(page, 4_996).click();
  await box(page, 4_998).click({ modifiers: ['Shift'] });
  await expect.poll(() => count(page)).toBe(words.three);
  await expectAccessible(page);
  await page.getByTestId('selected-remove').click();
  const dialog = page.getByTestId('remove-many-dialog');
  await dialog.getByText(words.title).waitFor();
  await dialog.getByText(words.free).waitFor();
  await dialog.getByText(words.own).waitFor();
  await expectAccessible(page);
  await page.getByTestId('remove-many-confirm').click();
  const outcome = page.getByTestId('selected-outcome');
  await outcome.getByText(words.removed).waitFor();
  expect(await outcome.locator('li').allTextContents()).toHaveLength(1);
  expect(await outcome.locator('li').textContent()).toContain('Film 4997.mp4');
  await expectAccessible(page);
  await page.getByTestId('selected-outcome-close').click();
  await outcome.waitFor({ state: 'detached' });

  // What was not removed is still chosen.
  await box(page, 4_995).click();
  await page.getByTestId('selected-pause').click();
  await page.getByTestId('selected-outcome').getByText(words.paused).waitFor();
  await page.getByTestId('selected-resume').waitFor();
  expect(await page.getByTestId('selected-pause').count()).toBe(0);
  await page.getByTestId('selected-clear').click();
  await expect.poll(() => count(page)).toBe('');
}

describe.skipIf(browserPath === null)('many titles of a library of 5,000', () => {
  it.each<[Language, number]>([
    ['en', 1_180],
    ['ru', 390],
  ])(
    'are chosen, paused and removed together, and say what they bring, in %s, %i wide',
    async (language, width) => {
      const words = WORDS[language];
      const { page, troubles } = await stage.page(await aNode(), { language, width });
      await connected(page);
      await page.getByTestId('library-item').first().waitFor();
      await row(page, 4_998).getByTestId('library-now').waitFor();
      expect(await row(page, 4_998).getByTestId('library-now').textContent()).toBe(words.now);
      expect(await row(page, 4_998).textContent()).toContain(words.got);
      expect(await row(page, 4_999).getByTestId('library-now').count()).toBe(0);
      await choosesByKeyboard(page, words);
      await removesAndPauses(page, words);

      await page.getByTestId('paste').fill('/films');
      await page.getByTestId('paste-submit').click();
      const report = page.getByTestId('import-report');
      await report.getByText(words.report).waitFor();
      await report.getByText(words.figures).waitFor();
      expect(await report.locator('li').allTextContents()).toEqual(words.left);
      await expectAccessible(page);
      // It stays while something else is typed, until it is dismissed.
      await page.getByTestId('paste').fill('ace:');
      expect(await report.count()).toBe(1);
      await page.getByTestId('import-report-close').click();
      await report.waitFor({ state: 'detached' });
      expect(troubles).toEqual([]);
    },
  );
});
