/** Attacks of a viewer on a provider. The loss is in units served and never paid. */
import { expect, it } from 'vitest';
import type { Message } from '../../main/pieces/messages.ts';
import { MIB, type TestPeer, useDevnet } from '../helpers/devnet.ts';
import { type RawStream, RawViewer } from '../helpers/raw-viewer.ts';
import { waitFor } from '../helpers/wait.ts';

const TIMEOUTS = { handshakeMs: 5_000, paymentMs: 200, dataMs: 5_000 };

const request = (id: number, contentId: string, pieceIndex: number): Message => ({
  type: 'request',
  id,
  contentId,
  pieceIndex,
});

/** Bytes served on all channels, as the provider booked them. */
function bookedBytes(provider: TestPeer): number {
  return provider.store.payeeChannels.all().reduce((sum, { state }) => sum + state.servedBytes, 0);
}

/** Pieces until the provider refuses, ends the stream or says nothing for a while. */
async function takeAll(stream: RawStream): Promise<Buffer[]> {
  const taken: Buffer[] = [];
  for (;;) {
    const piece = await stream.takePiece(1_000).catch(() => null);
    if (!piece) return taken;
    taken.push(piece.bytes);
  }
}

it('a viewer that says an id again for a larger piece gets nothing that was not booked', async () => {
  const full = 12;
  const net = await useDevnet();
  const provider = await net.peer('provider', undefined, TIMEOUTS);
  const { contentId } = await net.content(provider, full * MIB + 1_000);
  const viewer = await RawViewer.start(net);
  const stream = await viewer.open(provider, await viewer.lease(provider, 1));
  let receivedBytes = 0;
  for (let k = 0; k < full; k++) {
    // The short last piece, and a large one read ahead and refused, whose id the next round says for the short one.
    stream.send(request(k + 1, contentId, full), request(k + 2, contentId, k));
    const piece = await stream.takePiece();
    receivedBytes += piece.bytes.byteLength;
    expect(piece.bytes.byteLength).toBe(1_000);
    const answer = await stream.receive();
    expect(answer).toMatchObject({ type: 'refused', id: k + 2 });
  }
  expect(receivedBytes).toBe(bookedBytes(provider));
  expect(receivedBytes).toBeLessThanOrEqual(MIB);
  stream.vanish();
});

it('a viewer that says an id twice at once is left', async () => {
  const net = await useDevnet();
  const provider = await net.peer('provider', undefined, TIMEOUTS);
  const { contentId } = await net.content(provider, 4 * MIB);
  const viewer = await RawViewer.start(net);
  const stream = await viewer.open(provider, await viewer.lease(provider, 4));
  stream.send(request(1, contentId, 0), request(2, contentId, 1), request(2, contentId, 2));
  await stream.ended().catch(() => undefined);
  await waitFor('the provider left', () => provider.warnings.length > 0);
  expect(provider.warnings.map(({ code }) => code)).toEqual(['MessageUnexpected']);
  expect(bookedBytes(provider)).toBeLessThanOrEqual(MIB);
});

it('a piece that was lost with its stream is sent a second time, and never a third', {
  tags: 'long',
}, async () => {
  const net = await useDevnet();
  const provider = await net.peer('provider', undefined, TIMEOUTS);
  const { contentId } = await net.content(provider, 4 * MIB);
  const viewer = await RawViewer.start(net);
  const channel = await viewer.lease(provider, 2);
  let stream = await viewer.open(provider, channel);
  stream.send(request(1, contentId, 0));
  let sent = (await takeAll(stream)).length;
  stream.vanish();
  for (let visit = 0; visit < 5; visit++) {
    stream = await viewer.open(provider, channel);
    // The first waits for a payment, the others gather behind it.
    stream.send(request(1, contentId, 1), ...[2, 3, 4, 5].map((id) => request(id, contentId, 0)));
    for (;;) {
      const answer = await stream.receive(1_000).catch(() => null);
      if (!answer) break;
      if (answer.type === 'piece') sent += 1;
    }
    stream.vanish();
  }
  expect(sent).toBe(2);
  expect(bookedBytes(provider)).toBe(MIB);
});
