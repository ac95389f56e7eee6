/**
 * The pages of a node that shares, in a real browser: what was sent to a viewer on credit is owed, with its age and title,
 * until the viewer has funds; and the same as a statement, from a day down to the record that the shard signed.
 */
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { browserPath, ROOT } from '../helpers/browser.ts';
import { fetchWhole, useDevnet } from '../helpers/devnet.ts';
import { connected, type Language } from '../helpers/pages.ts';
import { clientOf } from '../helpers/pages-world.ts';
import { expectAccessible, useStage } from '../helpers/use-stage.ts';

const WAIT = { timeout: 60_000 };
const XAT = 10_000_000n;
const WORDS = {
  en: {
    owes: 'Who owes you',
    sent: /^You sent .* in the last 7\sdays\./,
    lent: 'sent on credit to',
    one: 'Settlement',
  },
  ru: {
    owes: 'Кто вам должен',
    sent: /^За последние 7\sдней отдано /,
    lent: 'отдано в кредит',
    one: 'Расчёт',
  },
} as const;
const stage = useStage();

const figure = (page: Page, testId: string, attribute: string) =>
  page
    .getByTestId(testId)
    .first()
    .getAttribute(attribute)
    .then((value) => Number(value));

describe.skipIf(browserPath === null)('a node that shares', () => {
  it.each<[Language, number]>([
    ['ru', 390],
    ['en', 1180],
  ])('sees who owes it what, and what came of it, in %s, %i wide', async (language, width) => {
    const words = WORDS[language];
    const net = await useDevnet({ settlementIntervalMs: 400 });
    const folder = stage.temporaryDir();
    const { address } = await stage.start(folder, ['--join', net.validator.multiaddr]);
    const film = join(stage.temporaryDir(), 'Harbour at dawn.mp4');
    copyFileSync(join(ROOT, 'resources/sample-clip.mp4'), film);
    const node = await clientOf(folder);
    const { contentId } = await node.call('importFile', { path: film });
    const borrower = await net.peer('borrower');
    const { page, troubles } = await stage.page(address, { language, width });
    await connected(page);
    const row = page.getByTestId('library-item').filter({ hasText: 'Harbour at dawn' });
    await row.waitFor(WAIT);
    await fetchWhole(borrower, contentId);
    // The library tells it without a reload, and does not call it paid.
    await row.getByTestId('library-sent').waitFor(WAIT);
    await page.getByTestId('nav-sharing').click();
    // What is settled on credit is owed, by whom and for what.
    await expect
      .poll(async () => {
        await node.call('settleNow', {});
        return figure(page, 'sharing-owed-units', 'data-units');
      }, WAIT)
      .toBeGreaterThan(3);
    expect(await page.getByTestId('sharing-debtors').textContent()).toContain(words.owes);
    expect(await page.getByTestId('debtor').count()).toBe(1);
    expect(await page.getByTestId('sharing-sentence').textContent()).toMatch(words.sent);
    expect(await page.getByTestId('sharing-earned').getAttribute('data-value')).toBe('0.0000000');
    await page.getByTestId('sharing-tab-title').click();
    await page.getByTestId('sharing-row').filter({ hasText: 'Harbour at dawn' }).waitFor();
    await page.getByTestId('sharing-tab-peer').click();
    expect(await figure(page, 'sharing-row', 'data-sent-bytes')).toBe(
      await figure(page, 'sharing-got', 'data-sent-bytes'),
    );
    await expectAccessible(page, 'sharing');

    // The statement, by keyboard: the newest day is open, its peer opens to the settlements.
    await page.getByTestId('nav-settlements').click();
    await page.getByTestId('statement-group').first().waitFor(WAIT);
    await page.getByTestId('group-open').first().press('Enter');
    await page.getByTestId('settlement').first().waitFor(WAIT);
    expect(await page.getByTestId('settlement').last().textContent()).toContain(words.lent);
    await expectAccessible(page, 'the statement');
    await page.getByTestId('settlements-by-title').click();
    await page.getByTestId('statement-group').filter({ hasText: 'Harbour at dawn' }).waitFor(WAIT);
    await page.getByTestId('group-open').first().click();
    await page.getByTestId('settlement').last().getByRole('link').press('Enter');
    // One name: in the address, over the record, and in exports.
    await page.getByTestId('settlement-hash').waitFor(WAIT);
    const name = new URL(page.url()).hash.replace('#/settlements/', '');
    expect(name).toMatch(/^s0-\d+$/);
    expect(await page.getByTestId('settlement-dialog').textContent()).toContain(`${words.one} ${name}`);
    expect(await page.getByTestId('record-statement-valid').getAttribute('data-valid')).toBe('true');
    await page.keyboard.press('Escape');
    await page.getByTestId('settlement-dialog').waitFor({ state: 'detached' });
    await page.getByTestId('day-open').first().click();
    expect(await page.getByTestId('statement-group').count()).toBe(0);

    // The viewer gets funds: its loan repays itself, and the sharer sees it.
    await page.getByTestId('nav-sharing').click();
    await net.topUp(borrower.account.address, 50n * XAT);
    await expect
      .poll(async () => {
        await node.call('settleNow', {});
        return page.getByTestId('sharing-debtors-empty').count();
      }, WAIT)
      .toBe(1);
    expect(Number(await page.getByTestId('sharing-repaid').getAttribute('data-value'))).toBeGreaterThan(0);
    await node.close();
    expect(troubles).toEqual([]);
  });
});
