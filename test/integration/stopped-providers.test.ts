/** A link is opened of which the only provider does not send now: its user is told so, and until when. */
import { expect, it } from 'vitest';
import { askHave } from '../../main/p2p/protocols/have/protocol.ts';
import { fetchTransportFile } from '../../main/p2p/protocols/transport/protocol.ts';
import { dayOf, endOfDay } from '../../main/util/local-day.ts';
import { expectAceRejection } from '../helpers/ace-error.ts';
import { fetchWhole, MIB, type TestPeer, useDevnet } from '../helpers/devnet.ts';
import { waitFor } from '../helpers/wait.ts';
import { walletNode } from '../helpers/wallet-node.ts';

function ask(viewer: TestPeer, provider: TestPeer, contentId: string) {
  return askHave(
    viewer.host,
    provider.host.getMultiaddrs(),
    contentId,
    async () => provider.account.address,
    AbortSignal.timeout(5_000),
  );
}

it('is told to those who play it, by the API and by HTTP, and it comes when it is shared again', {
  tags: 'long',
}, async () => {
  const net = await useDevnet();
  const sharer = await net.peer('sharer');
  const { contentId } = await net.content(sharer, 2 * MIB, 'title');
  const viewer = await walletNode(net, 'viewer');
  const { finder } = viewer.node.peer;
  await waitFor('it is offered', async () => (await finder.find(contentId).catch(() => [])).length > 0);

  sharer.pauseSharing(contentId, true);
  await waitFor('nobody offers it', async () => (await finder.find(contentId).catch(() => [])).length === 0);
  const paused = await expectAceRejection('ProviderStopped', viewer.call('play', { contentId }));
  expect(paused.message).toContain('does not share it for now');
  expect(paused.details).toEqual({});
  const url = new URL(`/content/${contentId}`, viewer.node.http.url);
  const answer = await fetch(url);
  expect([answer.status, (await answer.text()).trim()]).toEqual([503, paused.message]);

  sharer.pauseSharing(contentId, false);
  const [earliest, latest] = [endOfDay(dayOf(Date.now())), endOfDay(dayOf(Date.now())) + 86_400_000];
  await sharer.setLimits({ dataPerDayBytes: 1 });
  await waitFor('nobody offers it', async () => (await finder.find(contentId).catch(() => [])).length === 0);
  const full = await expectAceRejection('ProviderStopped', viewer.call('play', { contentId }));
  // By clocks that are looked at one after the other.
  expect(Number(full.details.untilMs)).toBeGreaterThanOrEqual(earliest - 1_000);
  expect(Number(full.details.untilMs)).toBeLessThanOrEqual(latest + 60_000);
  expect(full.message).toContain('has reached a limit of its own and sends nothing until');

  await sharer.setLimits({ dataPerDayBytes: null });
  await waitFor('it is offered again', async () => {
    return (await finder.find(contentId).catch(() => [])).length > 0;
  });
  await fetchWhole(viewer.node.peer, contentId);
});

it('is told to who asks by its id, and no more than that; what is not here stays unknown', async () => {
  const net = await useDevnet();
  const [sharer, viewer] = [await net.peer('sharer'), await net.peer('viewer')];
  const { contentId } = await net.content(sharer, MIB, 'title');
  const { contentId: other } = await net.content(viewer, MIB, 'other');
  const transport = (id: string) => fetchTransportFile(viewer.host, sharer.host.getMultiaddrs(), id);
  expect((await ask(viewer, sharer, contentId))?.account).toBe(sharer.account.address);
  expect(await ask(viewer, sharer, other)).toBeNull();

  sharer.pauseSharing(contentId, true);
  const paused = await expectAceRejection('ProviderStopped', ask(viewer, sharer, contentId));
  expect(paused.details).toEqual({});
  await expectAceRejection('ProviderStopped', transport(contentId));
  expect(await ask(viewer, sharer, other)).toBeNull();
  await expectAceRejection('ContentUnknown', transport(other));

  // A stop without an end looks the same: nobody learns which of the two it is.
  sharer.pauseSharing(contentId, false);
  await sharer.setLimits({ uploadBytesPerSecond: 0 });
  const stopped = await expectAceRejection('ProviderStopped', ask(viewer, sharer, contentId));
  expect(stopped).toMatchObject({ details: {}, message: paused.message });
  expect(await ask(viewer, sharer, other)).toBeNull();
});
