/**
 * A viewer that pays every unit, but with checkpoints instead of ticks: a provider frees its read buffers for these,
 * too.
 */
import { expect, it } from 'vitest';
import { MIB, useDevnet } from '../helpers/devnet.ts';
import { RawViewer } from '../helpers/raw-viewer.ts';

async function grownMiB(withTicks: boolean, units: number): Promise<number> {
  const net = await useDevnet();
  const provider = await net.peer('provider');
  const { contentId } = await net.content(provider, 4 * MIB);
  const viewer = await RawViewer.start(net);
  const channel = await viewer.lease(provider, units);
  const stream = await viewer.open(provider, channel);
  const run = async (from: number, to: number) => {
    for (let i = from; i <= to; i++) {
      stream.request(contentId, i % 4);
      let message = await stream.receive();
      while (message?.type === 'countersigned') message = await stream.receive();
      expect(message?.type).toBe('piece');
      for (let c = 0; c < 16; c++) await stream.expect('chunk');
      if (withTicks) stream.pay(channel, i);
      else stream.send(viewer.checkpoint(channel, { number: i, units: i, bytes: i * MIB }));
    }
  };
  await run(1, 40);
  const before = process.memoryUsage().arrayBuffers;
  await run(41, units);
  const grown = (process.memoryUsage().arrayBuffers - before) / MIB;
  stream.vanish();
  return grown;
}

it('baseline: paying by tick keeps the memory', async () => {
  const grown = await grownMiB(true, 440);
  expect(grown).toBeLessThan(150);
});

it('paying by checkpoint keeps the memory', async () => {
  const grown = await grownMiB(false, 440);
  expect(grown).toBeLessThan(150);
});
