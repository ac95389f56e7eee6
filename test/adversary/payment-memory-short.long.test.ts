/**
 * A stranger that pays nothing asks for a one-byte piece again and again: each request could pin a fresh 1 MiB buffer.
 */
import { expect, it } from 'vitest';
import { MIB, useDevnet } from '../helpers/devnet.ts';
import { RawViewer } from '../helpers/raw-viewer.ts';

it('one unit of window does not pin more than a few buffers', async () => {
  const net = await useDevnet();
  const provider = await net.peer('provider');
  const { contentId } = await net.content(provider, 1);
  const viewer = await RawViewer.start(net);
  const channel = await viewer.lease(provider, 1);
  const stream = await viewer.open(provider, channel);
  const run = async (pieces: number) => {
    let asked = 0;
    for (let got = 0; got < pieces; got++) {
      for (; asked < pieces && asked - got < 32; asked++) stream.request(contentId, 0);
      await stream.takePiece();
    }
  };
  await run(50);
  const before = process.memoryUsage();
  await run(3_000);
  const after = process.memoryUsage();
  stream.vanish();
  expect((after.arrayBuffers - before.arrayBuffers) / MIB).toBeLessThan(100);
});
