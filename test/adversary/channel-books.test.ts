/** Attacks on the books of channels, without a network. The loss is in units. */
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { PayeeService } from '../../main/channel/payee.ts';
import { PayerService } from '../../main/channel/payer.ts';
import { openNodeStore } from '../../main/db/node/store.ts';
import { createDevice } from '../../main/wallet/device.ts';
import { encodeTerms } from '../../shared/channel/records.ts';
import { unitsForBytes } from '../../shared/economy/units.ts';
import { testSettings } from '../helpers/chain.ts';
import { party, START_MS, TestShard } from '../helpers/shard.ts';
import { tempDir } from '../helpers/temp-dir.ts';

const MIB = 1_048_576;
const DAY_MS = 24 * 3_600_000;

describe('a payer with many channels', () => {
  /** A provider, and a payer that leases channels, of one unit where nothing else is said. */
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
    const lease = async (lifeMs: number, capacityUnits = 1) => {
      const channel = shard.terms(payer, provider, capacityUnits, { expiresAtMs: shard.nowMs + lifeMs });
      const leaseSignature = await shard.request(channel);
      const terms = encodeTerms(channel.terms);
      return { terms, termsSignature: payer.device.sign(terms), leaseSignature, chain: channel.chain };
    };
    const who = { account: payer.account.address, device: payer.device.publicKey };
    return { shard, store, service, lease, who };
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
    expect(second.obstacle(MIB)).toBe('PrepaymentDue');
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
    expect(first.obstacle(MIB)).toBe('PaymentOverdue');
    second.detach();
    // Nobody is there who would pay for it: the unit on this one can be paid first.
    expect(first.obstacle(MIB)).toBe('PrepaymentDue');
    service.open(who, await lease(3_600_000)).detach();
    expect(first.obstacle(MIB)).toBe('PrepaymentDue');
  });

  it('hears that what it waits for does not come any more, when the stream that owes it has gone', async () => {
    const { service, lease, who } = payee();
    const owing = service.open(who, await lease(3_600_000));
    owing.serve(MIB, []);
    owing.commit();
    const waiting = service.open(who, await lease(3_600_000));
    const heard: (string | null)[] = [];
    waiting.onLookAgain = () => heard.push(waiting.obstacle(MIB));
    expect(waiting.obstacle(MIB)).toBe('PaymentOverdue');
    owing.detach();
    expect(heard).toEqual(['PrepaymentDue']);
  });

  // Nothing was served for a day, before, on any channel of the account.
  it('goes on by paying first once a window is lost on an open one, and loses its provider no more than that window', async () => {
    const { store, service, lease, who } = payee();
    const lostUnits = () =>
      store.payeeChannels
        .all()
        .reduce((sum, { state }) => sum + Math.max(0, unitsForBytes(state.servedBytes) - state.paidUnits), 0);
    let key = 0;
    /** Takes what it gets without paying; the answer is what stopped it. */
    const take = (channel: ReturnType<typeof service.open>) => {
      for (;;) {
        const obstacle = channel.obstacle(MIB);
        if (obstacle) return obstacle;
        channel.serve(MIB, [{ key: `k${key++}`, bytes: MIB, resend: false }]);
        channel.commit();
      }
    };
    const signed = await lease(3_600_000, 30);
    const honest = service.open(who, signed);
    for (let unit = 1; unit <= 10; unit++) {
      honest.serve(MIB, []);
      honest.receiveTick(unit, signed.chain.tick(unit));
    }
    expect(take(honest)).toBe('PaymentOverdue');
    expect(lostUnits()).toBe(8);
    honest.detach();

    const held: ReturnType<typeof service.open>[] = [];
    for (let n = 0; n < 12; n++) {
      const next = await lease(3_600_000, 30);
      const channel = service.open(who, next);
      expect(take(channel)).toBe('PrepaymentDue');
      expect(lostUnits()).toBe(8);
      // Some pay for units that they then take, some are left, some stay in use.
      const paidUnits = n % 3;
      for (let unit = 1; unit <= paidUnits; unit++) {
        channel.receiveTick(unit, next.chain.tick(unit));
        expect(take(channel)).toBe('PrepaymentDue');
      }
      expect(channel.books).toMatchObject({ paidUnits, servedBytes: paidUnits * MIB });
      if (n % 2 === 0) channel.detach();
      else held.push(channel);
    }
    for (const channel of held) expect(take(channel)).toBe('PrepaymentDue');
    expect(lostUnits()).toBe(8);
    // Whoever lost it may come back, and pays there as ever: then all of its channels have their window again.
    const back = service.open(who, signed);
    expect(take(back)).toBe('PaymentOverdue');
    back.receiveTick(18, signed.chain.tick(18));
    back.commit();
    expect(lostUnits()).toBe(0);
    take(held[0] as (typeof held)[number]);
    expect(lostUnits()).toBe(8);
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
