/** How exactly a cap is kept, over 20 s of a stream. `npm test` holds its upper side only, over a few seconds. */
import { setTimeout as delay } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { MIB, useDevnet } from '../../helpers/devnet.ts';
import { waitFor } from '../../helpers/wait.ts';

const MEASURED_MS = 20_000;

it.each(['upload', 'download'] as const)(
  'a cap of 1 MiB/s on the %s is kept to within 5 percent below and 2 percent above',
  async (direction) => {
    const net = await useDevnet();
    const [provider, viewer] = [await net.peer(), await net.peer()];
    const { contentId } = await net.content(provider, 40 * MIB);
    if (direction === 'upload') await provider.setLimits({ uploadBytesPerSecond: MIB });
    else await viewer.setLimits({ downloadBytesPerSecond: MIB });
    (await viewer.library.transfer(contentId)).download();
    const bytes = () =>
      direction === 'upload' ? provider.meter.totals().upBytes : viewer.meter.totals().downBytes;
    await waitFor('the stream runs', () => bytes() >= MIB);
    const [startMs, before] = [performance.now(), bytes()];
    await delay(MEASURED_MS);
    // Up to the last of it: a piece of a download is there as a whole.
    const whole = bytes();
    await waitFor('the next bytes', () => bytes() > whole);
    const mibPerSecond = (bytes() - before) / MIB / ((performance.now() - startMs) / 1_000);
    process.stdout.write(`${direction}: ${mibPerSecond.toFixed(3)} MiB/s\n`);
    expect(mibPerSecond).toBeGreaterThanOrEqual(0.95);
    expect(mibPerSecond).toBeLessThanOrEqual(1.02);
  },
);
