/**
 * A provider whose claims the shard refuses (the lease was released there: clocks apart by more than the grace) must
 * not serve on for nothing.
 */
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { openValidatorStore } from '../../main/db/validator/store.ts';
import { MIB, useDevnet } from '../helpers/devnet.ts';
import { RawViewer } from '../helpers/raw-viewer.ts';
import { waitFor } from '../helpers/wait.ts';

it('after the shard refused a claim, at most one window more is served on the channel', async () => {
  const net = await useDevnet();
  const provider = await net.peer('provider');
  const { contentId } = await net.content(provider, 60 * MIB);
  const viewer = await RawViewer.start(net);
  const channel = await viewer.lease(provider, 60);
  const stream = await viewer.open(provider, channel);
  const fetch = async (from: number, to: number) => {
    for (let i = from; i < to; i++) {
      stream.request(contentId, i);
      await stream.takePiece();
      stream.pay(channel, i + 1);
    }
  };
  await fetch(0, 5);
  // As if the shard's clock had passed the lease's expiry and grace, and the provider's had not.
  const shard = openValidatorStore(join(net.dir, 'validator', 'validator.db'));
  onTestFinished(() => shard.close());
  const claimed = () => shard.leases.get(channel.channelId)?.claimedUnits ?? 0;
  await waitFor('5 units claimed', () => claimed() === 5);
  expect(shard.leases.releaseExpired(Date.now() + 10 * 3_600_000)).toBe(1);
  // The provider hears it by a refused claim, or by the shard's word on the channel, whichever comes first.
  await fetch(5, 8).catch((_e: unknown) => undefined);
  const status = () => provider.store.payeeChannels.all()[0]?.state.status;
  await waitFor('it knows', () => status() !== 'open');
  await fetch(8, 60).catch((_e: unknown) => undefined);
  const served = provider.store.payeeChannels.all()[0]?.state.servedBytes ?? 0;
  expect(served / MIB - claimed()).toBeLessThanOrEqual(3 + 8);
});

it('a viewer whose channel the provider has closed that way goes on over another one', async () => {
  const net = await useDevnet();
  const provider = await net.peer('provider');
  const { contentId } = await net.content(provider, 60 * MIB);
  const viewer = await net.peer('viewer');
  const transfer = await viewer.library.transfer(contentId);
  transfer.addReader(0);
  const shard = openValidatorStore(join(net.dir, 'validator', 'validator.db'));
  onTestFinished(() => shard.close());
  await waitFor('some pieces', () => transfer.paidUnits >= 4);
  shard.leases.releaseExpired(Date.now() + 24 * 3_600_000);
  transfer.addReader(12);
  await waitFor('a claim is refused', () => provider.warnings.some((w) => w.code === 'ClaimInvalid'));
  transfer.download();
  await waitFor('done', () => transfer.state === 'done');
  expect(viewer.store.payerChannels.all()).toHaveLength(2);
});
