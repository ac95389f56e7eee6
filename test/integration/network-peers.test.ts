/** The list of peers names who trades with this node. */
import { expect, it } from 'vitest';
import { MIB, useDevnet } from '../helpers/devnet.ts';
import { waitFor } from '../helpers/wait.ts';
import { walletNode } from '../helpers/wallet-node.ts';

it('names the account of a peer that fetches from here, and of one that is fetched from', async () => {
  const net = await useDevnet();
  const [sharer, viewer] = [await walletNode(net, 'sharer'), await walletNode(net, 'viewer')];
  const accountOf = async ({ call }: typeof sharer) => (await call('snapshot', {})).account;
  const { contentId } = await net.content(sharer.node.peer, 16 * MIB, 'title');
  await waitFor('it is offered', async () =>
    (await viewer.node.peer.finder.find(contentId).catch(() => [])).some(() => true),
  );
  // Both ask while it is on its way.
  await sharer.call('setSettings', { uploadBytesPerSecond: 300_000 });
  await viewer.call('play', { contentId, download: true });
  for (const [one, other] of [
    [sharer, viewer],
    [viewer, sharer],
  ] as const) {
    const account = await accountOf(other);
    await waitFor('its account is named', async () =>
      (await one.call('network', {})).peers.some((peer) => peer.account === account),
    );
  }
  // Of the validator, which trades with nobody, no account is told.
  const { peers } = await sharer.call('network', {});
  expect(peers.filter(({ shard }) => shard !== null)).toMatchObject([{ account: null }]);
});
