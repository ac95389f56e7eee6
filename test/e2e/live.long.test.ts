/** A live broadcast in a real browser: an encoder pushes to a node, and its page plays with hls.js. */
import type { Page } from 'playwright-core';
import { expect, it } from 'vitest';
import { connect } from '../../main/rpc/ws-client.ts';
import { browserPath } from '../helpers/browser.ts';
import { Encoder, hasFfmpeg } from '../helpers/encoder.ts';
import { connected } from '../helpers/pages.ts';
import { useStage } from '../helpers/use-stage.ts';

const stage = useStage();

it.skipIf(browserPath === null || !hasFfmpeg).each([
  ['MPEG transport streams', false],
  ['fragmented MP4', true],
])(
  'plays a broadcast of %s, says that it is live, and goes back to the live edge',
  async (_what, fragmented) => {
    // The devnet of the one who broadcasts; another node joins it and watches.
    const broadcaster = await start();
    const { shard } = await broadcaster.client.call('snapshot', {});
    const viewer = await start('--join', shard.multiaddr);
    const { contentId, pushUrl } = await broadcaster.client.call('startBroadcast', {
      name: 'Harbour camera',
    });
    const encoder = new Encoder({ target: pushUrl ?? '', fragmented });
    stage.onClose(() => encoder.stop());
    const segments = async () => (await broadcaster.client.call('broadcasts', {}))[0]?.segments ?? 0;
    await expect.poll(segments, { timeout: 30_000 }).toBeGreaterThan(6);

    const { page, troubles } = await stage.page(viewer.address);
    await connected(page);
    await page.getByTestId('paste').fill(`ace:${contentId}`);
    await page.getByTestId('paste-submit').click();
    const video = page.getByTestId('player');
    await video.waitFor({ timeout: 30_000 });
    const begin = await startOf(page);
    await expect.poll(() => timeOf(page), { timeout: 40_000 }).toBeGreaterThan(begin + 4);
    expect((await page.getByTestId('live-badge').textContent())?.trim()).toBe('Live');
    await expect
      .poll(async () => Number(await page.getByTestId('paid-units').getAttribute('data-units')), {
        timeout: 30_000,
      })
      .toBeGreaterThan(0);

    // Behind, and back again.
    const edge = await timeOf(page);
    await video.evaluate((v) => (v as unknown as { pause(): void }).pause());
    await page
      .getByTestId('go-live')
      .waitFor({ timeout: 60_000 })
      .catch(async () => {
        // A player that stands still learns its distance from the next step it makes.
        await video.evaluate((v) => {
          (v as unknown as { currentTime: number }).currentTime += 0.01;
        });
      });
    await video.evaluate((v) => (v as unknown as { play(): Promise<void> }).play());
    await page.getByTestId('go-live').click({ timeout: 30_000 });
    await expect.poll(() => timeOf(page), { timeout: 30_000 }).toBeGreaterThan(edge + 8);
    await page.getByTestId('go-live').waitFor({ state: 'detached', timeout: 30_000 });

    await broadcaster.client.call('endBroadcast', { contentId });
    await expect
      .poll(async () => (await page.getByTestId('live-badge').textContent())?.trim(), { timeout: 20_000 })
      .toBe('Ended');
    expect(troubles).toEqual([]);
  },
);

it.skipIf(browserPath === null)('starts a broadcast, and ends it by a second press', async () => {
  const node = await start();
  const { page } = await stage.page(node.address);
  await page.getByText('Broadcast live').click({ timeout: 30_000 });
  await page.getByTestId('broadcast-name').fill('Pier');
  await page.getByTestId('start-broadcast').click();
  const address = await page.getByTestId('push-address').inputValue();
  const [made] = await node.client.call('broadcasts', {});
  expect(made).toMatchObject({ name: 'Pier', pushUrl: address, ended: false });
  await page.getByTestId('end-broadcast').click();
  expect((await node.client.call('broadcasts', {}))[0]?.ended).toBe(false);
  await page.getByRole('button', { name: 'End Pier for good' }).click();
  await page.getByTestId('own-broadcast').waitFor({ state: 'detached' });
  expect((await node.client.call('broadcasts', {}))[0]?.ended).toBe(true);
});

it.skipIf(browserPath === null || !hasFfmpeg).each([
  ['MPEG transport streams', false],
  ['fragmented MP4', true],
])('says in words that it does not play HEVC in %s, and does not try for ever', async (_what, fragmented) => {
  const node = await start();
  const { contentId, pushUrl } = await node.client.call('startBroadcast', { name: 'Harbour camera' });
  const encoder = new Encoder({ target: pushUrl ?? '', fragmented, video: 'libx265' });
  stage.onClose(() => encoder.stop());
  const segments = async () => (await node.client.call('broadcasts', {}))[0]?.segments ?? 0;
  await expect.poll(segments, { timeout: 60_000 }).toBeGreaterThan(6);
  const { page } = await stage.page(node.address);
  const asked: number[] = [];
  page.on('request', (request) => {
    if (/manifest|\.m3u8|\.ts|\.m4s|\.mp4/.test(request.url())) asked.push(Date.now());
  });
  await connected(page);
  await page.getByTestId('paste').fill(`ace:${contentId}`);
  await page.getByTestId('paste-submit').click();
  const notice = page.getByTestId('missing-tracks').or(page.getByTestId('broken'));
  await notice.first().waitFor({ timeout: 60_000 });
  await expect.poll(() => Date.now() - (asked.at(-1) ?? 0), { timeout: 60_000 }).toBeGreaterThan(8_000);
  expect(asked.length).toBeGreaterThan(0);
  expect(await notice.first().textContent()).toContain('external player');
});

const timeOf = (page: Page) =>
  page.getByTestId('player').evaluate((v) => (v as unknown as { currentTime: number }).currentTime);

/** A player of a broadcast begins near its live edge, once it knows where that is. */
async function startOf(page: Page): Promise<number> {
  await expect.poll(() => timeOf(page), { timeout: 40_000 }).toBeGreaterThan(0);
  return timeOf(page);
}

async function start(...args: string[]) {
  const { address } = await stage.start(stage.temporaryDir(), args);
  const url = new URL(address);
  const token = decodeURIComponent(url.hash.replace('#token=', ''));
  const client = await connect(`${url.origin}/`, token);
  stage.onClose(() => client.close());
  return { address, client };
}
