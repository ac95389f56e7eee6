/** What a viewer may ask beside pieces: that a request be forgotten, and which pieces there are. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mapHas } from '../../main/content/have-map.ts';
import type { ContentRow } from '../../main/db/node/contents.ts';
import { type Devnet, MIB, startProvided, type TestPeer } from '../helpers/devnet.ts';
import { paidOn, warned } from '../helpers/provider-books.ts';
import { RawViewer } from '../helpers/raw-viewer.ts';
import { waitFor } from '../helpers/wait.ts';

let net: Devnet;
let provider: TestPeer;
let content: ContentRow;

beforeAll(async () => {
  ({ net, provider, content } = await startProvided(16 * MIB));
});
afterAll(() => net.stop());

describe('a request that is withdrawn', () => {
  it('is refused and never booked while it waits; what is in the provider’s hand stays there', async () => {
    const viewer = await RawViewer.start(net);
    const channel = await viewer.lease(provider, 8);
    const stream = await viewer.open(provider, channel);
    const ids = [0, 1, 2, 3].map((index) => stream.request(content.contentId, index));
    // A stranger's window is one unit: the second waits for its payment, at the head of the queue.
    expect((await stream.takePiece()).id).toBe(ids[0]);
    for (const id of ids) stream.send({ type: 'withdraw', id });
    stream.send({ type: 'withdraw', id: 999 });
    expect(await stream.expect('refused')).toMatchObject({ id: ids[2], code: 'Withdrawn' });
    expect(await stream.expect('refused')).toMatchObject({ id: ids[3], code: 'Withdrawn' });
    stream.pay(channel, 1);
    expect((await stream.takePiece()).id).toBe(ids[1]);
    stream.pay(channel, 2);
    await waitFor('both paid', () => paidOn(provider, channel) === 2);
    expect(provider.store.payeeChannels.get(channel.channelId)?.state.servedBytes).toBe(2 * MIB);
    stream.vanish();
  });

  it('leaves the piece to be asked for again', async () => {
    const viewer = await RawViewer.start(net);
    const channel = await viewer.lease(provider, 8);
    const stream = await viewer.open(provider, channel);
    const [, , third] = [0, 1, 2].map((index) => stream.request(content.contentId, index));
    await stream.takePiece();
    stream.send({ type: 'withdraw', id: third ?? 0 });
    await stream.expect('refused');
    const again = stream.request(content.contentId, 2);
    stream.pay(channel, 1);
    await stream.takePiece();
    stream.pay(channel, 2);
    expect((await stream.takePiece()).id).toBe(again);
    stream.vanish();
  });
});

describe('asking which pieces there are', () => {
  it('gets nothing but the word that all are there, of a whole content', async () => {
    const stream = await (await RawViewer.start(net)).greet(provider);
    stream.send({ type: 'interest', contentId: content.contentId });
    expect((await stream.expect('have')).bitmap).toHaveLength(0);
    stream.send({ type: 'interest', contentId: 'unknown' });
    expect(await stream.silentFor(200)).toBe(true);
    stream.vanish();
  });

  it('hears of each piece that comes, until all are there', async () => {
    const partial = await net.peer('partial');
    const { contentId } = await net.content(partial, 3 * MIB, 'partial.bin');
    partial.store.commit(() => {
      for (const index of [1, 2]) partial.store.contents.pieces.remove(contentId, index);
    });
    const stream = await (await RawViewer.start(net)).greet(partial);
    stream.send({ type: 'interest', contentId });
    const first = (await stream.expect('have')).bitmap;
    expect([0, 1, 2].map((index) => mapHas(first, index))).toEqual([true, false, false]);
    stream.request(contentId, 1);
    expect(await stream.expect('refused')).toMatchObject({ code: 'PieceUnknown' });
    partial.store.commit(() => partial.store.contents.pieces.add(contentId, 2, true));
    const second = (await stream.expect('have')).bitmap;
    expect([0, 1, 2].map((index) => mapHas(second, index))).toEqual([true, false, true]);
    partial.store.commit(() => partial.store.contents.pieces.add(contentId, 1, true));
    expect((await stream.expect('have')).bitmap).toHaveLength(0);
    stream.vanish();
    await partial.stop();
  });

  it('without end is answered by leaving', async () => {
    const stream = await (await RawViewer.start(net)).greet(provider);
    const codes = await warned(provider, async () => {
      for (let i = 0; i < 200; i++) stream.send({ type: 'interest', contentId: content.contentId });
      const said = await stream.ended();
      expect(said.length).toBeLessThan(100);
      await waitFor('the provider says so', () => provider.warnings.length > 0);
    });
    expect(codes).toContain('TooManyRequests');
  });
});
