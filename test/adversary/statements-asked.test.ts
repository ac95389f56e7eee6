/**
 * A statement of 500 rows took a shard 33 ms, for whoever asked, of anybody's account: eight strangers brought the others'
 * wait from 1.7 to 944 ms. Now it is told to the account's devices, and each row is signed once.
 */
import { expect, it } from 'vitest';
import { expectAceRejection } from '../helpers/ace-error.ts';
import { fetchWhole, MIB, settleUp, useDevnet } from '../helpers/devnet.ts';
import { RawViewer } from '../helpers/raw-viewer.ts';

it('a stranger is told no statement of another account, whatever certificate it shows', async () => {
  const net = await useDevnet();
  const [provider, viewer] = [await net.peer('provider'), await net.peer('viewer')];
  const { contentId } = await net.content(provider, MIB);
  await fetchWhole(viewer, contentId);
  await settleUp(viewer, provider, contentId);
  const account = viewer.account.address;
  const ask = { account, afterSeq: 0 };
  const own = await viewer.shardClient.call('statement', { ...ask, certificate: viewer.certificate });
  expect(own.rows).toHaveLength(1);
  expect(await viewer.shardClient.call('statement', { ...ask, certificate: viewer.certificate })).toEqual(
    own,
  );
  const stranger = await RawViewer.start(net);
  const withOne = (certificate: Uint8Array) => stranger.shard.call('statement', { ...ask, certificate });
  await expectAceRejection('NotAllowed', withOne(stranger.certificate));
  await expectAceRejection('InvalidCertificate', withOne(viewer.certificate));
});
