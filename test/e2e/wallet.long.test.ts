/**
 * The wallet in the pages of real nodes: its phrase, its passphrase, its backup and its lock, and a second device that
 * joins without the phrase.
 */
import { readFile } from 'node:fs/promises';
import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { browserPath, START_TIMEOUT_MS } from '../helpers/browser.ts';
import { useDevnet } from '../helpers/devnet.ts';
import { connected } from '../helpers/pages.ts';
import { expectAccessible, useStage } from '../helpers/use-stage.ts';

const WAIT = { timeout: START_TIMEOUT_MS };
const PASSPHRASE = 'a long enough one';
const OTHER = 'another that is long';
const stage = useStage();

describe.skipIf(browserPath === null)('the wallet in the pages', () => {
  it('gets a passphrase, shows its phrase to a person who has it, is backed up, locked and opened', async () => {
    const { address } = await stage.start(stage.temporaryDir());
    const { page, troubles } = await stage.page(address);
    await connected(page);
    await page.getByTestId('nav-wallet').click();
    await page.getByTestId('keep-passphrase').click();
    const passphrase = page.getByTestId('passphrase-dialog');
    await expectAccessible(page, 'a first passphrase');
    await passphrase.getByTestId('passphrase').fill('short');
    await passphrase.getByTestId('passphrase-again').fill('short');
    await passphrase.getByTestId('passphrase-dialog-submit').click();
    expect(await passphrase.getByTestId('passphrase-dialog-trouble').textContent()).toContain('8 characters');
    await choose(page, PASSPHRASE);
    await page.getByText('The new passphrase is in force').waitFor(WAIT);
    await page.locator('[data-testid=lock-status][data-status=unlocked]').waitFor();

    // Another one: not without the one until now.
    await page.getByTestId('keep-passphrase').click();
    await page.getByTestId('passphrase-current').fill('not this one');
    await choose(page, OTHER);
    await page.getByText('That is not the passphrase.').waitFor(WAIT);
    await page.getByTestId('passphrase-current').fill(PASSPHRASE);
    await choose(page, OTHER);
    await passphrase.waitFor({ state: 'detached', ...WAIT });

    await page.getByTestId('keep-phrase').click();
    const phrase = page.getByTestId('phrase-dialog');
    await phrase.getByTestId('phrase-passphrase').fill(PASSPHRASE);
    await phrase.getByTestId('phrase-dialog-submit').click();
    await phrase.getByText('That is not the passphrase.').waitFor(WAIT);
    await phrase.getByTestId('phrase-passphrase').fill(OTHER);
    await phrase.getByTestId('phrase-passphrase').press('Enter');
    await phrase.getByTestId('phrase').waitFor(WAIT);
    expect(await phrase.getByTestId('phrase').locator('li').count()).toBe(12);
    const shown = await phrase.getByTestId('phrase').locator('li').allTextContents();
    const words = shown.map((text) => text.replace(/^\s*\d+/, '').trim());
    await expectAccessible(page, 'the phrase');
    await page.keyboard.press('Escape');
    await phrase.waitFor({ state: 'detached' });
    expect(await page.getByTestId('phrase').count()).toBe(0);

    await page.getByTestId('keep-backup').click();
    await page.getByTestId('backup-passphrase').fill(OTHER);
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByTestId('backup-dialog-submit').click(),
    ]);
    expect(download.suggestedFilename()).toMatch(/^ace-node-backup-.*\.json$/);
    expect(Object.keys(JSON.parse(await readFile(await download.path(), 'utf8')))).not.toContain('phrase');
    await page.getByTestId('backup-saved').waitFor();
    await page.keyboard.press('Escape');
    await page.getByText('The last one was made').waitFor(WAIT);

    await page.getByTestId('keep-lock-never').click();
    await page.locator('[data-testid=keep-lock-never][data-state=checked]').waitFor(WAIT);
    await page.getByTestId('lock-now').click();
    await page.locator('[data-testid=lock-status][data-status=locked]').waitFor(WAIT);
    await expectAccessible(page, 'a locked wallet');

    // The passphrase is forgotten: the phrase opens the wallet, with another one.
    await page.getByTestId('unlock-forgot').click();
    await page.getByTestId('reset-phrase').fill(words.join(' '));
    await page.getByTestId('reset-submit').click();
    expect(await page.getByTestId('reset-failure').textContent()).toContain('8 characters');
    await expectAccessible(page, 'a forgotten passphrase');
    await page.getByTestId('passphrase').fill(PASSPHRASE);
    await page.getByTestId('passphrase-again').fill(PASSPHRASE);
    await page.getByTestId('reset-submit').click();
    await page.locator('[data-testid=lock-status][data-status=unlocked]').waitFor(WAIT);
    expect(troubles).toEqual([]);
  });

  it('lets a second device act for the account, and takes that away again', async () => {
    const net = await useDevnet();
    const joins = ['--join', net.validator.multiaddr];
    const first = await stage.start(stage.temporaryDir(), joins);
    const { page, troubles } = await stage.page(first.address);
    await connected(page);
    await page.getByTestId('nav-wallet').click();
    const account = (await page.getByTestId('account').textContent()) ?? '';

    const second = await stage.start(stage.temporaryDir(), [...joins, '--first-run']);
    const { page: other, troubles: others } = await stage.page(second.address, { width: 380 });
    await other.getByTestId('first-begin').click();
    await other.getByTestId('first-device').click();
    const key = (await other.getByTestId('device-key').textContent()) ?? '';
    expect(key).toMatch(/^[0-9a-f]{64}$/);
    await expectAccessible(other, 'a second device');

    await page.getByTestId('device-link').click();
    await page.getByTestId('link-device').fill(key.slice(1));
    await page.getByTestId('link-dialog-submit').click();
    await page.getByText('That is not the key of a device').waitFor(WAIT);
    await page.getByTestId('link-device').fill(key);
    await page.getByTestId('link-dialog-submit').click();
    await page.getByTestId('link-certificate').waitFor(WAIT);
    const certificate = await page.getByTestId('link-certificate').inputValue();
    await expectAccessible(page, 'a certificate');
    await page.keyboard.press('Escape');

    await other.getByTestId('device-certificate').fill(certificate.slice(2));
    await protect(other);
    await other.getByTestId('first-trouble').waitFor(WAIT);
    await other.getByTestId('device-certificate').fill(certificate);
    await protect(other);
    await other.getByTestId('first-limits-done').click(WAIT);
    await other.getByTestId('first-finish').click(WAIT);
    await other.getByTestId('nav-wallet').click();
    expect(await other.getByTestId('account').textContent()).toBe(account);
    expect(await other.getByTestId('keep-phrase').count()).toBe(0);
    await other.getByTestId('device').first().waitFor(WAIT);
    await expectAccessible(other, 'the wallet of a second device');

    await page.locator('[data-testid=device][data-state=linked]').getByTestId('device-unlink').click(WAIT);
    await page.getByTestId('unlink-dialog-submit').click();
    await page.locator('[data-testid=device][data-state=unlinked]').waitFor(WAIT);
    await expectAccessible(page, 'devices');

    // What was signed stands in the history of operations.
    await page.getByTestId('nav-settlements').click();
    await page.getByTestId('settlements-kind-operation').click();
    await page.locator('[data-testid=operation][data-kind=unlink]').waitFor(WAIT);
    expect(await page.locator('[data-testid=operation][data-kind=link]').textContent()).toContain(key);
    await expectAccessible(page, 'operations');
    expect([...troubles, ...others]).toEqual([]);
  });
});

async function choose(page: Page, text: string): Promise<void> {
  const dialog = page.getByTestId('passphrase-dialog');
  await dialog.getByTestId('passphrase').fill(text);
  await dialog.getByTestId('passphrase-again').fill(text);
  await dialog.getByTestId('passphrase-dialog-submit').click();
}

async function protect(page: Page): Promise<void> {
  await page.getByTestId('passphrase').fill(PASSPHRASE);
  await page.getByTestId('passphrase-again').fill(PASSPHRASE);
  await page.getByTestId('device-join').click();
}
