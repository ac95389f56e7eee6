/** Anyone who leased one unit floods the shard with claims, each with a newer checkpoint: one verify and one fsync each. */

import * as dagCbor from '@ipld/dag-cbor';
import { expect, it } from 'vitest';
import { openStream } from '../../main/p2p/host.ts';
import { SHARD_LIMITS, SHARD_PROTOCOL } from '../../main/p2p/protocols/shard/constants.ts';
import { MIB, useDevnet } from '../helpers/devnet.ts';
import { longestWorkMs } from '../helpers/event-loop.ts';
import { RawViewer } from '../helpers/raw-viewer.ts';

it('a flood of claims does not stop the shard for others', async () => {
  const net = await useDevnet();
  const provider = await net.peer('provider');
  await net.content(provider, MIB);
  const viewer = await RawViewer.start(net);
  const channel = await viewer.lease(provider, 1);
  const count = 3_000;
  const frames = Array.from({ length: count }, (_, i) => {
    const { record, signature } = viewer.checkpoint(channel, { number: i + 1, units: 0 });
    const params = {
      channelId: channel.channelId,
      units: 0,
      tick: channel.chain.tick(0),
      checkpoint: { record, payerSignature: signature, payeeSignature: null },
    };
    return dagCbor.encode({ id: i + 1, method: 'claim', params });
  });
  const line = await openStream(
    viewer.host,
    net.validator.host.getMultiaddrs(),
    SHARD_PROTOCOL,
    SHARD_LIMITS,
  );
  const worst = await longestWorkMs(async () => {
    line.send(...frames);
    for (let i = 0; i < count; i++) await line.read(30_000);
  });
  line.abort(new Error('gone'));
  expect(worst).toBeLessThan(250);
});
