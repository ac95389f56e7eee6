/** A payer that closes a channel, and then pays on it for what it was served: nobody can claim such a payment. */
import { expect, it } from 'vitest';
import { MIB, useDevnet } from '../helpers/devnet.ts';
import { RawViewer } from '../helpers/raw-viewer.ts';
import { waitFor } from '../helpers/wait.ts';

const WINDOW_UNITS = 8;

it('ticks on a channel that its payer has closed pay no debt', async () => {
  const net = await useDevnet();
  const provider = await net.peer('provider');
  const { contentId } = await net.content(provider, 60 * MIB);
  const viewer = await RawViewer.start(net);
  const books = (channelId: Uint8Array) => {
    const state = provider.store.payeeChannels.get(channelId)?.state;
    if (!state) throw new Error('no channel');
    return state;
  };
  const honest = await viewer.lease(provider, 20);
  const stream = await viewer.open(provider, honest);
  for (let i = 0; i < 20; i++) {
    stream.request(contentId, i);
    await stream.takePiece();
    stream.pay(honest, i + 1);
  }
  await waitFor('20 units are paid', () => books(honest.channelId).paidUnits === 20);
  stream.vanish();

  let takenBytes = 0;
  for (let round = 0; round < 3; round++) {
    const channel = await viewer.lease(provider, WINDOW_UNITS);
    const taking = await viewer.open(provider, channel);
    try {
      for (let i = 0; i < WINDOW_UNITS; i++) {
        taking.request(contentId, 20 + i);
        await taking.takePiece();
      }
    } catch {
      // It serves no more.
    }
    takenBytes += books(channel.channelId).servedBytes;
    const closing = await viewer.greet(provider);
    closing.send(viewer.checkpoint(channel, { number: 1, units: 0, bytes: 0, final: true }));
    await closing.expect('countersigned');
    await provider.claims.now();
    const isOver = () => ['claimed', 'settled'].includes(books(channel.channelId).status);
    await waitFor('the shard has released it', isOver);
    const paying = await viewer.open(provider, channel);
    paying.pay(channel, WINDOW_UNITS);
    await paying.ended();
    expect(books(channel.channelId).paidUnits).toBe(0);
  }
  expect(takenBytes).toBeLessThanOrEqual(WINDOW_UNITS * MIB);
});
