/** The sharing of one title, paused and taken up again. */
import { expect, it } from 'vitest';
import { expectAceRejection } from '../helpers/ace-error.ts';
import { fetchWhole, MIB, settleUp, useDevnet } from '../helpers/devnet.ts';
import { standsStill, waitFor } from '../helpers/wait.ts';
import { walletNode } from '../helpers/wallet-node.ts';

it('is announced and sent to nobody, also after a restart, while the other titles are; then to all who wait', async () => {
  const net = await useDevnet();
  const viewer = await net.peer('viewer');
  const sharer = await walletNode(net, 'sharer');
  const { peer } = sharer.node;
  const title = await net.content(peer, 12 * MIB, 'title');
  const other = await net.content(peer, 2 * MIB, 'other');
  const { contentId } = title;
  await peer.setLimits({ uploadBytesPerSecond: 2 * MIB });
  const transfer = await viewer.library.transfer(contentId);
  transfer.download();
  await waitFor('some of it', () => transfer.haveBytes >= 2 * MIB);

  expect(await sharer.call('pauseContent', { contentId, paused: true })).toMatchObject({ paused: true });
  await waitFor('the viewer is told', () => transfer.reason?.code === 'ProviderStopped');
  // What had begun still comes.
  await peer.setLimits({ uploadBytesPerSecond: null });
  await standsStill('what is sent', () => peer.meter.totals().upBytes);
  const have = await standsStill('what is here', () => transfer.haveBytes);
  await fetchWhole(viewer, other.contentId);
  expect(transfer.haveBytes).toBe(have);
  const paused = async () =>
    (await sharer.call('contents', {})).filter((c) => c.paused).map((c) => c.contentId);
  expect(await paused()).toEqual([contentId]);
  const unknown = contentId.slice(0, 30) + (contentId[30] === 'a' ? 'b' : 'a') + contentId.slice(31);
  await expectAceRejection(
    'ContentUnknown',
    sharer.call('pauseContent', { contentId: unknown, paused: true }),
  );
  await sharer.stop();

  const again = await walletNode(net, 'sharer');
  // Who looks now finds the viewer, with what it got, and not the sharer.
  const late = await net.peer('late');
  const sharerId = again.node.peer.host.peerId.toString();
  const found = async (id: string) => (await late.finder.find(id)).map(({ peerId }) => peerId);
  await waitFor('the other title', async () => (await found(other.contentId)).includes(sharerId));
  expect(await found(contentId)).toEqual([viewer.host.peerId.toString()]);
  expect(transfer.haveBytes).toBe(have);

  await again.call('pauseContent', { contentId, paused: false });
  await waitFor('the rest', () => transfer.state === 'done');
  await settleUp(viewer, again.node.peer, contentId);
  expect(again.node.peer.store.payeeChannels.paidUnits()).toBe(2 + 12);
});
