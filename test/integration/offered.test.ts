/** A peer that asks is told of what is offered to everybody, and of nothing else that this node has looked at. */
import { describe, expect, it } from 'vitest';
import { askRecords } from '../../main/p2p/protocols/live/protocol.ts';
import { fetchTransportFile } from '../../main/p2p/protocols/transport/protocol.ts';
import { expectAceRejection } from '../helpers/ace-error.ts';
import { fetchWhole, MIB, useDevnet } from '../helpers/devnet.ts';
import { RawViewer } from '../helpers/raw-viewer.ts';
import { waitFor } from '../helpers/wait.ts';

async function lookingNode() {
  const net = await useDevnet();
  const [provider, node, stranger] = [await net.peer(), await net.peer(), await net.peer()];
  const { contentId } = await net.content(provider, 3 * MIB);
  await node.library.resolve(contentId, 'fetched');
  const ask = () => fetchTransportFile(stranger.host, node.host.getMultiaddrs(), contentId);
  return { net, provider, node, stranger, contentId, ask };
}

describe('a transport file', () => {
  it('is not told while the content was only looked at, and is once it is shared', async () => {
    const { node, contentId, ask } = await lookingNode();
    expect(node.store.contents.get(contentId)).not.toBeNull();
    await expectAceRejection('ContentUnknown', ask());
    await fetchWhole(node, contentId);
    expect((await ask()).file).toMatchObject({ sizeBytes: 3 * MIB });
  });

  it('is told by a viewer that has a part, as it is announced: so it is passed on', async () => {
    const { node, contentId, ask } = await lookingNode();
    const transfer = await node.library.transfer(contentId);
    const reader = transfer.addReader(0);
    await transfer.piece(0, AbortSignal.timeout(10_000));
    transfer.removeReader(reader);
    expect((await ask()).file.name).toBe(`${3 * MIB}.bin`);
  });

  it('is told as stopped while nothing is uploaded', async () => {
    const { node, contentId, ask } = await lookingNode();
    await fetchWhole(node, contentId);
    await node.setLimits({ uploadBytesPerSecond: 0 });
    await expectAceRejection('ProviderStopped', ask());
  });

  it('is not told over a session, nor which pieces there are', async () => {
    const { net, node, provider, contentId } = await lookingNode();
    const viewer = await RawViewer.start(net);
    const stream = await viewer.greet(node);
    stream.send({ type: 'interest', contentId });
    stream.send({ type: 'ask', id: 0, contentId, pieceIndex: 0 });
    const answer = await stream.expect('transport');
    expect(answer.bytes).toHaveLength(0);
    // The one that has it says so.
    const other = await viewer.greet(provider);
    other.send({ type: 'interest', contentId });
    expect((await other.expect('have')).bitmap).toHaveLength(0);
  });
});

it('a broadcast that is not watched any more is unknown to who asks', async () => {
  const net = await useDevnet();
  const [broadcaster, node, stranger] = [await net.peer(), await net.peer(), await net.peer()];
  const { contentId } = await broadcaster.live.start('Harbour', null);
  const found = await waitFor('the broadcast is announced', () =>
    node.live.broadcastOf(contentId).catch(() => null),
  );
  expect(found).toBe(contentId);
  const ask = () => askRecords(stranger.host, node.host.getMultiaddrs(), contentId, -1);
  await expectAceRejection('BroadcastUnknown', ask());
  node.live.watch(contentId);
  expect(await ask()).toEqual([]);
  await node.live.unwatch(contentId);
  await expectAceRejection('BroadcastUnknown', ask());
});

it('nobody is found, and the user told why, while the limit of connections is 0', async () => {
  const net = await useDevnet();
  const [provider, viewer] = [await net.peer(), await net.peer()];
  const { contentId } = await net.content(provider, MIB);
  await viewer.setLimits({ maxConnections: 0 });
  const refused = await expectAceRejection('NoProviders', viewer.library.resolve(contentId, 'fetched'));
  expect(refused.message).toContain('the limit of connections is 0');
  await viewer.setLimits({ maxConnections: null });
  await fetchWhole(viewer, contentId);
});
