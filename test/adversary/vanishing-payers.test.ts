/** Payers that take and do not pay. The provider's loss is what it sent and holds no tick for. */
import { describe, expect, it } from 'vitest';
import { serializer } from '../../main/util/serialize.ts';
import { party } from '../helpers/shard.ts';
import { DAY_MS, MIB, Stage, serveUnits, WINDOW_CAP_UNITS } from '../helpers/stage.ts';

const PAID_UNITS = 20;
const CREDIT_UNITS = 300;

/** A payer that has paid 20 units, so that its window is the widest there is. */
async function trusted() {
  const thief = party(1);
  const stage = new Stage([thief]);
  const provider = stage.provider(2);
  const leased = await stage.shard.lease(thief, provider.party, 100, {
    expiresAtMs: stage.shard.nowMs + 6 * DAY_MS,
  });
  const channel = await provider.open(leased);
  for (let unit = 1; unit <= PAID_UNITS; unit++) {
    expect(serveUnits(channel, 1, unit)).toBe(1);
    channel.receiveTick(unit, leased.chain.tick(unit));
  }
  channel.commit();
  channel.detach();
  return { thief, stage, provider, leased };
}

describe('a payer that takes one window and vanishes, again and again', () => {
  it('gets one window over 50 visits and 25 channels, and all that it paid reaches the provider', async () => {
    const { thief, stage, provider, leased } = await trusted();
    let sent = 0;
    for (let visit = 0; visit < 50; visit++) {
      const channel = await provider.open(
        visit % 2 === 0 ? leased : await stage.shard.lease(thief, provider.party, 20),
      );
      sent += serveUnits(channel, 100, 1_000 * (visit + 1));
      channel.detach();
    }
    expect(sent).toBe(WINDOW_CAP_UNITS);
    expect(provider.unpaidUnits()).toBe(WINDOW_CAP_UNITS);
    await stage.settleAll();
    await stage.expectPaid(thief, provider.party, PAID_UNITS);
    // The loss in base units: what eight units would have cost, the fee included, but for the rounding of one payment.
    const lostXac = (await stage.worth(PAID_UNITS + sent)) - (await stage.spent(thief));
    expect(lostXac - (await stage.worth(WINDOW_CAP_UNITS))).toBeOneOf([0n, -1n]);
  });

  it('gets one window a day when it comes back for days', async () => {
    const { stage, provider, leased } = await trusted();
    for (let day = 1; day <= 4; day++) {
      for (let visit = 0; visit < 5; visit++) {
        const channel = await provider.open(leased);
        serveUnits(channel, 100, 1_000 * day + 100 * visit);
        channel.detach();
      }
      expect(provider.unpaidUnits()).toBeLessThanOrEqual(day * WINDOW_CAP_UNITS);
      stage.shard.nowMs += DAY_MS + 1;
    }
  });

  it('is served again for exactly what it pays of its debt', async () => {
    const { provider, leased } = await trusted();
    const channel = await provider.open(leased);
    expect(serveUnits(channel, 100, 1_000)).toBe(WINDOW_CAP_UNITS);
    channel.receiveTick(PAID_UNITS + 3, leased.chain.tick(PAID_UNITS + 3));
    expect(serveUnits(channel, 100, 2_000)).toBe(3);
    expect(provider.unpaidUnits()).toBe(WINDOW_CAP_UNITS);
  });
});

describe('the same with fresh identities each time', () => {
  it('costs one unit for each identity, and an honest payer beside them is served and pays as ever', async () => {
    const honest = party(3);
    const stage = new Stage([honest]);
    const provider = stage.provider(2);
    const losses: number[] = [];
    const good = await stage.shard.lease(honest, provider.party, 50);
    const served = await provider.open(good);
    for (let n = 10; n < 40; n++) {
      const thief = party(n);
      for (let visit = 0; visit < 3; visit++) {
        const channel = await provider.open(await stage.shard.lease(thief, provider.party, 20));
        serveUnits(channel, 20, 20 * visit);
        channel.detach();
      }
      losses.push(provider.unpaidUnits(thief));
      const unit = n - 9;
      expect(serveUnits(served, 1, 10_000 + unit)).toBe(1);
      served.receiveTick(unit, good.chain.tick(unit));
    }
    served.commit();
    expect(losses).toEqual(Array.from({ length: 30 }, () => 1));
    expect(provider.unpaidUnits(honest)).toBe(0);
    await stage.settleAll();
    await stage.expectPaid(honest, provider.party, 30);
  });
});

describe('one account that drains its credit from 100 providers in parallel', () => {
  it('gets no unit more than its credit, and every provider is paid or owed all it holds ticks for', async () => {
    const drainer = party(1);
    const alone = serializer();
    const stage = new Stage([], { trafficCreditLimitUnits: CREDIT_UNITS });
    const granted = await Promise.all(
      Array.from({ length: 100 }, async (_, i) => {
        const provider = party(100 + i);
        // As the shard has them: one after the other, however they come.
        return alone(() => stage.shard.lease(drainer, provider, 7)).then(
          (leased) => leased,
          () => null,
        );
      }),
    );
    const leases = granted.filter((lease) => lease !== null);
    expect(leases).toHaveLength(Math.floor(CREDIT_UNITS / 7));
    for (const lease of leases) stage.shard.claim(lease, 7);
    await stage.settleAll();
    const { creditUsedUnits } = await stage.shard.chain.account(drainer.account.address);
    expect(creditUsedUnits).toBe(leases.length * 7);
    expect(creditUsedUnits).toBeLessThanOrEqual(CREDIT_UNITS);
    for (const { payee } of leases) {
      const loans = stage.shard.store.loans
        .ofDebtor(drainer.account.address)
        .filter(({ creditor }) => creditor === payee.account.address);
      expect(loans.map(({ unitsLeft }) => unitsLeft)).toEqual([7]);
    }
  });
});

describe('a payer that refuses delivery after the provider has sent', () => {
  it('is sent each unit a second time at most, is booked for it once, and costs one window', async () => {
    const { provider, leased } = await trusted();
    let sentUnits = 0;
    for (let visit = 0; visit < 20; visit++) {
      const channel = await provider.open(leased);
      // “It never arrived”: it asks for the same pieces again.
      for (let piece = 0; piece < 20; piece++) {
        const key = `content/${piece}`;
        const resend = channel.isOwed(key);
        const newBytes = resend ? 0 : MIB;
        if (channel.obstacle(newBytes) !== null) continue;
        channel.serve(newBytes, [{ key, bytes: MIB, resend }]);
        channel.commit();
        sentUnits += 1;
      }
      channel.detach();
    }
    expect(provider.unpaidUnits()).toBe(WINDOW_CAP_UNITS);
    expect(sentUnits).toBe(2 * WINDOW_CAP_UNITS);
  });
});
