/**
 * A provider whose claims the shard refuses (the lease was released there: clocks apart by more than the grace) must
 * not serve on for nothing.
 */
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { expect, it, onTestFinished } from 'vitest';
import { openValidatorStore } from '../../main/db/validator/store.ts';
import { CLAIM_GRACE_MS } from '../../main/validator/batching.ts';
import { type Devnet, MIB, useDevnet } from '../helpers/devnet.ts';
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
  const shard = shardOf(net);
  const claimed = () => shard.leases.get(channel.channelId)?.claimedUnits ?? 0;
  await waitFor('5 units claimed', () => claimed() === 5);
  expect(expireLeases(net)).toBe(1);
  // The provider hears it by a refused claim, or by the shard's word on the channel, whichever comes first.
  await fetch(5, 8).catch((_e: unknown) => undefined);
  const status = () => provider.store.payeeChannels.all()[0]?.state.status;
  await waitFor('it knows', () => status() !== 'open');
  await fetch(8, 60).catch((_e: unknown) => undefined);
  const served = provider.store.payeeChannels.all()[0]?.state.servedBytes ?? 0;
  expect(served / MIB - claimed()).toBeLessThanOrEqual(3 + 8);
});

it('a viewer whose channel the provider has closed that way goes on over another one', async () => {
  const { net, provider, viewer, transfer } = await streaming();
  expect(expireLeases(net)).toBe(1);
  transfer.addReader(12);
  await waitFor('a claim is refused', () => provider.warnings.some((w) => w.code === 'ClaimInvalid'));
  transfer.download();
  await waitFor('done', () => transfer.state === 'done');
  expect(viewer.store.payerChannels.all()).toHaveLength(2);
});

it('a lease that the shard released before its time is taken up again with the next claim, and nobody is set aside', async () => {
  const { net, provider, viewer, transfer } = await streaming();
  const shard = shardOf(net);
  // As a clock that was far ahead for so long that the shard believed it, and is right again.
  expect(shard.leases.releaseExpired(Date.now() + 48 * 3_600_000)).toBe(1);
  transfer.download();
  await waitFor('done', () => transfer.state === 'done');
  const [channel, ...more] = viewer.store.payerChannels.all();
  expect(more).toEqual([]);
  if (!channel) throw new Error('Nothing was leased');
  await waitFor('all is claimed', () => shard.leases.get(channel.state.channelId)?.claimedUnits === 60);
  expect(provider.warnings.filter((w) => w.code === 'ClaimInvalid')).toEqual([]);
});

/** A viewer that has paid for some of its provider's 60 pieces. */
async function streaming() {
  const net = await useDevnet();
  const provider = await net.peer('provider');
  const { contentId } = await net.content(provider, 60 * MIB);
  const viewer = await net.peer('viewer');
  const transfer = await viewer.library.transfer(contentId);
  transfer.addReader(0);
  await waitFor('some pieces', () => transfer.paidUnits >= 4);
  return { net, provider, viewer, transfer };
}

function shardOf(net: Devnet) {
  const shard = openValidatorStore(join(net.dir, 'validator', 'validator.db'));
  onTestFinished(() => shard.close());
  return shard;
}

/** As if the shard's clock had passed the leases' expiry and grace, and the provider's had not. */
function expireLeases(net: Devnet): number {
  const db = new Sqlite(join(net.dir, 'validator', 'validator.db'));
  try {
    const pastMs = Date.now() - CLAIM_GRACE_MS - 1;
    return db.prepare(`UPDATE leases SET released = 1, expires_at_ms = ?`).run(pastMs).changes;
  } finally {
    db.close();
  }
}
