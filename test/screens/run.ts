/**
 * `npm run screens`: pictures of the pages of a real node in docs/screens/. `npm run screens -- watch` makes those whose
 * names begin so.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../helpers/browser.ts';
import { closeBrowser, connected, Stage } from '../helpers/pages.ts';
import { makeWorld } from '../helpers/pages-world.ts';
import { SHOTS } from './shots.ts';

const wanted = process.argv[2] ?? '';
const folder = process.argv[3] ?? join(ROOT, 'docs/screens');
const stage = new Stage();
try {
  mkdirSync(folder, { recursive: true });
  const world = await makeWorld(stage);
  for (const { name, view, options, prepare, whole, firstRun, owing } of SHOTS) {
    if (!name.startsWith(wanted)) continue;
    const where =
      firstRun === true
        ? await stage.start(stage.temporaryDir(), ['--first-run'])
        : { address: owing === true ? world.owing : world.address };
    const { page, troubles } = await stage.page(where.address, options);
    if (firstRun === true) await page.getByTestId('first-run').waitFor();
    else {
      await connected(page);
      await page.getByTestId(`nav-${view}`).click();
    }
    await page.waitForTimeout(500);
    await prepare?.(page);
    // The window scrolls inside itself: it is made as high as what it holds.
    if (whole === true) {
      const { width } = page.viewportSize() ?? { width: 1180 };
      const height = await page.evaluate(() => {
        const { document } = globalThis as unknown as {
          document: {
            querySelector(q: string): { scrollHeight: number };
            documentElement: { scrollHeight: number };
          };
        };
        return Math.max(
          document.querySelector('main').scrollHeight + 60,
          document.documentElement.scrollHeight,
        );
      });
      await page.setViewportSize({ width, height });
      await page.waitForTimeout(400);
    }
    makeSmaller(await page.screenshot(), join(folder, `${name}.png`));
    await page.context().close();
    process.stdout.write(`${name}.png${troubles.length > 0 ? `  ${troubles.join('\n')}` : ''}\n`);
  }
} finally {
  await stage.close();
  await closeBrowser();
}

/** With 256 colours a picture of a video is a quarter as large, and looks the same. */
function makeSmaller(png: Buffer, path: string): void {
  const filter = 'split[a][b];[a]palettegen=stats_mode=single[p];[b][p]paletteuse=dither=none';
  execFileSync(
    'ffmpeg',
    ['-v', 'error', '-y', '-f', 'png_pipe', '-i', '-', '-filter_complex', filter, path],
    {
      input: png,
    },
  );
}
