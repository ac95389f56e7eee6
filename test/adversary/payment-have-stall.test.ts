/** A provider that takes requests and says nothing but what it has, again and again. */
import { it } from 'vitest';
import { MIB, useDevnet } from '../helpers/devnet.ts';
import { askedBefore, RawProvider } from '../helpers/raw-provider.ts';
import { waitFor } from '../helpers/wait.ts';

const TIMEOUTS = { handshakeMs: 1_000, paymentMs: 1_000, dataMs: 1_000 };

async function scene() {
  const net = await useDevnet();
  const honest = await net.peer('honest');
  const { contentId } = await net.content(honest, 2 * MIB);
  const timers: NodeJS.Timeout[] = [];
  const liar = await RawProvider.start(
    net,
    askedBefore(honest, (message, stream) => {
      if (message.type === 'open') {
        stream.send({ type: 'opened', paidUnits: 0, servedBytes: 0 });
        const timer = setInterval(() => {
          try {
            stream.send({ type: 'have', contentId, bitmap: new Uint8Array(0) });
          } catch {
            clearInterval(timer);
          }
        }, 300);
        timers.push(timer);
      }
    }),
    [honest.store.contents.get(contentId)?.transport as Uint8Array],
  );
  await liar.announce(contentId); // newest first: it is asked first
  const viewer = await net.peer('viewer', undefined, TIMEOUTS);
  const transfer = await viewer.library.transfer(contentId);
  transfer.download();
  await waitFor('the liar is asked', () => liar.heardOf('request').length > 0);
  return { transfer, viewer, contentId, liar, free: () => timers.forEach(clearInterval) };
}

it('a provider that only tells what it has does not keep a viewer from the honest one', async () => {
  const { transfer, free } = await scene();
  try {
    await waitFor('content fetched', () => transfer.state === 'done');
  } finally {
    free();
  }
});

it('a provider that only tells what it has does not keep a viewer from stopping', async () => {
  const { viewer, contentId, free } = await scene();
  try {
    // It would hang until the test's own limit.
    await viewer.library.stopTransfer(contentId);
  } finally {
    free();
  }
});
