/**
 * The money pages of a real node in a real browser: traffic becomes settlements and loans, the credit runs out, a top-up
 * repays it, and every figure opens down to the record that was signed. The peers are real, over loopback.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { connect } from '../../main/rpc/ws-client.ts';
import { parseAmount } from '../../shared/economy/money.ts';
import { browserPath, ROOT } from '../helpers/browser.ts';
import { MIB, useDevnet } from '../helpers/devnet.ts';
import { makeFile } from '../helpers/files.ts';
import { axeFindings, connected, type Language, type Theme } from '../helpers/pages.ts';
import { expectAccessible, useStage } from '../helpers/use-stage.ts';

const CREDIT_UNITS = 30;
const WAIT = { timeout: 60_000 };
const stage = useStage();

/** A viewer without funds, and a provider that has the clip and more than the credit buys. */
async function viewer() {
  const net = await useDevnet({ trafficCreditLimitUnits: CREDIT_UNITS, settlementIntervalMs: 500 });
  const provider = await net.peer('provider');
  const clip = await provider.import({ path: join(ROOT, 'resources/sample-clip.mp4') });
  const film = await provider.import({ path: await makeFile(join(net.dir, 'film.bin'), 60 * MIB) });
  const { address } = await stage.start(stage.temporaryDir(), ['--join', net.validator.multiaddr]);
  return { address, clip: clip.contentId, film: film.contentId, provider };
}

describe.skipIf(browserPath === null)('the money pages', () => {
  it('show traffic become loans, a top-up repay them, and the records behind it', async () => {
    const { address, clip, film, provider } = await viewer();
    const { page, troubles } = await stage.page(address);
    await connected(page);

    // Without funds what is watched is on credit.
    await play(page, `ace:${clip}`);
    await expect.poll(() => numberOf(page, 'paid-units', 'data-units'), WAIT).toBeGreaterThan(0);
    await open(page, 'settlements');
    await oneByOne(page);
    await settleUntil(page, () => page.getByTestId('settlement').count(), 1);
    expect(await page.getByTestId('settlement').first().textContent()).toContain('on credit from');

    // More than the credit buys: it stops there, and says so.
    const { origin, hash } = new URL(address);
    const program = await connect(`${origin}/`, decodeURIComponent(hash.replace('#token=', '')));
    await program.call('play', { contentId: film, download: true }).finally(() => program.close());
    await page.getByTestId('paused-notice').waitFor(WAIT);
    await open(page, 'credit');
    await expect.poll(() => usedUnits(page), WAIT).toBe(CREDIT_UNITS);
    await page.getByTestId('credit-used-up').waitFor(WAIT);
    expect(await page.getByTestId('loan').count()).toBe(1);
    expect(await numberOf(page, 'run-out-credit', 'data-units')).toBe(0);

    // One step: the sum that repays it all is worked out already.
    await page.getByTestId('top-up-page-suggestion-0').click();
    await expect.poll(() => page.getByTestId('repayment').count(), WAIT).toBeGreaterThanOrEqual(1);
    expect(await page.getByTestId('top-up-result').textContent()).toContain('arrived');
    const repaid = await page
      .getByTestId('repayment')
      .evaluateAll((rows) => rows.map((row) => Number(row.getAttribute('data-units'))));
    expect(repaid.reduce((sum, units) => sum + units, 0)).toBeGreaterThanOrEqual(CREDIT_UNITS);

    // From the loan's repayment to the record that the shard signed.
    await page.getByTestId('repayment').first().getByRole('link').click();
    const dialog = page.getByTestId('settlement-dialog');
    await dialog.getByTestId('settlement-repaid').waitFor(WAIT);
    expect(await dialog.getByTestId('record-statement-valid').getAttribute('data-valid')).toBe('true');
    expect(await dialog.getByTestId('settlement-hash').textContent()).toMatch(/^[0-9a-f]{64}$/);
    await dialog.getByTestId('record-statement').locator('summary').click();
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'detached' });

    // The filter, and the sums of what passes it.
    await page.getByTestId('settlements-kind-repayment').click();
    await page.waitForURL(/kind=repayment/);
    await expect
      .poll(() => page.getByTestId('settlement').allTextContents(), WAIT)
      .toSatisfy(
        (rows: string[]) => rows.length > 0 && rows.every((text) => text.includes('loan repaid to')),
      );
    await page.getByTestId('settlements-account').fill(provider.account.address.slice(0, 12));
    await page.getByTestId('settlements-account').press('Enter');
    await page.waitForURL(new RegExp(provider.account.address));
    await expect.poll(() => numberOf(page, 'settlements-count', 'data-count'), WAIT).toBeGreaterThan(0);
    await page.getByTestId('settlements-account').fill('0xnobody');
    await page.getByTestId('settlements-account').press('Enter');
    await page.getByText('No account with settlements here').waitFor();
    await page.getByTestId('settlements-clear').click();

    // A settlement of traffic, down to its channel and the checkpoint that both signed.
    await page.getByTestId('settlements-kind-loan').click();
    // The rows of the filter before stand there until those of this one have come.
    await expect
      .poll(() => page.getByTestId('settlement').allTextContents(), WAIT)
      .toSatisfy(
        (rows: string[]) => rows.length > 0 && rows.every((text) => text.includes('on credit from')),
      );
    await page.getByTestId('settlement').last().getByRole('link').click();
    await dialog.getByTestId('settlement-credit').waitFor(WAIT);
    // It was repaid above, and says so.
    expect(await dialog.getByTestId('settlement-loan').textContent()).toBe('On credit, and repaid since.');
    await expect.poll(() => dialog.getByTestId('settled-channel').count(), WAIT).toBeGreaterThan(0);
    for (const record of await dialog.locator('[data-testid$=-valid]').all())
      expect(await record.getAttribute('data-valid')).toBe('true');
    await dialog.getByRole('button', { name: 'Close' }).click();
    await dialog.waitFor({ state: 'detached' });

    // The same books as a file.
    await page.getByTestId('export-open').click();
    await page.getByTestId('export-hledger').check();
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByTestId('export-save').click(),
    ]);
    expect(download.suggestedFilename()).toMatch(/\.journal$/);
    const saved = await readFile(await download.path(), 'utf8');
    expect(saved).toContain(provider.account.address);
    await page.getByTestId('export-dialog').getByRole('button', { name: 'Close' }).click();

    // From the balance to what made it: the top-up, and the loans that it repaid.
    await open(page, 'wallet');
    await page.getByTestId('explain-services-XAT').click();
    await expect.poll(() => page.getByTestId('entry').count(), WAIT).toBeGreaterThanOrEqual(2);
    const changes = await page
      .getByTestId('entry')
      .evaluateAll((rows) => rows.map((row) => row.getAttribute('data-change') ?? ''));
    const left = changes.reduce((sum, change) => sum + baseUnits(change), 0n);
    expect(left).toBe(baseUnits((await balance(page, 'XAT')) ?? ''));
    expect(await axeFindings(page)).toEqual([]);
    await page.getByTestId('entries-dialog').getByRole('link', { name: 'the settlement' }).first().click();
    await dialog.getByTestId('settlement-hash').waitFor(WAIT);
    expect(troubles).toEqual([]);
  });

  it('send, swap, mint and sell nothing before they have shown exactly what it does', async () => {
    const { address, provider } = await viewer();
    const { page, troubles } = await stage.page(address);
    await connected(page);
    await open(page, 'wallet');
    await page.getByTestId('top-up-page-amount').fill('2');
    await page.getByTestId('top-up-page-submit').click();
    await expect.poll(() => balance(page, 'XAT'), WAIT).toBe('2.0000000');

    // From what is spent to what is kept, and a part of it back.
    for (const [kind, amount] of [
      ['withdraw', '2'],
      ['deposit', '0,5'],
    ] as const) {
      await page.getByTestId(`wallet-tab-${kind}`).click();
      await page.getByTestId(`${kind}-amount`).fill(amount);
      await page.getByTestId(`${kind}-look`).click();
      await page.getByTestId(`${kind}-act`).click(WAIT);
      await page.getByTestId(`${kind}-done`).waitFor(WAIT);
    }
    await expect.poll(() => held(page, 'main', 'XAT'), WAIT).toBe('1.5000000');
    expect(await balance(page, 'XAT')).toBe('0.5000000');

    await page.getByTestId('wallet-tab-receive').click();
    const own = (await page.getByTestId('receive-address').textContent()) ?? '';
    expect(own.toLowerCase()).toMatch(/^0x[0-9a-f]{40}$/);
    await page.getByTestId('qr').waitFor();

    // One clear word about what is wrong, and nothing moved.
    await page.getByTestId('wallet-tab-send').click();
    await page.getByTestId('send-to').fill('0x12');
    await page.getByTestId('send-amount').fill('0,5');
    await page.getByTestId('send-look').click();
    await page.getByTestId('send-failure').waitFor(WAIT);
    expect(await page.getByTestId('send-to').getAttribute('aria-invalid')).toBe('true');
    await page.getByTestId('send-to').fill(provider.account.address);
    await page.getByTestId('send-amount').fill('3');
    await page.getByTestId('send-look').click();
    await page.getByTestId('send-failure').waitFor(WAIT);
    await page.getByTestId('send-amount').fill('0,5');
    await page.getByTestId('send-look').click();
    await page.getByTestId('quote').waitFor(WAIT);
    expect(await page.getByTestId('quote-gives-XAT').textContent()).toBe('−0.5000000\u00a0XAT');
    expect(await page.getByTestId('quote-after-main-XAT').textContent()).toBe('1.0000000\u00a0XAT kept');
    // Another amount is another quote.
    await page.getByTestId('send-amount').fill('0.25');
    await page.getByTestId('quote').waitFor({ state: 'detached' });
    await page.getByTestId('send-look').click();
    await page.getByTestId('send-act').click(WAIT);
    await page.getByTestId('send-done').waitFor(WAIT);
    await expect.poll(() => held(page, 'main', 'XAT'), WAIT).toBe('1.2500000');
    expect(await balance(page, 'XAT')).toBe('0.5000000');
    expect(troubles).toEqual([]);
  });

  it.each<[Language, Theme, number]>([
    ['ru', 'dark', 380],
    ['en', 'light', 1180],
    ['ru', 'dark', 1180],
    ['en', 'dark', 380],
    ['ru', 'light', 380],
  ])('are read aloud, seen and fit: %s, %s, %i wide', async (language, theme, width) => {
    const { address, clip } = await viewer();
    const { page, troubles } = await stage.page(address, { language, theme, width });
    await connected(page);
    await play(page, `ace:${clip}`);
    await expect.poll(() => numberOf(page, 'paid-units', 'data-units'), WAIT).toBeGreaterThan(0);
    await open(page, 'settlements');
    await oneByOne(page);
    await settleUntil(page, () => page.getByTestId('settlement').count(), 1);
    await expectAccessible(page, 'settlements');
    await page.getByTestId('settlement').first().getByRole('link').press('Enter');
    await page.getByTestId('settlement-hash').waitFor(WAIT);
    await expectAccessible(page, 'one settlement');
    await page.keyboard.press('Escape');
    await page.getByTestId('settlement-dialog').waitFor({ state: 'detached' });
    await open(page, 'credit');
    await page.getByTestId('loan').first().waitFor(WAIT);
    await expectAccessible(page, 'credit');
    await open(page, 'wallet');
    for (const tab of ['topup', 'deposit', 'withdraw', 'receive', 'send', 'swap', 'mint', 'access']) {
      await page.getByTestId(`wallet-tab-${tab}`).click();
      await expectAccessible(page, `wallet, ${tab}`);
    }
    expect(troubles).toEqual([]);
  });
});

async function open(page: Page, view: string): Promise<void> {
  await page.getByTestId(`nav-${view}`).click();
}

/** Each settlement by itself, as soon as there is one. */
async function oneByOne(page: Page): Promise<void> {
  await settleUntil(page, () => page.getByTestId('settlements-by-none').count(), 1);
  await page.getByTestId('settlements-by-none').click();
}

async function play(page: Page, link: string): Promise<void> {
  await page.getByTestId('paste').fill(link);
  await page.getByTestId('paste-submit').click();
}

/** Asks for a settlement until there is enough of it: the network settles at its own pace, too. */
async function settleUntil(page: Page, count: () => Promise<number>, least: number): Promise<void> {
  await expect
    .poll(async () => {
      const settle = page.getByTestId('settle-now');
      if (await settle.isEnabled()) await settle.click({ timeout: 2_000 }).catch(() => undefined);
      return count();
    }, WAIT)
    .toBeGreaterThanOrEqual(least);
}

async function numberOf(page: Page, testId: string, attribute: string): Promise<number> {
  const element = page.getByTestId(testId);
  return (await element.count()) === 0 ? 0 : Number(await element.first().getAttribute(attribute));
}

const usedUnits = (page: Page) => numberOf(page, 'credit-text', 'data-used-units');

async function held(page: Page, place: 'main' | 'services', token: string): Promise<string | null> {
  return page.getByTestId(`held-${place}-${token}`).getAttribute('data-value');
}

/** What there is to spend. */
function balance(page: Page, token: string): Promise<string | null> {
  return held(page, 'services', token);
}

function baseUnits(amount: string): bigint {
  return amount.startsWith('-') ? -parseAmount(amount.slice(1)) : parseAmount(amount);
}
