/**
 * Fresh accounts that report viewing to each other to move the price of everybody's traffic. On their free credit it once fell
 * by 7.9 % with 300 of them, in seconds and for nothing; see docs/decisions/0021-what-moves-the-price.md.
 */
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { openEmbeddedChain } from '../../main/chain/embedded/embedded-chain.ts';
import type { MainChain } from '../../main/chain/port.ts';
import { settle } from '../../main/validator/batching.ts';
import { COUNTED_UNITS_PER_DAY } from '../../main/validator/limits.ts';
import { operationTypedData } from '../../main/wallet/typed-data.ts';
import type { SignedBatch } from '../../shared/chain.ts';
import { MAX_WATCH_MS_PER_UNIT, MIN_WATCH_MS_PER_UNIT, trafficRate } from '../../shared/economy/price.ts';
import { ratio } from '../../shared/economy/ratio.ts';
import {
  addressHomedAt,
  entry,
  settle as settleOnChain,
  shardedSettings,
  testGenesis,
} from '../helpers/chain.ts';
import { gather } from '../helpers/places.ts';
import { party, TestShard } from '../helpers/shard.ts';
import { tempDir } from '../helpers/temp-dir.ts';

const MIB = 1_048_576;
const GB_UNITS = 1_024;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** Of an account, in a day, of the slowest video that there can be. */
const SLOW_UNITS_A_DAY = Math.floor(DAY_MS / MAX_WATCH_MS_PER_UNIT);
/** The settings of a launch: 3.5 GB an hour, of 10,000 hours. */
const LAUNCH = { initialTrafficRate: ratio(7, 2), priorWeightHours: 10_000, trafficCreditLimitUnits: 10_240 };
const XAC = 10_000_000n;

function useShard(funded: readonly ReturnType<typeof party>[] = [], settings: Partial<typeof LAUNCH> = {}) {
  const funds = funded.map(({ account }) => [account.address, 'XAC', '1000'] as [string, 'XAC', string]);
  const shard = new TestShard(tempDir(), { ...LAUNCH, ...settings }, funds);
  onTestFinished(() => shard.close());
  return shard;
}

/** Has the account say that it watched so many units, as fast or as slow as `msPerUnit`, from a second one. */
async function forge(shard: TestShard, n: number, units: number, msPerUnit: number): Promise<void> {
  const watchMs = units * msPerUnit;
  const expiresAtMs = shard.nowMs + watchMs + HOUR_MS;
  const lease = await shard.lease(party(n), party(1_000_000 + n), units, { expiresAtMs });
  shard.nowMs += watchMs;
  const checkpoint = shard.checkpoint(lease, { units, bytes: units * MIB, videoBytes: units * MIB, watchMs });
  shard.claim(lease, units, { checkpoint });
}

const settleAll = async (shard: TestShard) => {
  while (await settle(shard.context));
};
/** Percent by which the price of a unit is above `before`; it moves against the rate. */
const risen = async (shard: TestShard, before: { num: bigint; den: bigint }) => {
  const now = trafficRate((await shard.chain.market()).totals);
  return (Number((before.num * now.den * 1_000_000n) / (before.den * now.num)) - 1_000_000) / 10_000;
};
const rateOf = async (shard: TestShard) => trafficRate((await shard.chain.market()).totals);

describe('the price of traffic', () => {
  it('does not move by a hair with all the free credit of fresh accounts', async () => {
    const shard = useShard();
    const before = await rateOf(shard);
    for (let n = 1; n <= 20; n++) await forge(shard, n, 10_240, MIN_WATCH_MS_PER_UNIT);
    for (let n = 21; n <= 40; n++) await forge(shard, n, 100, MAX_WATCH_MS_PER_UNIT);
    await settleAll(shard);
    expect(shard.store.loans.owedUnits(party(1).account.address)).toBe(10_240);
    expect(await rateOf(shard)).toEqual(before);
  });

  it('costs the fee on every unit to move, 1 % upwards more than 2,700 units of it', async () => {
    const rich = [1, 2, 3, 4, 5, 6].map(party);
    const shard = useShard(rich);
    const before = await rateOf(shard);
    const feesBefore = (await shard.chain.pools()).trafficFeePool.XAC;
    let units = 0;
    // Each for a day, the last as much as it takes.
    while (units < 4 * SLOW_UNITS_A_DAY) {
      await forge(shard, 1 + units / SLOW_UNITS_A_DAY, SLOW_UNITS_A_DAY, MAX_WATCH_MS_PER_UNIT);
      units += SLOW_UNITS_A_DAY;
      await settleAll(shard);
    }
    expect(await risen(shard, before)).toBeLessThan(1);
    for (; (await risen(shard, before)) < 1; units += 19) {
      await forge(shard, 5, 19, MAX_WATCH_MS_PER_UNIT);
      await settleAll(shard);
    }
    const paid = (await shard.chain.pools()).trafficFeePool.XAC - feesBefore;
    const { num, den } = shard.chain.settings().trafficFee;
    process.stdout.write(
      `1 % up: ${units} units of 5 accounts in a day each, ${Number(paid) / Number(XAC)} XAC of fees\n`,
    );
    expect(units).toBeGreaterThan(2_700);
    expect(units).toBeLessThan(2_840);
    // 1 GB costs 1 ÷ 3.5 XAT, and here 1 XAC each.
    expect(Number(paid) / Number(XAC)).toBeGreaterThan(
      ((units / GB_UNITS / 3.5) * Number(num)) / Number(den) / 1.03,
    );
  });

  it('moves by 2 % around midnight, as in any other minutes', async () => {
    const many = Array.from({ length: 24 }, (_, n) => party(1 + n));
    const shard = useShard(many);
    // They have watched for a day when it comes.
    shard.nowMs = Math.ceil(shard.nowMs / DAY_MS) * DAY_MS - 30_000;
    const expiresAtMs = shard.nowMs + DAY_MS + HOUR_MS;
    const leases = [];
    for (const [n, payer] of many.entries()) {
      leases.push(await shard.lease(payer, party(1_000 + n), SLOW_UNITS_A_DAY, { expiresAtMs }));
    }
    shard.nowMs += DAY_MS;
    const before = await rateOf(shard);
    const watchMs = SLOW_UNITS_A_DAY * MAX_WATCH_MS_PER_UNIT;
    const bytes = SLOW_UNITS_A_DAY * MIB;
    for (const [n, lease] of leases.entries()) {
      if (n === leases.length / 2) shard.nowMs += 60_000;
      const checkpoint = shard.checkpoint(lease, {
        units: SLOW_UNITS_A_DAY,
        bytes,
        videoBytes: bytes,
        watchMs,
      });
      shard.claim(lease, SLOW_UNITS_A_DAY, { checkpoint });
      await settleAll(shard);
    }
    const percent = await risen(shard, before);
    process.stdout.write(`24 days of viewing within a minute: the price rose by ${percent} %; before, 4.1\n`);
    // 1 ÷ 0.98.
    expect(percent).toBeGreaterThan(2);
    expect(percent).toBeLessThan(2.05);
  });

  it('counts of one account no more than 100 GB a day, and the rest the days after', async () => {
    const shard = useShard([party(1)]);
    const before = (await shard.chain.market()).totals;
    const counted = async () => Number((await shard.chain.market()).totals.videoUnits - before.videoUnits);
    shard.nowMs = Math.ceil(shard.nowMs / DAY_MS) * DAY_MS;
    // Slow enough to leave the rate alone.
    for (let i = 0; i < 11; i++) await forge(shard, 1, 10_000, 900);
    await settleAll(shard);
    // 110,000 units in 27.5 hours: what was left of the first day's 100 GB counts on the second.
    expect(await counted()).toBeLessThanOrEqual(2 * COUNTED_UNITS_PER_DAY);
    const last = shard.store.watchers.get(party(1).account.address);
    expect(last?.dayUnits).toBeLessThanOrEqual(COUNTED_UNITS_PER_DAY);
  });

  it('counts what was watched on credit when it is repaid, in part where it is repaid in part', async () => {
    const rich = party(9);
    const shard = useShard([rich]);
    /** The debtor earns it: traffic that is no video. */
    const earn = async (units: number) => {
      const lease = await shard.lease(rich, party(1), units);
      shard.claim(lease, units, { checkpoint: shard.checkpoint(lease, { units, bytes: units * MIB }) });
    };
    const before = (await shard.chain.market()).totals;
    const grown = async () => {
      const { totals } = await shard.chain.market();
      return [Number(totals.videoUnits - before.videoUnits), Number(totals.watchMs - before.watchMs)];
    };
    await forge(shard, 1, 1_000, 1_000);
    await settleAll(shard);
    expect(await grown()).toEqual([0, 0]);
    const debtor = party(1).account.address;
    await earn(400);
    await settleAll(shard);
    const repaid = 1_000 - shard.store.loans.owedUnits(debtor);
    expect(repaid).toBeGreaterThan(300);
    expect(await grown()).toEqual([repaid, repaid * 1_000]);
    await earn(1_000);
    await settleAll(shard);
    expect(await grown()).toEqual([1_000, 1_000_000]);
  });

  it('counts of what an account repays 24 hours a day, however long it owed', async () => {
    const rich = party(9);
    const shard = useShard([rich]);
    const before = (await shard.chain.market()).totals;
    const countedMs = async () => Number((await shard.chain.market()).totals.watchMs - before.watchMs);
    const days = 3;
    await forge(shard, 1, days * SLOW_UNITS_A_DAY, MAX_WATCH_MS_PER_UNIT);
    shard.nowMs = Math.ceil(shard.nowMs / DAY_MS) * DAY_MS;
    await settleAll(shard);
    expect(await countedMs()).toBe(0);
    // It earns what it owes, by traffic that is no video.
    const units = 1.2 * days * SLOW_UNITS_A_DAY;
    const lease = await shard.lease(rich, party(1), Math.ceil(units));
    shard.claim(lease, Math.ceil(units), {
      checkpoint: shard.checkpoint(lease, { units: Math.ceil(units), bytes: MIB }),
    });
    const hours = [];
    for (let day = 0; day <= days; day++) {
      await settleAll(shard);
      hours.push((await countedMs()) / HOUR_MS);
      shard.nowMs += DAY_MS;
    }
    expect(shard.store.loans.owedUnits(party(1).account.address)).toBe(0);
    process.stdout.write(
      `72 hours repaid at once count as ${hours.map((all) => all.toFixed(1)).join(', ')}\n`,
    );
    // Before, all on the first.
    for (const [day, all] of hours.entries()) expect(all).toBeLessThanOrEqual(24 * (day + 1));
    expect(hours[days]).toBeCloseTo((days * SLOW_UNITS_A_DAY * MAX_WATCH_MS_PER_UNIT) / HOUR_MS, 6);
  });

  it('counts no viewing of units that the chain refused, whatever the account pays for later', async () => {
    const [watcher, other, rich] = [party(1), party(2), party(3)];
    const shard = useShard([watcher, rich], { trafficCreditLimitUnits: 0 });
    const before = (await shard.chain.market()).totals;
    const expiresAtMs = shard.nowMs + 2 * HOUR_MS;
    const lease = await shard.lease(watcher, other, 1_000, { expiresAtMs });
    // What no honest shard lets happen: the funds behind the lease go away.
    await transferAll(shard, watcher, rich);
    shard.nowMs += HOUR_MS;
    const watched = { units: 1_000, bytes: 1_000 * MIB, videoBytes: 1_000 * MIB, watchMs: HOUR_MS };
    shard.claim(lease, 1_000, { checkpoint: shard.checkpoint(lease, { ...watched, final: true }) });
    await settleAll(shard);
    await transferAll(shard, rich, watcher);
    const later = await shard.lease(watcher, other, 1_500);
    shard.claim(later, 1_500, { checkpoint: shard.checkpoint(later, { units: 1_500, bytes: MIB }) });
    await settleAll(shard);
    const { videoUnits, watchMs } = (await shard.chain.market()).totals;
    // Before, 1,000 units and an hour.
    expect([videoUnits - before.videoUnits, watchMs - before.watchMs]).toEqual([0n, 0n]);
    expect(shard.store.watchers.get(watcher.account.address)?.everPaidUnits).toBe(1_500);
  });

  it('counts once what a kill leaves between the chain and the shard’s books', async () => {
    const shard = useShard([party(1)]);
    const before = (await shard.chain.market()).totals;
    await forge(shard, 1, 500, 1_000);
    const killed = { ...shard.context, chain: answersLost(shard.chain) };
    let batches = 0;
    // After each batch that the chain has taken, and the next life sends it again.
    for (; (await settle(killed).catch(() => 'killed')) === 'killed'; batches++) await settle(shard.context);
    expect(batches).toBe(2);
    const { videoUnits, watchMs } = (await shard.chain.market()).totals;
    expect([videoUnits - before.videoUnits, watchMs - before.watchMs]).toEqual([500n, 500_000n]);
    const { paidUnits, waitingUnits, everPaidUnits } =
      shard.store.watchers.get(party(1).account.address) ?? {};
    expect([paidUnits, waitingUnits, everPaidUnits]).toEqual([0, 0, 500]);
  });

  it('moves by 2 % in any day for a validator that lies, and not at all before its accounts have paid', async () => {
    const settings = shardedSettings(LAUNCH);
    const [payer, payee] = [addressHomedAt(1), addressHomedAt(0)];
    let nowMs = 1_800_000_000_000;
    const chain = openEmbeddedChain({
      path: join(tempDir(), 'chain.db'),
      settings,
      genesis: testGenesis([[payer, 'XAC', '1000']]),
      nowMs: () => nowMs,
    });
    onTestFinished(() => chain.close());
    const rate = async () => trafficRate((await chain.market()).totals);
    const start = await rate();
    // As much as a batch takes: what is beyond that is used up as well.
    const lie = () =>
      settleOnChain(chain, [], { shard: 1, watched: { videoUnits: 0n, watchMs: 55n * BigInt(HOUR_MS) } });
    await lie();
    expect(await rate()).toEqual(start);
    // Honest so far: what was paid counts for a second a unit.
    const units = 1_000_000;
    await settleOnChain(chain, [entry(payer, payee, units)], {
      shard: 1,
      watched: { videoUnits: BigInt(units), watchMs: 1_000n * BigInt(units) },
    });
    const honest = await rate();
    const percents = [];
    for (let day = 1; day <= 3; day++) {
      for (let batch = 0; batch < 50; batch++) {
        nowMs += 86_400_000 / 50;
        await lie();
      }
      const now = await rate();
      percents.push(Number((now.num * honest.den * 10_000n) / (now.den * honest.num)) / 100 - 100);
    }
    process.stdout.write(
      `a lying validator moved the rate to ${percents.map((one) => one.toFixed(2)).join(', ')} % in 3 days\n`,
    );
    for (const [day, percent] of percents.entries()) {
      expect(percent).toBeGreaterThanOrEqual((0.98 ** (day + 2) - 1) * 100 - 0.01);
    }
    expect(percents.at(-1)).toBeLessThan(-2);
  });
});

async function transferAll(shard: TestShard, from: ReturnType<typeof party>, to: ReturnType<typeof party>) {
  await gather(shard.chain, from.account, 'main');
  const { main, nonce } = await shard.chain.account(from.account.address);
  const operation = {
    kind: 'transfer',
    place: 'services',
    from: from.account.address,
    nonce,
    to: to.account.address,
    token: 'XAC',
    amount: main.XAC,
  } as const;
  const signature = await from.account.signTypedData(operationTypedData(shard.settings, operation));
  await shard.chain.submit({ operation, signature });
}

/** The chain takes each batch, and whoever handed it in is killed before the answer. */
function answersLost(chain: MainChain): MainChain {
  return new Proxy(chain, {
    get(target, name: keyof MainChain) {
      if (name === 'applyBatch') {
        return async (batch: SignedBatch) => {
          await target.applyBatch(batch);
          throw new Error('killed');
        };
      }
      return target[name].bind(target);
    },
  });
}
