/** A link is opened of which the only provider does not send now: its user is told so, and until when. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { askHave } from '../../main/p2p/protocols/have/protocol.ts';
import { fetchTransportFile } from '../../main/p2p/protocols/transport/protocol.ts';
import { dayOf, endOfDay } from '../../main/util/local-day.ts';
import { waitingUrl } from '../../shared/waiting-url.ts';
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

it('is told to the players of a title that is in the library, and only what looks on by itself waits for it', async () => {
  const net = await useDevnet();
  const sharer = await net.peer('sharer');
  const { contentId } = await net.content(sharer, 2 * MIB, 'title');
  const bytes = readFileSync(join(net.dir, 'title'));
  const viewer = await walletNode(net, 'viewer');
  const { finder, library } = viewer.node.peer;
  await waitFor('it is offered', async () => (await finder.find(contentId).catch(() => [])).length > 0);
  // As `play` of a page leaves it that was closed before the first byte.
  await viewer.call('play', { contentId });
  const transfer = await library.transfer(contentId);
  const at = (path: string) => new URL(path, viewer.node.http.url);
  const range = { range: 'bytes=0-999' };

  sharer.pauseSharing(contentId, true);
  await waitFor('nobody offers it', async () => (await finder.find(contentId).catch(() => [])).length === 0);
  const words = 'The peer that has this content does not share it for now';
  const paths = [
    `/content/${contentId}`,
    `/ace/getstream?content_id=${contentId}`,
    `/ace/manifest.m3u8?content_id=${contentId}`,
  ];
  const within = () => ({ headers: range, signal: AbortSignal.timeout(15_000) });
  const answers = paths.map(async (path) => {
    const answer = await fetch(at(path), within());
    return [answer.status, (await answer.text()).includes(words)];
  });
  expect(await Promise.all(answers)).toEqual(paths.map(() => [503, true]));
  for (const path of ['getstream', 'manifest.m3u8']) {
    const json = await fetch(at(`/ace/${path}?content_id=${contentId}&format=json`), within());
    expect(await json.json()).toEqual({ response: null, error: expect.stringContaining(words) });
  }
  expect(transfer.haveBytes).toBe(0);

  // A page and the command line show the reason, and go on by themselves.
  const waiting = await fetch(waitingUrl(at(`/content/${contentId}`).href), { headers: range });
  expect(waiting.status).toBe(206);
  sharer.pauseSharing(contentId, false);
  expect(Buffer.from(await waiting.arrayBuffer()).equals(bytes.subarray(0, 1_000))).toBe(true);
  // What was told before is no longer told.
  const again = await fetch(at(`/content/${contentId}`), within());
  expect([again.status, (await again.arrayBuffer()).byteLength]).toEqual([206, 1_000]);
});

it('is told to a player when nobody has the title any more, unless its provider is started again meanwhile', {
  tags: 'long',
}, async () => {
  const net = await useDevnet();
  const sharer = await net.peer('sharer');
  const { contentId } = await net.content(sharer, 2 * MIB, 'title');
  const viewer = await walletNode(net, 'viewer');
  const { finder, library } = viewer.node.peer;
  await waitFor('it is offered', async () => (await finder.find(contentId).catch(() => [])).length > 0);
  await viewer.call('play', { contentId });
  const transfer = await library.transfer(contentId);
  const play = () =>
    fetch(new URL(`/content/${contentId}`, viewer.node.http.url), { headers: { range: 'bytes=0-999' } });

  await sharer.stop();
  const refused = await play();
  expect([refused.status, (await refused.text()).trim()]).toEqual([
    404,
    'Nobody who has this content can be reached right now',
  ]);
  expect(transfer.haveBytes).toBe(0);

  const waited = play();
  await waitFor('nobody is there', () => transfer.isWanted && transfer.reason?.code === 'NoProviders');
  await net.peer('sharer');
  const answer = await waited;
  expect([answer.status, (await answer.arrayBuffer()).byteLength]).toEqual([206, 1_000]);
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
