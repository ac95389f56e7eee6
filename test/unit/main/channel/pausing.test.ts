import { describe, expect, it, onTestFinished } from 'vitest';
import type { NodeStore } from '../../../../main/db/node/store.ts';
import { TRAFFIC_UNIT_BYTES } from '../../../../shared/economy/units.ts';
import { AceError } from '../../../../shared/errors.ts';
import { expectAceError } from '../../../helpers/ace-error.ts';
import { ChannelWorld } from '../../../helpers/channel-world.ts';
import { tempDir } from '../../../helpers/temp-dir.ts';

async function session() {
  const world = new ChannelWorld(tempDir());
  onTestFinished(() => world.close());
  await world.connect();
  await world.pump();
  const { paying, served } = world;
  if (!paying || !served) throw new Error('no session');
  return { world, paying, served };
}

/** A disk that is full, until the answer is called. */
function fillDisk(store: NodeStore): () => void {
  const { commit } = store;
  store.commit = () => {
    throw new AceError('StoreFailed', 'full', { reaction: 'pause-channel' });
  };
  return () => {
    store.commit = commit;
  };
}

describe('a channel whose store fails', () => {
  it('reveals nothing to the payee, and has no room until the next commit succeeds', async () => {
    const { world, paying } = await session();
    const free = fillDisk(world.stores.payer);
    expectAceError('StoreFailed', () => paying.pay(TRAFFIC_UNIT_BYTES, false, () => undefined));
    expect(paying.state).toMatchObject({ status: 'paused', pausedBy: 'store-failed', revealedUnits: 0 });
    expect(paying.roomBytes).toBe(0);
    free();
    expect(paying.pay(TRAFFIC_UNIT_BYTES, false, () => undefined)?.index).toBe(1);
    expect(paying.state).toMatchObject({ status: 'open', pausedBy: null, revealedUnits: 1 });
  });

  it('serves nothing to the payer until a stream opens the channel anew', async () => {
    const { world, served } = await session();
    const free = fillDisk(world.stores.payee);
    served.serve(TRAFFIC_UNIT_BYTES / 2, []);
    expectAceError('StoreFailed', () => served.commit());
    expect(served.state).toMatchObject({ status: 'paused', pausedBy: 'store-failed', servedBytes: 0 });
    expectAceError('StoreFailed', () => served.obstacle(1));
    free();
    // Nothing had been sent: whoever opens the channel anew goes on from what is durable.
    world.breakUp();
    await world.connect();
    await world.pump();
    expect(world.served?.obstacle(1)).toBeNull();
    const [row] = world.stores.payee.payeeChannels.all();
    expect(row?.state).toMatchObject({ status: 'open', servedBytes: 0 });
  });
});

describe('a channel whose payment is overdue', () => {
  const overdue = async () => {
    const all = await session();
    all.served.serve(TRAFFIC_UNIT_BYTES, []);
    all.served.overdue();
    return { ...all, status: () => all.world.stores.payee.payeeChannels.all()[0]?.state.status };
  };

  it('is paused, also after a restart, and goes on with the next tick', async () => {
    const { world, paying, status } = await overdue();
    expect(status()).toBe('paused');
    const payment = paying.pay(TRAFFIC_UNIT_BYTES, false, () => undefined);
    paying.release();
    world.restart('payee');
    expect(status()).toBe('paused');
    await world.connect();
    await world.pump();
    expect(payment?.index).toBe(1);
    expect(status()).toBe('open');
  });

  it('can be closed', async () => {
    const { world, paying, status } = await overdue();
    paying.pay(TRAFFIC_UNIT_BYTES, false, () => undefined);
    world.finish();
    await world.pump();
    expect(status()).toBe('closing');
  });
});
