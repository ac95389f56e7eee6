/**
 * A provider whose claims the shard refuses (the lease was released there: clocks apart by more than the grace) must
 * not serve on for nothing.
 */
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { expect, it, onTestFinished } from 'vitest';
import { openValidatorStore } from '../../main/db/validator/store.ts';
import { CLAIM_GRACE_MS } from '../../main/validator/batching.ts';
import { DEFAULT_WINDOW_CAP_UNITS as WINDOW_UNITS } from '../../shared/channel/payee.ts';
import { type Devnet, MIB, useDevnet } from '../helpers/devnet.ts';
import { RawViewer } from '../helpers/raw-viewer.ts';
import { waitFor } from '../helpers/wait.ts';

it('after the shard refused a claim, at most one window more is served on the channel', async () => {
  const { net, provider, contentId, channel, stream } = await opened();
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

it('a viewer whose channel the provider has closed that way goes on over another one', {
  tags: 'long',
}, async () => {
  const { net, provider, viewer, transfer } = await streaming();
  expect(expireLeases(net)).toBe(1);
  transfer.addReader(12);
  await waitFor('a claim is refused', () => provider.warnings.some((w) => w.code === 'ClaimInvalid'));
  transfer.download();
  await waitFor('done', () => transfer.state === 'done');
  expect(viewer.store.payerChannels.all()).toHaveLength(2);
});

// Nothing was served for a day, before: no payment could come for what had been on its way.
it('whoever had a whole window on its way then goes on by paying each unit first', async () => {
  const { net, provider, contentId, viewer, channel, stream } = await opened();
  const fetch = async (index: number) => {
    stream.request(contentId, index);
    await stream.takePiece();
  };
  const paid = 7;
  for (let index = 0; index < paid; index++) {
    await fetch(index);
    stream.pay(channel, index + 1);
  }
  await waitFor('all is claimed', () => shardOf(net).leases.get(channel.channelId)?.claimedUnits === paid);
  for (let index = paid; index < paid + WINDOW_UNITS; index++) await fetch(index);
  expect(expireLeases(net)).toBe(1);
  const disputed = () => provider.store.payeeChannels.get(channel.channelId)?.state.status === 'disputed';
  stream.pay(channel, paid + 1);
  // Served before the provider can hear of the end.
  stream.request(contentId, paid + WINDOW_UNITS);
  await waitFor('the claim of it is refused', disputed);

  const next = await viewer.lease(provider, 20);
  const again = await viewer.open(provider, next);
  for (let units = 1; units <= 3; units++) {
    const id = again.request(contentId, 40 + units);
    expect(await again.expect('refused')).toMatchObject({ id, code: 'PrepaymentDue' });
    again.pay(next, units);
    again.request(contentId, 40 + units);
    await again.takePiece();
  }
  expect(provider.store.payeeChannels.get(next.channelId)?.state).toMatchObject({
    status: 'open',
    paidUnits: 3,
  });
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

/** A viewer in the test's hands, with a channel to a provider of 60 pieces. */
async function opened() {
  const net = await useDevnet();
  const provider = await net.peer('provider');
  const { contentId } = await net.content(provider, 60 * MIB);
  const viewer = await RawViewer.start(net);
  const channel = await viewer.lease(provider, 60);
  const stream = await viewer.open(provider, channel);
  return { net, provider, contentId, viewer, channel, stream };
}

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
