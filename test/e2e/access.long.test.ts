/** A title with a price in a real browser: what it costs is read, it is bought, and what was asked for plays by itself. */
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { connect } from '../../main/rpc/ws-client.ts';
import { browserPath, ROOT } from '../helpers/browser.ts';
import { Encoder, hasFfmpeg } from '../helpers/encoder.ts';
import { connected } from '../helpers/pages.ts';
import { expectAccessible, useStage } from '../helpers/use-stage.ts';

const stage = useStage();
const WAIT = { timeout: 60_000 };

it.skipIf(browserPath === null).each(['en', 'ru'] as const)(
  'is bought on the page, and plays by itself then: %s',
  async (language) => {
    const seller = await start();
    const { shard } = await seller.client.call('snapshot', {});
    const viewer = await start('--join', shard.multiaddr);
    const { contentId } = await seller.client.call('importFile', {
      path: join(ROOT, 'resources', 'sample-clip.mp4'),
      priceXac: '0.5',
    });
    await viewer.client.call('topUp', { amountXat: '20' });

    const { page, troubles } = await stage.page(viewer.address, { language });
    await connected(page);
    // Where a player elsewhere sends its user.
    await page.evaluate((id) => {
      (globalThis as unknown as { location: { hash: string } }).location.hash = `#/watch/${id}`;
    }, contentId);
    await expect.poll(() => page.getByTestId('paste').inputValue(), WAIT).toBe(contentId);
    await page.getByTestId('paste-submit').click();
    const state = page.getByTestId('access-state');
    await expect.poll(() => state.getAttribute('data-state'), WAIT).toBe('needed');
    await page.getByTestId('access-look').click();
    await page.getByTestId('access-seller').waitFor(WAIT);
    await expectAccessible(page, 'a title that is to be bought');
    await page.getByTestId('access-act').click();
    await expect.poll(() => state.getAttribute('data-state'), WAIT).toBe('open');
    const video = page.getByTestId('player');
    await expect
      .poll(() => video.evaluate((v) => (v as unknown as { currentTime: number }).currentTime), WAIT)
      .toBeGreaterThan(1);
    expect(troubles).toEqual([]);

    // The seller sees what it sold.
    const own = await stage.page(seller.address, { language });
    await connected(own.page);
    await own.page.getByTestId('paste').fill(contentId);
    await own.page.getByTestId('paste-submit').click();
    await own.page.getByTestId('sales').waitFor(WAIT);
    await expectAccessible(own.page, 'a title that sold');
    await own.page.evaluate(() => {
      (globalThis as unknown as { location: { hash: string } }).location.hash = '#/settlements/kind=access';
    });
    const sold = own.page.getByTestId('sales-of-day');
    await expect.poll(() => sold.allInnerTexts(), WAIT).toEqual([expect.stringMatching(/0[.,]35\b/)]);
    const rows = own.page.getByTestId('operation');
    expect(await rows.evaluateAll((all) => all.map((row) => row.getAttribute('data-kind')))).toEqual([
      'access',
    ]);
    await expectAccessible(own.page, 'what was sold among the settlements');
    expect(own.troubles).toEqual([]);
  },
);

it.skipIf(browserPath === null || !hasFfmpeg)(
  'a broadcast is begun with a price, bought on a viewer’s page, and plays there by itself',
  async () => {
    const seller = await start();
    const { shard } = await seller.client.call('snapshot', {});
    const viewer = await start('--join', shard.multiaddr);
    const own = await stage.page(seller.address);
    await connected(own.page);
    await own.page.getByText('Broadcast live').click(WAIT);
    await own.page.getByTestId('broadcast-name').fill('Pier');
    await own.page.getByTestId('broadcast-price').fill('0.5');
    await own.page.getByTestId('broadcast-lasts').fill('2');
    await own.page.getByTestId('broadcast-premium').click();
    await expectAccessible(own.page, 'a broadcast with a price');
    await own.page.getByTestId('start-broadcast').click();
    await own.page.getByTestId('push-address').waitFor(WAIT);
    const [made] = await seller.client.call('broadcasts', {});
    const { contentId, pushUrl } = made ?? {};
    if (!contentId) throw new Error('There is no broadcast');
    const encoder = new Encoder({ target: pushUrl ?? '', fragmented: false });
    stage.onClose(() => encoder.stop());
    const segments = async () => (await seller.client.call('broadcasts', {}))[0]?.segments ?? 0;
    await expect.poll(segments, WAIT).toBeGreaterThan(6);

    await viewer.client.call('topUp', { amountXat: '20' });
    const { page, troubles } = await stage.page(viewer.address);
    await connected(page);
    await page.getByTestId('paste').fill(`ace:${contentId}`);
    await page.getByTestId('paste-submit').click();
    const state = page.getByTestId('access-state');
    await expect.poll(() => state.getAttribute('data-state'), WAIT).toBe('needed');
    await page.getByTestId('access-look').click();
    await page.getByTestId('access-seller').waitFor(WAIT);
    expect(await page.getByTestId('access-seller').textContent()).toContain('0.35');
    await page.getByTestId('access-act').click();
    await expect.poll(() => state.getAttribute('data-state'), WAIT).toBe('open');
    const video = page.getByTestId('player');
    const time = () => video.evaluate((v) => (v as unknown as { currentTime: number }).currentTime);
    await video.waitFor(WAIT);
    const begin = await time();
    await expect.poll(time, WAIT).toBeGreaterThan(begin + 2);
    const [access] = (await viewer.client.call('contents', {})).map((title) => title.access);
    expect(access).toMatchObject({ state: 'open', premium: true, lastsMs: 2 * 3_600_000 });
    expect(troubles).toEqual([]);
  },
);

async function start(...args: string[]) {
  const { address } = await stage.start(stage.temporaryDir(), args);
  const url = new URL(address);
  const client = await connect(`${url.origin}/`, decodeURIComponent(url.hash.replace('#token=', '')));
  stage.onClose(() => client.close());
  return { address, client };
}
