/** Attacks on the books of channels, without a network. The loss is in units. */
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { PayeeService } from '../../main/channel/payee.ts';
import { PayerService } from '../../main/channel/payer.ts';
import { openNodeStore } from '../../main/db/node/store.ts';
import { createDevice } from '../../main/wallet/device.ts';
import { encodeTerms } from '../../shared/channel/records.ts';
import { testSettings } from '../helpers/chain.ts';
import { party, START_MS, TestShard } from '../helpers/shard.ts';
import { tempDir } from '../helpers/temp-dir.ts';

const MIB = 1_048_576;
const DAY_MS = 24 * 3_600_000;

describe('a payer with many channels', () => {
  /** A provider, and a payer that leases channels of one unit. */
  function payee() {
    const dir = tempDir();
    const shard = new TestShard(dir);
    const store = openNodeStore(join(dir, 'node.db'));
    const [payer, provider] = [party(1), party(2)];
    const service = new PayeeService({
      store,
      settings: shard.settings,
      account: provider.account.address,
      device: provider.device,
      windowCapUnits: 8,
      isRefused: () => false,
      nowMs: () => shard.nowMs,
    });
    const lease = async (lifeMs: number) => {
      const channel = shard.terms(payer, provider, 1, { expiresAtMs: shard.nowMs + lifeMs });
      const leaseSignature = await shard.request(channel);
      const terms = encodeTerms(channel.terms);
      return { terms, termsSignature: payer.device.sign(terms), leaseSignature };
    };
    return { shard, service, lease, who: { account: payer.account.address, device: payer.device.publicKey } };
  }

  it('opened a day ahead gets one window on all of them together', async () => {
    const { shard, service, lease, who } = payee();
    const signed = await Promise.all(Array.from({ length: 20 }, () => lease(6 * DAY_MS)));
    for (const terms of signed) service.open(who, terms).detach();
    shard.nowMs += DAY_MS + 1;
    let lostUnits = 0;
    for (const terms of signed) {
      const channel = service.open(who, terms);
      if (channel.obstacle(MIB) === null) {
        channel.serve(MIB, [{ key: `k${lostUnits}`, bytes: MIB, resend: false }]);
        channel.commit();
        lostUnits += 1;
      }
      channel.detach();
    }
    expect(lostUnits).toBe(1);
  });

  it('is forgiven a day after it was served', async () => {
    const { shard, service, lease, who } = payee();
    const first = service.open(who, await lease(6 * DAY_MS));
    first.serve(MIB, []);
    first.commit();
    first.detach();
    const second = service.open(who, await lease(6 * DAY_MS));
    expect(second.obstacle(MIB)).toBe('PaymentOverdue');
    second.detach();
    shard.nowMs += DAY_MS + 1;
    expect(service.open(who, await lease(6 * DAY_MS)).obstacle(MIB)).toBeNull();
  });

  it('gets no second window on a channel that asked before the others were served', async () => {
    const { service, lease, who } = payee();
    const first = service.open(who, await lease(3_600_000));
    first.receiveTick(0, new Uint8Array(32));
    expect(first.obstacle(MIB)).toBeNull();
    const second = service.open(who, await lease(3_600_000));
    expect(second.obstacle(MIB)).toBeNull();
    second.serve(MIB, [{ key: 'x', bytes: MIB, resend: false }]);
    second.commit();
    second.detach();
    expect(first.obstacle(MIB)).toBe('PaymentOverdue');
  });
});

describe('payees that say more was lost than they sent', () => {
  /** A viewer that leases whatever it wants, and a clock. */
  function payer() {
    const clock = { nowMs: START_MS };
    const me = party(1);
    const store = openNodeStore(join(tempDir(), 'node.db'));
    const service = new PayerService({
      store,
      settings: testSettings({}),
      account: me.account.address,
      device: me.device,
      nowMs: () => clock.nowMs,
      leases: {
        shard: 0,
        leasableUnits: async () => 1_000,
        lease: async () => new Uint8Array(64),
      },
    });
    /** A stream that broke, and what the provider says of it when we come back; the session is left for good. */
    const lose = async (account: string, servedBytes: number) => {
      const payee = { account, device: createDevice().publicKey };
      (await service.channelTo(payee, 4)).release();
      const again = await service.channelTo(payee, 4);
      again.writeOff(servedBytes);
      again.release();
    };
    return { clock, lose, lostUnits: () => store.payerChannels.revealedUnits() };
  }

  it('get one unit for an account, on however many devices', async () => {
    const { lose, lostUnits } = payer();
    for (let i = 0; i < 5; i++) await lose(party(2).account.address, 4 * MIB);
    expect(lostUnits()).toBe(1);
  });

  it('get one unit for an account that claims one byte on each of many channels', async () => {
    const { lose, lostUnits } = payer();
    for (let i = 0; i < 5; i++) await lose(party(2).account.address, 1);
    expect(lostUnits()).toBe(1);
  });

  it('get eight units in a day, with however many accounts', async () => {
    const { clock, lose, lostUnits } = payer();
    for (let i = 0; i < 12; i++) await lose(`0x${String(i).padStart(40, '0')}`, 4 * MIB);
    expect(lostUnits()).toBe(8);
    clock.nowMs += DAY_MS + 1;
    for (let i = 20; i < 32; i++) await lose(`0x${String(i).padStart(40, '0')}`, 4 * MIB);
    expect(lostUnits()).toBe(16);
  });
});
