/**
 * What a person does so that there is something to spend, and not too much of it is spent, in a real browser on a real node: a
 * top-up from each source, the automatic one, and limits of spending.
 */
import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { connect } from '../../main/rpc/ws-client.ts';
import { browserPath } from '../helpers/browser.ts';
import { useDevnet } from '../helpers/devnet.ts';
import { connected, type Language, type Theme } from '../helpers/pages.ts';
import { expectAccessible, useStage } from '../helpers/use-stage.ts';

const WAIT = { timeout: 60_000 };
const SOURCES = ['kept', 'faucet', 'mint', 'swap', 'receive'] as const;
const stage = useStage();

/** A node with something kept, and nothing to spend. */
async function keeper() {
  const net = await useDevnet({ settlementIntervalMs: 500 });
  const { address } = await stage.start(stage.temporaryDir(), ['--join', net.validator.multiaddr]);
  const { origin, hash } = new URL(address);
  const program = await connect(`${origin}/`, decodeURIComponent(hash.replace('#token=', '')));
  await program.call('topUp', { amountXat: '9', place: 'main' });
  await program.call('topUp', { amountXat: '9', token: 'XAB' }).finally(() => program.close());
  return address;
}

describe.skipIf(browserPath === null)('topping up on the pages', () => {
  it('asks where from, tells each step, and ends in what may be spent', async () => {
    const { page, troubles } = await stage.page(await keeper());
    await connected(page);
    await page.getByTestId('nav-wallet').click();

    await from(page, 'kept');
    await page.getByTestId('top-up-page-kept-amount').fill('2');
    await page.getByTestId('top-up-page-kept-look').click();
    await page.getByTestId('top-up-page-kept-act').click(WAIT);
    await expect.poll(() => held(page, 'services', 'XAT'), WAIT).toBe('2.0000000');
    expect(await page.getByTestId('top-up-result').textContent()).toContain('2.00\u00a0XAT arrived');

    await from(page, 'mint');
    await page.getByTestId('top-up-page-mint-amount').fill('1,5');
    await page.getByTestId('top-up-page-mint-look').click();
    expect(await page.getByTestId('top-up-page-mint-step-1').textContent(WAIT)).toContain(
      '1.5000000\u00a0XAT',
    );
    await page.getByTestId('top-up-page-mint-act').click(WAIT);
    await expect.poll(() => held(page, 'services', 'XAT'), WAIT).toBe('3.5000000');
    expect(await held(page, 'main', 'XAT')).toBe('7.0000000');

    await from(page, 'swap');
    await page.getByTestId('top-up-page-swap-amount').fill('1');
    await page.getByTestId('top-up-page-swap-look').click();
    await page.getByTestId('top-up-page-swap-step-2').waitFor(WAIT);
    await page.getByTestId('top-up-page-swap-act').click(WAIT);
    await expect.poll(async () => Number(await held(page, 'services', 'XAC')), WAIT).toBeGreaterThan(0);
    expect(await held(page, 'main', 'XAC')).toBe('0.0000000');

    // An address cannot say where: its sender does.
    await from(page, 'receive');
    expect(await page.getByTestId('receive-command').textContent()).toMatch(
      /^ace-node send 1 XAT 0x[0-9a-fA-F]{40} --to-spend$/,
    );
    await page.getByTestId('receive-place-main').click();
    await page.getByTestId('receive-command').waitFor({ state: 'detached' });
    expect(troubles).toEqual([]);
  });

  it('by itself is off until it is asked for, is told, and stops loudly at its cap', async () => {
    const { page, troubles } = await stage.page(await keeper());
    await connected(page);
    await page.getByTestId('nav-wallet').click();
    expect(await page.getByTestId('auto-topup-save').count()).toBe(0);
    await page.getByTestId('auto-topup-on').click();
    for (const [field, amount] of [
      ['belowXat', '5'],
      ['depositXat', '3'],
      ['mostPerDayXat', '2'],
      ['mostPerMonthXat', '50'],
    ] as const) {
      await page.getByTestId(`auto-topup-${field}`).fill(amount);
    }
    // A day that allows none is no rule.
    await page.getByTestId('auto-topup-save').click();
    await page.getByText('A day and a month have to allow at least one top-up').waitFor(WAIT);
    await page.getByTestId('auto-topup-mostPerDayXat').fill('3');
    await page.getByTestId('auto-topup-save').click();
    await expect.poll(() => held(page, 'services', 'XAT'), WAIT).toBe('3.0000000');
    await page.getByTestId('auto-topup-notice').waitFor(WAIT);
    await page.getByTestId('auto-topup-state').waitFor(WAIT);
    expect(await page.getByTestId('auto-topup-state').getAttribute('data-state')).toBe('day-used');
    expect(await page.getByTestId('strip-top-up').textContent()).toContain('stopped until midnight');

    await page.getByTestId('nav-settlements').click();
    await page.getByTestId('settlements-kind-operation').click();
    await page.getByTestId('operation-automatic').first().waitFor(WAIT);
    await page.getByTestId('nav-wallet').click();
    await page.getByTestId('auto-topup-on').click();
    await page.getByTestId('strip-top-up').waitFor({ state: 'detached', ...WAIT });
    expect(troubles).toEqual([]);
  });

  it('keeps what may be spent in a day, and says when nothing more may', async () => {
    const { page, troubles } = await stage.page(await keeper());
    await connected(page);
    await page.getByTestId('nav-settings').click();
    await page.getByTestId('spend-day-limit').click();
    const field = page.getByTestId('spend-day-value');
    await field.fill('nothing');
    await field.press('Enter');
    await page.getByTestId('spending').getByRole('alert').waitFor(WAIT);
    // Less than one MiB costs.
    await field.fill('0.0000001');
    await field.press('Enter');
    await page.getByTestId('stop-download').waitFor(WAIT);
    expect(await page.getByTestId('strip-stopped').textContent()).toContain('a day are spent');
    await page.getByTestId('spend-day-none').click();
    await page.getByTestId('stop-download').waitFor({ state: 'detached', ...WAIT });
    expect(troubles).toEqual([]);
  });

  it.each<[Language, Theme, number]>([
    ['en', 'light', 390],
    ['ru', 'dark', 390],
    ['ru', 'light', 1180],
  ])('is read aloud, seen and fits: %s, %s, %i wide', async (language, theme, width) => {
    const { page, troubles } = await stage.page(await keeper(), { language, theme, width });
    await connected(page);
    await page.getByTestId('nav-wallet').click();
    await page.getByTestId('auto-topup-on').click();
    for (const source of SOURCES) {
      await from(page, source);
      await expectAccessible(page, `top up, ${source}`);
    }
    await from(page, 'mint');
    await page.getByTestId('top-up-page-mint-suggestion-0').click();
    await page.getByTestId('top-up-page-mint-look').click();
    await page.getByTestId('quote').waitFor(WAIT);
    await expectAccessible(page, 'top up, minting, what it does');
    await page.getByTestId('auto-topup-save').click();
    await page.getByTestId('auto-topup-notice').waitFor(WAIT);
    await expectAccessible(page, 'automatic top-up');
    await page.getByTestId('nav-settings').click();
    await page.getByTestId('spend-month-limit').click();
    await page.getByTestId('spend-month-value').waitFor(WAIT);
    await expectAccessible(page, 'settings');
    expect(troubles).toEqual([]);
  });
});

async function from(page: Page, source: (typeof SOURCES)[number]): Promise<void> {
  await page.getByTestId(`top-up-page-from-${source}`).click();
}

async function held(page: Page, place: 'main' | 'services', token: string): Promise<string | null> {
  return page.getByTestId(`held-${place}-${token}`).getAttribute('data-value');
}
