/** What is photographed: a name for the file, the way there, and how it looks best. */
import type { Page } from 'playwright-core';
import type { PageOptions } from '../helpers/pages.ts';

export interface Shot {
  readonly name: string;
  readonly view: string;
  readonly options?: PageOptions;
  /** Once the view is there: what has to happen before the picture. */
  readonly prepare?: (page: Page) => Promise<unknown>;
  /** Of the node that watches on credit. */
  readonly owing?: boolean;
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

/** By title, once something of it is settled. */
const settled = async (page: Page) => {
  await page.getByTestId('sharing-tab-title').click();
  await page.getByTestId('sharing-row').first().waitFor();
};

const phrase = async (page: Page) => {
  await page.getByTestId('first-begin').click();
  await page.getByTestId('first-create').click();
  await page.getByTestId('phrase').waitFor();
};

/** What a swap would do, worked out. */
const swap = async (page: Page) => {
  await page.getByTestId('wallet-tab-swap').click();
  await page.getByTestId('swap-sell').selectOption('XAT');
  await page.getByTestId('swap-amount').fill('0.5');
  await page.getByTestId('swap-look').click();
  await page.getByTestId('quote').waitFor();
};
const receive = (page: Page) => page.getByTestId('wallet-tab-receive').click();
const settlement = async (page: Page) => {
  await statement(page);
  await page.getByTestId('settlement').last().getByRole('link').click();
  await page.getByTestId('settlement-hash').waitFor();
};
/** The newest day is open; its first peer is opened. */
const statement = async (page: Page) => {
  await page.getByTestId('group-open').first().click();
  await page.getByTestId('settlement').first().waitFor();
};
const operations = async (page: Page) => {
  await page.getByTestId('settlements-kind-operation').click();
  await page.getByTestId('operation').first().waitFor();
};
const planned = async (page: Page) => {
  await page.getByTestId('loan').first().waitFor();
  await page.getByTestId('top-up-page-amount').fill('3');
};

const DARK_RU: PageOptions = { theme: 'dark', language: 'ru' };
const NARROW: PageOptions = { width: 390, height: 844 };

/** Traffic first: while the peer still fetches, there is a line to draw. */
export const SHOTS: readonly Shot[] = [
  { name: 'traffic', view: 'traffic', prepare: flow, whole: true },
  { name: 'traffic-dark-ru', view: 'traffic', options: DARK_RU, prepare: flow, whole: true },
  { name: 'sharing', view: 'sharing', prepare: settled, whole: true },
  { name: 'sharing-dark-ru', view: 'sharing', options: DARK_RU, prepare: settled, whole: true },
  { name: 'sharing-narrow', view: 'sharing', options: NARROW, prepare: settled, whole: true },
  { name: 'watch', view: 'watch', prepare: play },
  { name: 'watch-dark-ru', view: 'watch', options: DARK_RU, prepare: play },
  { name: 'watch-narrow', view: 'watch', options: NARROW, prepare: play, whole: true },
  { name: 'wallet', view: 'wallet', prepare: receive, whole: true },
  { name: 'wallet-dark-ru', view: 'wallet', options: DARK_RU, prepare: swap, whole: true },
  { name: 'credit', view: 'credit', prepare: planned, owing: true, whole: true },
  { name: 'credit-dark-ru', view: 'credit', options: DARK_RU, prepare: planned, owing: true, whole: true },
  { name: 'settlements', view: 'settlements', prepare: statement },
  { name: 'settlements-narrow', view: 'settlements', options: NARROW, prepare: statement, whole: true },
  { name: 'settlement-dark-ru', view: 'settlements', options: DARK_RU, prepare: settlement },
  { name: 'operations', view: 'settlements', prepare: operations },
  { name: 'network-dark', view: 'network', options: { theme: 'dark' }, whole: true },
  { name: 'settings', view: 'settings', whole: true },
  { name: 'first-run', view: 'watch', firstRun: true },
  {
    name: 'first-run-phrase-dark',
    view: 'watch',
    options: { theme: 'dark' },
    firstRun: true,
    prepare: phrase,
  },
];
