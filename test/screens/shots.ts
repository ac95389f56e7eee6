/** What is photographed: a name for the file, the way there, and how it looks best. */
import type { Page } from 'playwright-core';
import type { PageOptions } from '../helpers/pages.ts';

export interface Shot {
  readonly name: string;
  readonly view: string;
  readonly options?: PageOptions;
  /** Once the view is there: what has to happen before the picture. */
  readonly prepare?: (page: Page) => Promise<unknown>;
  /** Of a node that has no wallet yet. */
  readonly firstRun?: boolean;
  /** The whole height of the view, not the window's. */
  readonly whole?: boolean;
}

const play = async (page: Page) => {
  await page.getByTestId('play').first().click();
  await page.getByTestId('player').waitFor();
  await page.waitForTimeout(6_000);
};
/** Long enough for a line in the chart. */
const flow = (page: Page) => page.waitForTimeout(25_000);

const phrase = async (page: Page) => {
  await page.getByTestId('first-begin').click();
  await page.getByTestId('first-create').click();
  await page.getByTestId('phrase').waitFor();
};

export const SHOTS: readonly Shot[] = [
  { name: 'first-run', view: 'watch', firstRun: true },
  {
    name: 'first-run-phrase-dark',
    view: 'watch',
    options: { theme: 'dark' },
    firstRun: true,
    prepare: phrase,
  },
  { name: 'watch', view: 'watch', prepare: play },
  { name: 'watch-dark', view: 'watch', options: { theme: 'dark' }, prepare: play },
  { name: 'watch-ru', view: 'watch', options: { language: 'ru' }, prepare: play },
  { name: 'watch-narrow', view: 'watch', options: { width: 380, height: 800 }, prepare: play, whole: true },
  { name: 'traffic', view: 'traffic', prepare: flow, whole: true },
  {
    name: 'traffic-dark-ru',
    view: 'traffic',
    options: { theme: 'dark', language: 'ru' },
    prepare: flow,
    whole: true,
  },
  { name: 'network', view: 'network', whole: true },
  { name: 'network-dark', view: 'network', options: { theme: 'dark' }, whole: true },
  { name: 'settings', view: 'settings', whole: true },
  { name: 'settings-dark-ru', view: 'settings', options: { theme: 'dark', language: 'ru' }, whole: true },
  { name: 'settings-narrow', view: 'settings', options: { width: 380, height: 800 }, whole: true },
];
