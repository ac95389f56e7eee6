import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ContentRow } from '../../main/db/node/contents.ts';
import { createDevice } from '../../main/wallet/device.ts';
import type { ErrorCode } from '../../shared/errors.ts';
import { type Devnet, MIB, startProvided, type TestPeer } from '../helpers/devnet.ts';
import { paidOn, warned } from '../helpers/provider-books.ts';
import { type RawChannel, RawViewer } from '../helpers/raw-viewer.ts';

let net: Devnet;
let provider: TestPeer;
let content: ContentRow;

beforeAll(async () => {
  ({ net, provider, content } = await startProvided(8 * MIB));
});
afterAll(() => net.stop());

describe('checkpoints that are not in order', () => {
  /** A channel with 3 units paid and a countersigned checkpoint 5 on it. */
  async function checkpointed() {
    const viewer = await RawViewer.start(net);
    const channel = await viewer.lease(provider, 30);
    const stream = await viewer.open(provider, channel);
    for (let i = 0; i < 3; i++) {
      stream.request(content.contentId, i);
      await stream.takePiece();
      stream.pay(channel, i + 1);
    }
    const first = viewer.checkpoint(channel, { number: 5, units: 3, bytes: 3 * MIB, watchMs: 7 });
    stream.send(first);
    const answer = await stream.receive();
    expect(answer?.type).toBe('countersigned');
    return { viewer, channel, stream, first, answer };
  }
  const stored = (channel: RawChannel) =>
    provider.store.payeeChannels.get(channel.channelId)?.lastCheckpoint?.checkpoint;

  it('the same one again gets the same countersignature', async () => {
    const { stream, first, answer } = await checkpointed();
    stream.send(first);
    expect(await stream.expect('countersigned')).toEqual(answer);
    stream.vanish();
  });

  it('an older one is ignored, and the stream goes on', async () => {
    const { viewer, channel, stream } = await checkpointed();
    stream.send(viewer.checkpoint(channel, { number: 4, units: 3, bytes: 3 * MIB }));
    stream.request(content.contentId, 4);
    await stream.takePiece();
    expect(stored(channel)).toMatchObject({ number: 5, watchMs: 7 });
    stream.vanish();
  });

  it.each<[string, ErrorCode, Parameters<RawViewer['checkpoint']>[1]]>([
    ['another one with the same number', 'CheckpointNotIncreasing', { number: 5, units: 3, bytes: 3 * MIB }],
    ['one whose units regress', 'CheckpointMismatch', { number: 6, units: 2, bytes: 2 * MIB }],
    ['one whose units are not paid', 'TickBeyondWindow', { number: 6, units: 30, bytes: 3 * MIB }],
    [
      'one with more bytes than were served',
      'CheckpointMismatch',
      { number: 6, units: 3, bytes: 3 * MIB + 1 },
    ],
    ['one with units past 2^53', 'MessageMalformed', { number: 6, units: 2 ** 53 }],
    ['one with a negative number', 'MessageMalformed', { number: -1, units: 3 }],
    ['one with more video than bytes', 'MessageMalformed', { number: 6, units: 3, bytes: 5, videoBytes: 6 }],
    ['one with another tick', 'CheckpointMismatch', { number: 6, units: 3, tick: new Uint8Array(32) }],
  ])('%s ends the stream and changes nothing', async (_what, code, fields) => {
    const { viewer, channel, stream } = await checkpointed();
    const codes = await warned(provider, async () => {
      stream.send(viewer.checkpoint(channel, fields));
      await stream.ended();
    });
    expect(codes).toEqual([code]);
    expect(stored(channel)).toMatchObject({ number: 5, units: 3, watchMs: 7 });
    expect(paidOn(provider, channel)).toBe(3);
  });

  it('one of another channel is passed over: our books may be an old copy', async () => {
    const { viewer, channel, stream } = await checkpointed();
    stream.send(viewer.checkpoint(channel, { number: 6, units: 3, channelId: new Uint8Array(32) }));
    stream.request(content.contentId, 4);
    await stream.takePiece();
    expect(stored(channel)).toMatchObject({ number: 5, watchMs: 7 });
    stream.vanish();
  });

  it('one with a wrong signature ends the stream and changes nothing', async () => {
    const { viewer, channel, stream } = await checkpointed();
    const next = viewer.checkpoint(channel, { number: 6, units: 3 });
    const codes = await warned(provider, async () => {
      stream.send({ ...next, signature: createDevice().sign(next.record) });
      await stream.ended();
    });
    expect(codes).toEqual(['InvalidSignature']);
    expect(stored(channel)?.number).toBe(5);
  });

  it('one that carries the tick of a unit not yet paid for pays for it', async () => {
    const { viewer, channel, stream } = await checkpointed();
    stream.request(content.contentId, 4);
    await stream.takePiece();
    stream.send(viewer.checkpoint(channel, { number: 6, units: 4, bytes: 4 * MIB, final: true }));
    await stream.expect('countersigned');
    expect(paidOn(provider, channel)).toBe(4);
    stream.vanish();
  });

  it('after a final one nothing is served on the channel', async () => {
    const { viewer, channel, stream } = await checkpointed();
    stream.send(viewer.checkpoint(channel, { number: 6, units: 3, bytes: 3 * MIB, final: true }));
    await stream.expect('countersigned');
    const id = stream.request(content.contentId, 4);
    expect(await stream.expect('refused')).toMatchObject({ id, code: 'ChannelUnleased' });
    stream.vanish();
    const again = await viewer.open(provider, channel);
    again.request(content.contentId, 4);
    expect(await again.expect('refused')).toMatchObject({ code: 'ChannelClosed' });
    again.vanish();
  });
});
