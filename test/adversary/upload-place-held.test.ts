/** A provider with a cap serves one viewer at a time; whoever has that place and reads nothing keeps it from all others. */
import { expect, it } from 'vitest';
import { LEAST_RATE_BYTES } from '../../shared/schedule.ts';
import { MIB, useDevnet } from '../helpers/devnet.ts';
import { RawViewer } from '../helpers/raw-viewer.ts';
import { standsStill } from '../helpers/wait.ts';

const KIB = 1_024;

it('a viewer that does not read what it asked for holds up nobody else', { tags: 'long' }, async () => {
  const net = await useDevnet();
  const provider = await net.peer('provider');
  const large = await net.content(provider, 20 * MIB);
  const small = await net.content(provider, 64 * KIB);
  const idle = await RawViewer.start(net);
  const channel = await idle.lease(provider, 20);
  const holding = await idle.open(provider, channel);
  for (let i = 0; i < 8; i++) {
    holding.request(large.contentId, i);
    await holding.takePiece();
    holding.pay(channel, i + 1);
  }
  holding.frames.stream.pause();
  for (let i = 8; i < 16; i++) holding.request(large.contentId, i);
  // The stream's window is full by then: the provider waits for its viewer.
  await standsStill('what was sent', () => provider.meter.totals().upBytes);
  provider.limits.set({ uploadBytesPerSecond: 2 * LEAST_RATE_BYTES - 1 });
  const viewer = await RawViewer.start(net);
  const stream = await viewer.open(provider, await viewer.lease(provider, 1));
  stream.request(small.contentId, 0);
  expect((await stream.takePiece(15_000)).bytes).toHaveLength(64 * KIB);
});
