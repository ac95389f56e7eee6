/**
 * Videos that a real browser plays only in part, from another peer: the page says so in words, and leads to a player
 * that can. The node runs in this process; its pages are the built ones.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { pagesAddress } from '../../main/cli/headless.ts';
import { type RunningNode, startNode } from '../../main/node/node.ts';
import { browserPath, launchBrowser } from '../helpers/browser.ts';
import { Devnet, joinedNode, type TestPeer } from '../helpers/devnet.ts';
import { findProgram, type MediaOptions, makeVideo } from '../helpers/media.ts';

const PAGES = join(import.meta.dirname, '../../out/renderer');

let net: Devnet;
let provider: TestPeer;
let node: RunningNode;
let browser: Browser;

const runs = browserPath !== null && findProgram('ffmpeg') !== null;

beforeAll(async () => {
  if (!runs) return;
  net = await Devnet.start();
  provider = await net.peer('provider');
  node = await startNode({ ...joinedNode(net), pagesDir: PAGES });
  browser = await launchBrowser();
});

afterAll(async () => {
  await browser?.close();
  await node?.stop();
  await net?.stop();
});

/** Opens the page and plays a new content of the provider's there. */
async function playing(name: string, options: Partial<MediaOptions>): Promise<{ page: Page; id: string }> {
  const path = await makeVideo(join(net.dir, name), { seconds: 10, bitrate: '2M', ...options });
  const { contentId } = await provider.import({ path });
  const context = await browser.newContext({ permissions: ['clipboard-read', 'clipboard-write'] });
  const page = await context.newPage();
  await page.goto(pagesAddress(node.http));
  await page.locator('[data-testid=connection][data-link=connected]').waitFor();
  await page.getByTestId('paste').fill(`ace:${contentId}`);
  await page.getByTestId('paste-submit').click();
  await page.getByTestId('player').waitFor();
  return { page, id: contentId };
}

const secondsPlayed = (page: Page) =>
  page.getByTestId('player').evaluate((video) => (video as unknown as { currentTime: number }).currentTime);

describe.skipIf(!runs)('the page, of a video that the browser plays in part', () => {
  it.each([
    ['AC-3 in MP4', 'ac3.mp4', 'ac3', 'AC-3'],
    ['AC-3 in MP4 with its description in front', 'ac3-front.mp4', 'ac3', 'AC-3'],
    ['E-AC-3 in MKV', 'eac3.mkv', 'eac3', 'E-AC-3'],
    ['DTS in MKV', 'dts.mkv', 'dca', 'DTS'],
  ])('says that there is no sound: %s', async (_what, name, audio, codec) => {
    const extra = name.includes('front') ? ['-movflags', '+faststart'] : [];
    const { page, id } = await playing(name, { audio, extra });
    const notice = page.getByTestId('missing-tracks');
    await notice.waitFor();
    expect(await notice.textContent()).toContain(
      `This browser plays the picture of this video but not its sound (${codec}).`,
    );
    await expect.poll(() => secondsPlayed(page), { timeout: 30_000 }).toBeGreaterThan(0.5);

    const [download] = await Promise.all([
      page.waitForEvent('download'),
      notice.getByTestId('external-player').click(),
    ]);
    expect(download.suggestedFilename()).toMatch(/\.m3u$/);
    const address = new URL(`/content/${id}`, node.http.url).href;
    expect(await readFile(await download.path(), 'utf8')).toContain(`\n${address}\n`);
    await notice.getByTestId('copy-address').click();
    await notice.getByText('Copied').waitFor();
    expect(await page.evaluate('navigator.clipboard.readText()')).toBe(address);
    await page.context().close();
  });

  it('says nothing where all is played', async () => {
    const { page } = await playing('aac.mp4', { audio: 'aac' });
    await expect.poll(() => secondsPlayed(page), { timeout: 30_000 }).toBeGreaterThan(1);
    const { tracks } = await node.service.tracks({ contentId: await playedId(page) });
    expect(tracks?.map(({ name }) => name)).toEqual(['H.264', 'AAC']);
    expect(await page.getByTestId('missing-tracks').count()).toBe(0);
    await page.context().close();
  });

  it('says what it can of a picture that the browser does not know', async () => {
    const { page } = await playing('hevc.mp4', { video: 'libx265', extra: ['-tag:v', 'hvc1'] });
    const knows = await page
      .getByTestId('player')
      .evaluate((video) =>
        (video as unknown as { canPlayType(type: string): string }).canPlayType(
          'video/mp4; codecs="hvc1.1.6.L60.90"',
        ),
      );
    const notice = page.getByTestId('missing-tracks');
    if (knows === '') {
      await notice.waitFor();
      expect(await notice.textContent()).toContain('not its picture (HEVC)');
    } else {
      await expect.poll(() => secondsPlayed(page), { timeout: 30_000 }).toBeGreaterThan(0.5);
      expect(await notice.count()).toBe(0);
    }
    await page.context().close();
  });
});

async function playedId(page: Page): Promise<string> {
  const source = await page.getByTestId('player').getAttribute('src');
  return new URL(source ?? '').pathname.split('/').at(-1) ?? '';
}
