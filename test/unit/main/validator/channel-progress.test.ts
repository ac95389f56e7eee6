import { afterEach, beforeEach, expect, it } from 'vitest';
import { settle } from '../../../../main/validator/batching.ts';
import { channelProgress } from '../../../../main/validator/channel-progress.ts';
import { party, TestShard } from '../../../helpers/shard.ts';
import { tempDir } from '../../../helpers/temp-dir.ts';

const [payer, payee] = [party(1), party(2)];

let shard: TestShard;
beforeEach(() => {
  shard = new TestShard(tempDir());
});
afterEach(() => shard.close());

it('a channel is told with what was claimed, applied and released, one without a lease not at all', async () => {
  const channel = await shard.lease(payer, payee, 20);
  const unknown = shard.terms(payer, payee, 20);
  const told = () => channelProgress(shard.store, [unknown.channelId, channel.channelId]).channels;
  const id = Buffer.from(channel.channelId);
  expect(told()).toEqual([{ channelId: id, claimedUnits: 0, appliedUnits: 0, released: false }]);
  shard.claim(channel, 5);
  await settle(shard.context);
  shard.claim(channel, 7, { checkpoint: shard.checkpoint(channel, { units: 7, final: true }) });
  expect(told()).toEqual([{ channelId: id, claimedUnits: 7, appliedUnits: 5, released: true }]);
});
