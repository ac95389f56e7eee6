/** The memory of a stream of any length. `npm test` compares 50 with 150 MiB. */
import { expect, it } from 'vitest';
import { MIB } from '../../helpers/devnet.ts';
import { peakBytesOfStream } from '../../helpers/peak-memory.ts';

it('a stream takes the same memory whether it is of 50, 150 or 600 MiB', async () => {
  const peaks = [await peakBytesOfStream(50), await peakBytesOfStream(150), await peakBytesOfStream(600)];
  const [small = 0, medium = 0, large = 0] = peaks;
  process.stdout.write(`peaks: ${peaks.map((bytes) => Math.round(bytes / MIB)).join(', ')} MiB\n`);
  // Peaks of one size differ by 30 MiB, with when buffers are collected; an eighth of the 550 MiB more would show.
  expect(Math.max(medium, large) - small).toBeLessThan(64 * MIB);
});
