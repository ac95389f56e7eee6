/** A first start on the pages of a real node: a wallet is made, confirmed and protected, and the sample clip plays. */
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { createDevice } from '../../main/wallet/device.ts';
import { peerIdOf } from '../../main/wallet/device-peer-id.ts';
import { browserPath, START_TIMEOUT_MS } from '../helpers/browser.ts';
import { axeFindings, connected } from '../helpers/pages.ts';
import { useStage } from '../helpers/use-stage.ts';

/** A phrase that everybody knows. */
const JUNK = 'test test test test test test test test test test test junk';
/** No program is ever given this port. */
const NOBODY_ID = peerIdOf(createDevice().publicKey);
const NOBODY = `/ip4/127.0.0.1/tcp/1/p2p/${NOBODY_ID}`;
const stage = useStage();

describe.skipIf(browserPath === null)('a first start', () => {
  it('makes a wallet, sees to its phrase and its passphrase, and plays the sample clip', async () => {
    const folder = stage.temporaryDir();
    const { address, stop } = await stage.start(folder, ['--first-run']);
    const { page, troubles } = await stage.page(address, { language: 'ru', theme: 'dark' });
    await at(page, 'welcome');
    expect(await axeFindings(page)).toEqual([]);
    await page.getByTestId('language-en').click();
    await page.getByTestId('network-join').click();
    await page.getByTestId('network-address').fill('nowhere');
    await page.getByTestId('first-begin').click();
    await page.getByTestId('first-trouble').waitFor();
    await page.getByTestId('network-devnet').click();
    await page.getByTestId('first-begin').click();

    await at(page, 'wallet');
    expect(await axeFindings(page)).toEqual([]);
    await page.getByTestId('first-restore').click();
    await page.getByTestId('restore-phrase').fill('one two three');
    await page.getByTestId('restore-submit').click();
    expect(await page.getByTestId('first-trouble').textContent()).toBe('A phrase has 12 or 24 words.');
    await page.getByRole('button', { name: 'Back' }).click();

    await page.getByTestId('first-create').click();
    await at(page, 'phrase');
    expect(await axeFindings(page)).toEqual([]);
    const shown = await page.getByTestId('phrase').locator('li').allTextContents();
    const words = shown.map((text) => text.replace(/^\s*\d+/, '').trim());
    expect(words).toHaveLength(12);
    await page.getByTestId('phrase-written').click();

    await at(page, 'confirm');
    const asked = page.getByTestId('confirm-word');
    for (const field of await asked.all()) await field.fill('zebra');
    await page.getByTestId('passphrase').fill('short');
    await page.getByTestId('first-make').click();
    expect(await page.getByTestId('first-trouble').textContent()).toContain('8 characters');
    await page.getByTestId('passphrase').fill('a long enough one');
    await page.getByTestId('passphrase-again').fill('a long enough one');
    await page.getByTestId('first-make').click();
    await page.getByText('That is not what was shown').waitFor();
    expect(await axeFindings(page)).toEqual([]);
    for (const field of await asked.all()) {
      const position = Number(await field.getAttribute('data-position'));
      await field.fill(words[position - 1] ?? '');
    }
    await page.getByTestId('first-make').click();

    await at(page, 'limits');
    await page.getByTestId('cache-limit-limit').click();
    await page.getByTestId('cache-limit-value').waitFor();
    expect(await axeFindings(page)).toEqual([]);
    await page.getByTestId('first-limits-done').click();
    await at(page, 'ready');
    await page.getByTestId('first-finish').click();
    await plays(page);
    expect(await page.getByTestId('nav-watch').getAttribute('aria-current')).toBe('page');

    expect(troubles).toEqual([]);
    await stop();
    await page.getByText('The node does not answer.').first().waitFor();
    const { port } = new URL(address);
    await stage.start(folder, ['--first-run', '--http-port', port]);
    await page.getByTestId('unlock-passphrase').fill('not this one');
    await page.getByTestId('unlock-submit').click();
    expect(await page.getByTestId('first-trouble').textContent()).toBe('That is not the passphrase.');
    expect(await axeFindings(page)).toEqual([]);
    await page.getByTestId('unlock-forgot').click();
    await page.getByTestId('reset-phrase').fill(JUNK);
    await page.getByTestId('reset-submit').click();
    expect(await page.getByTestId('first-trouble').textContent()).toContain('passphrase');
    await page.getByTestId('passphrase').fill('a new one that is long');
    await page.getByTestId('passphrase-again').fill('a new one that is long');
    await page.getByTestId('reset-submit').click();
    await page.getByText('That is another account').waitFor();
    expect(await axeFindings(page)).toEqual([]);
    // What was typed is still there: only the phrase has to be another.
    await page.getByTestId('reset-phrase').fill(words.join('\n'));
    await page.getByTestId('reset-submit').click();
    await page.locator('[data-testid=play]:enabled').first().waitFor({ timeout: START_TIMEOUT_MS });
    // While the node was away the browser could not reach it, and reported it.
    expect(troubles.filter((text) => !/ERR_|WebSocket|status of 503/.test(text))).toEqual([]);
  });

  it('keeps asking the chosen network when it does not answer, and takes another one', {
    tags: 'long',
  }, async () => {
    const folder = stage.temporaryDir();
    const { address, stop } = await stage.start(folder, ['--first-run']);
    const { page } = await stage.page(address);
    await at(page, 'welcome');
    await page.getByTestId('network-join').click();
    await page.getByTestId('network-address').fill(NOBODY);
    await page.getByTestId('first-begin').click();
    // A dead address is found out before anything is made for it.
    await page.getByText('Nothing answers at this address').waitFor();
    const answering = createServer().listen(0, '127.0.0.1');
    await once(answering, 'listening');
    const gone = `/ip4/127.0.0.1/tcp/${(answering.address() as AddressInfo).port}/p2p/${NOBODY_ID}`;
    await page.getByTestId('network-address').fill(gone);
    await page.getByTestId('first-begin').click();
    await page.getByTestId('first-restore').click();
    answering.close(); // and is there no more when the node starts
    await page.getByTestId('restore-phrase').fill(JUNK);
    await page.getByTestId('passphrase').fill('a long enough one');
    await page.getByTestId('passphrase-again').fill('a long enough one');
    await page.getByTestId('restore-submit').click();
    await at(page, 'locked');
    expect(await page.locator('h1').textContent()).toBe('The network cannot be reached');
    expect(await page.getByTestId('connection').textContent()).toContain('Not started: the network cannot');
    expect(await page.getByTestId('network-address').inputValue()).toBe(gone);
    expect(await axeFindings(page)).toEqual([]);

    // Nor is it forgotten by a restart: the wallet must not end up on a devnet that was not asked for.
    await stop();
    const { port } = new URL(address);
    await stage.start(folder, ['--first-run', '--http-port', port]);
    await page.getByTestId('unlock-passphrase').fill('a long enough one');
    await page.getByTestId('unlock-submit').click();
    await page.getByTestId('start-again').waitFor({ timeout: START_TIMEOUT_MS });
    expect(await page.getByTestId('network-address').inputValue()).toBe(gone);
    await page.getByTestId('network-devnet').click();
    await page.getByTestId('start-again').click();
    await at(page, 'limits');
    await page.getByTestId('first-limits-done').click();
    await page.getByTestId('first-finish').click();
    await plays(page);
  });

  it('can be skipped on a devnet', { tags: 'long' }, async () => {
    const { address } = await stage.start(stage.temporaryDir(), ['--first-run']);
    const { page, troubles } = await stage.page(address, { width: 380 });
    await at(page, 'welcome');
    await page.getByTestId('first-skip').click();
    await at(page, 'ready');
    await page.getByTestId('first-finish').click();
    await plays(page);
    expect(troubles).toEqual([]);
  });
});

async function at(page: Page, step: string): Promise<void> {
  await page.locator(`[data-testid=first-run][data-step=${step}]`).waitFor({ timeout: START_TIMEOUT_MS });
}

async function plays(page: Page): Promise<void> {
  await connected(page);
  await page.getByTestId('player').waitFor();
  await expect
    .poll(
      () => page.getByTestId('player').evaluate((v) => (v as unknown as { currentTime: number }).currentTime),
      {
        timeout: 30_000,
      },
    )
    .toBeGreaterThan(1);
}
