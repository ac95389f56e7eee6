/** A stranger that pays nothing sends checkpoints as fast as it can: each is one signature and one fsync, without a pause. */
import { expect, it } from 'vitest';
import { encodeMessage } from '../../main/pieces/messages.ts';
import { MIB, useDevnet } from '../helpers/devnet.ts';
import { longestWorkMs } from '../helpers/event-loop.ts';
import { RawViewer } from '../helpers/raw-viewer.ts';

it('a flood of checkpoints does not stop the provider for others', async () => {
  const net = await useDevnet();
  const provider = await net.peer('provider');
  await net.content(provider, MIB);
  const viewer = await RawViewer.start(net);
  const channel = await viewer.lease(provider, 1);
  const stream = await viewer.open(provider, channel);
  const count = 6_000;
  const frames = Array.from({ length: count }, (_, i) =>
    encodeMessage(viewer.checkpoint(channel, { number: i + 1, units: 0 })).subarray(),
  );
  const worst = await longestWorkMs(async () => {
    stream.frames.send(...frames);
    await stream.ended();
  });
  stream.vanish();
  expect(worst).toBeLessThan(250);
});
