import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { PayerService } from '../../../../main/channel/payer.ts';
import type { LeaseSource } from '../../../../main/channel/payer-channel.ts';
import { type NodeStore, openNodeStore } from '../../../../main/db/node/store.ts';
import { createDevice } from '../../../../main/wallet/device.ts';
import type { NetworkSettings } from '../../../../shared/economy/settings.ts';
import { AceError } from '../../../../shared/errors.ts';
import { expectAceRejection } from '../../../helpers/ace-error.ts';
import { tempDir } from '../../../helpers/temp-dir.ts';

const PAYER = `0x${'1'.repeat(40)}`;
const payee = { account: `0x${'2'.repeat(40)}`, device: createDevice().publicKey };
const NOW_MS = 1_800_000_000_000;

describe('PayerService', () => {
  let store: NodeStore;
  const asked: Uint8Array[] = [];
  let answers: (() => Uint8Array)[] = [];

  const leases: LeaseSource = {
    shard: 0,
    leasableUnits: async () => 100,
    async lease(terms) {
      asked.push(terms);
      const answer = answers.shift();
      if (!answer) throw new Error('no more answers');
      return answer();
    },
  };
  const service = () =>
    new PayerService({
      store,
      settings: { networkId: 'test' } as NetworkSettings,
      account: PAYER,
      device: createDevice(),
      leases,
      nowMs: () => NOW_MS,
    });
  const lost = () => {
    throw new AceError('RequestTimeout', 'no answer');
  };
  const granted = () => new Uint8Array(64);
  const refused = (leasableUnits: number) => () => {
    throw new AceError('CreditExhausted', 'too much', { details: { leasableUnits } });
  };

  beforeEach(() => {
    store = openNodeStore(join(tempDir(), 'node.db'));
    asked.length = 0;
  });
  afterEach(() => store.close());

  it('asks for the same lease again after its answer was lost, so that no capacity stays reserved unused', async () => {
    answers = [lost, granted];
    const payer = service();
    await expectAceRejection('RequestTimeout', payer.channelTo(payee, 10));
    const channel = await payer.channelTo(payee, 50);
    expect(asked[1]).toEqual(asked[0]);
    expect(channel.state.capacityUnits).toBe(10);
    expect(store.payerChannels.all()).toHaveLength(1);
  });

  it('takes the capacity that the shard can still lease when it asked for too much', async () => {
    answers = [refused(7), granted];
    const channel = await service().channelTo(payee, 50);
    expect(channel.state.capacityUnits).toBe(7);
    expect(store.payerChannels.all()).toHaveLength(1);
  });

  it('says that the credit is used up when nothing can be leased', async () => {
    answers = [refused(0)];
    await expectAceRejection('CreditExhausted', service().channelTo(payee, 50));
    expect(store.payerChannels.all()).toHaveLength(0);
  });

  it('forgets what the shard refuses, and makes a refused opening of before anew', async () => {
    const no = () => {
      throw new AceError('LeaseRefused', 'too late');
    };
    answers = [lost, no, granted, no];
    const payer = service();
    await expectAceRejection('RequestTimeout', payer.channelTo(payee, 10));
    const channel = await payer.channelTo(payee, 50);
    expect(channel.state.capacityUnits).toBe(50);
    await expectAceRejection('LeaseRefused', payer.channelTo(payee, 10));
    expect(store.payerChannels.all()).toHaveLength(1);
  });

  it('gives one channel to one session at a time', async () => {
    answers = [granted, granted];
    const payer = service();
    const first = await payer.channelTo(payee, 10);
    const second = await payer.channelTo(payee, 10);
    expect(second.state.channelId).not.toEqual(first.state.channelId);
    first.release();
    const third = await payer.channelTo(payee, 10);
    expect(third.state.channelId).toEqual(first.state.channelId);
  });
});
