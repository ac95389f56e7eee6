/** What a user is told of payment channels: on both sides, before and after a settlement, with the shard and without. */
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RunningNode, startNode } from '../../main/node/node.ts';
import { channelsView } from '../../main/service/channels.ts';
import type { ChannelsView } from '../../shared/rpc/channels.ts';
import { Devnet, fetchWhole, joinedNode, MIB, type TestPeer } from '../helpers/devnet.ts';
import { makeMedia } from '../helpers/files.ts';
import { waitFor } from '../helpers/wait.ts';

let net: Devnet;
let provider: TestPeer;
let node: RunningNode;
let filmId: string;
let fileId: string;

beforeAll(async () => {
  // Settles when it is asked to, and not before.
  net = await Devnet.start({ settlementIntervalMs: 86_400_000 });
  provider = await net.peer('provider');
  node = await startNode(joinedNode(net));
});

afterAll(async () => {
  await node?.stop();
  await net?.stop();
});

const paying = () => node.service.channels({ limit: 100 });
const earning = (): ChannelsView =>
  channelsView(provider.store, { limit: 100 }, provider.sync.picture?.unitPriceXac ?? null, Date.now());

describe('the channels that a node shows', () => {
  it('are none at first', async () => {
    const nothing = { channels: [], next: null, count: 0, counterparties: [], contents: [] };
    expect(await paying()).toEqual(nothing);
    expect(earning()).toEqual(nothing);
  });

  it('say what is paid and pending, not yet earned, on both sides alike', async () => {
    ({ contentId: fileId } = await net.content(provider, 5 * MIB + 1, 'file.bin'));
    await fetchWhole(node.peer, fileId);
    await waitFor('all ticks held', () => provider.store.payeeChannels.paidUnits() === 6);

    const both = {
      state: 'open',
      servedBytes: 5 * MIB + 1,
      servedUnits: 6,
      paidUnits: 6,
      settledUnits: 0,
      pendingUnits: 6,
      // 4 GB an hour: 1 GB is 0.25 XAT, and 1 XAT is 1 XAC.
      pendingXac: '0.0014649',
    };
    const [paid, earned] = [(await paying()).channels, earning().channels];
    expect(paid).toEqual([expect.objectContaining({ ...both, direction: 'paying', kind: 'other' })]);
    expect(earned).toEqual([expect.objectContaining({ ...both, direction: 'earning' })]);
    expect(paid[0]?.counterparty).toBe(provider.account.address);
    expect(earned[0]?.counterparty).toBe(node.peer.account.address);
    expect(paid[0]?.channelId).toBe(earned[0]?.channelId);
    expect(earning().counterparties).toEqual([
      expect.objectContaining({ channels: 1, pendingUnits: 6, pendingXac: '0.0014649', netXac: '0.0000000' }),
    ]);
  });

  it('say what the main chain has settled, and the last checkpoint', async () => {
    await node.peer.library.stopTransfer(fileId);
    await provider.claims.now();
    await provider.shardClient.call('settle', {});
    await Promise.all([node.peer.sync.refresh(), provider.sync.refresh()]);

    const settled = { state: 'settled', paidUnits: 6, settledUnits: 6, pendingUnits: 0 };
    const checkpoint = { units: 6, bytes: 5 * MIB + 1, final: true, countersigned: true };
    for (const { channels } of [await paying(), earning()]) {
      expect(channels).toEqual([
        expect.objectContaining({
          ...settled,
          kind: 'other',
          checkpoint: expect.objectContaining(checkpoint),
        }),
      ]);
    }
    const [total] = earning().counterparties;
    // Nothing was on hand to pay with: it is a loan, settled all the same, and no money has moved.
    expect(total).toMatchObject({ settledUnits: 6, pendingUnits: 0, grossXac: '0.0000000' });
  });

  it('say per content what it was for, and of what kind', async () => {
    const path = await makeMedia(join(net.dir, 'film.wav'), 3 * MIB, 60_000);
    ({ contentId: filmId } = await provider.import({ path }));
    const { playbackUrl } = await node.service.play({ contentId: filmId, download: false });
    await (await fetch(playbackUrl)).arrayBuffer();
    await node.service.stop({ contentId: filmId });

    const { channels, contents } = await paying();
    expect(channels.map(({ kind }) => kind)).toEqual(['video', 'other']);
    expect(contents.map(({ contentId, receivedBytes }) => [contentId, receivedBytes])).toEqual([
      [fileId, 5 * MIB + 1],
      [filmId, 3 * MIB],
    ]);
    expect(earning().contents.map(({ servedBytes }) => servedBytes)).toEqual([5 * MIB + 1, 3 * MIB]);
  });

  it('say what was paid in money, once there is some', async () => {
    await node.service.topUp({ amountXat: '1' });
    await provider.claims.now();
    await provider.shardClient.call('settle', {});
    await provider.sync.refresh();
    const [total] = earning().counterparties;
    // 9 units are 0.0021973 XAC, to be paid in two parts, each rounded up; a tenth of it is the fee.
    expect(total).toMatchObject({ paidUnits: 9, settledUnits: 9, pendingUnits: 0 });
    expect(Number(total?.grossXac)).toBeCloseTo((9 * 0.25) / 1_024, 6);
    expect(Number(total?.netXac)).toBeCloseTo((9 * 0.25 * 0.9) / 1_024, 6);
  });

  it('come by pages, newest first, none twice and none left out', async () => {
    const whole = await paying();
    const first = await node.service.channels({ limit: 1 });
    expect(first.next).not.toBeNull();
    const second = await node.service.channels({ limit: 1, after: first.next ?? '' });
    expect([...first.channels, ...second.channels]).toEqual(whole.channels);
    expect([first.count, second.count]).toEqual([2, 2]);
    const third = await node.service.channels({ limit: 1, after: second.next ?? '' });
    expect(third).toMatchObject({ channels: [], next: null });
  });

  it('are the same while the shard is away', async () => {
    const before = earning();
    expect(before.channels.map(({ settledUnits }) => settledUnits)).toEqual([3, 6]);
    await net.validator.stop();
    await waitFor('the line is down', () => !provider.shardClient.connected);
    expect(earning()).toEqual(before);
  });
});
