/** A payer that pays nothing leaves rows in a provider's list of claims, which is handed in whole every second. */
import { expect, it } from 'vitest';
import { MIB, useDevnet } from '../helpers/devnet.ts';
import { RawViewer } from '../helpers/raw-viewer.ts';

it('a channel that both sides closed leaves the list of claims', async () => {
  const net = await useDevnet();
  const provider = await net.peer('provider');
  await net.content(provider, MIB);
  const viewer = await RawViewer.start(net);
  const stream = await viewer.greet(provider);
  for (let i = 0; i < 20; i++) {
    const channel = await viewer.lease(provider, 1, { expiresAtMs: Date.now() + 6 * 24 * 3_600_000 });
    // Only the payer signs: the shard notes the number, and no later checkpoint is newer.
    const poison = viewer.checkpoint(channel, { number: Number.MAX_SAFE_INTEGER, units: 0 });
    await viewer.shard.call('claim', {
      channelId: channel.channelId,
      units: 0,
      tick: channel.chain.tick(0),
      checkpoint: { record: poison.record, payerSignature: poison.signature, payeeSignature: null },
    });
    await stream.open(channel);
    stream.send(viewer.checkpoint(channel, { number: 1, units: 0, final: true }));
    await stream.expect('countersigned');
  }
  for (let run = 0; run < 3; run++) await provider.claims.now();
  const left = provider.store.payeeChannels.toClaim().length;
  expect(left).toBe(0);
});
