/**
 * Fresh accounts that report viewing to each other to move the price of everybody's traffic. On their free credit it once fell
 * by 7.9 % with 300 of them, in seconds and for nothing; see docs/decisions/0021-what-moves-the-price.md.
 */
import { describe, expect, it, onTestFinished } from 'vitest';
import { settle } from '../../main/validator/batching.ts';
import { COUNTED_UNITS_PER_DAY } from '../../main/validator/limits.ts';
import { MAX_WATCH_MS_PER_UNIT, MIN_WATCH_MS_PER_UNIT, trafficRate } from '../../shared/economy/price.ts';
import { ratio } from '../../shared/economy/ratio.ts';
import { party, TestShard } from '../helpers/shard.ts';
import { tempDir } from '../helpers/temp-dir.ts';

const MIB = 1_048_576;
const GB_UNITS = 1_024;
/** The settings of a launch: 3.5 GB an hour, of 10,000 hours. */
const LAUNCH = { initialTrafficRate: ratio(7, 2), priorWeightHours: 10_000, trafficCreditLimitUnits: 10_240 };
const XAC = 10_000_000n;

function useShard(funded: readonly ReturnType<typeof party>[] = []) {
  const funds = funded.map(({ account }) => [account.address, 'XAC', '1000'] as [string, 'XAC', string]);
  const shard = new TestShard(tempDir(), LAUNCH, funds);
  onTestFinished(() => shard.close());
  return shard;
}

/** Has the account say that it watched so many units, as fast or as slow as `msPerUnit`, from a second one. */
async function forge(shard: TestShard, n: number, units: number, msPerUnit: number): Promise<void> {
  const lease = await shard.lease(party(n), party(1_000_000 + n), units);
  const watchMs = units * msPerUnit;
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
    // Each at the slowest that video can be, for a day.
    for (let n = 1; n <= 6 && (await risen(shard, before)) < 1; n++) {
      await forge(shard, n, 659, MAX_WATCH_MS_PER_UNIT);
      units += 659;
      await settleAll(shard);
    }
    const paid = (await shard.chain.pools()).trafficFeePool.XAC - feesBefore;
    const { num, den } = shard.chain.settings().trafficFee;
    process.stdout.write(
      `1 % up: ${units} units of ${Math.ceil(units / 659)} account-days, ${Number(paid) / Number(XAC)} XAC of fees\n`,
    );
    expect(units).toBeGreaterThan(2_700);
    // 1 GB costs 1 ÷ 3.5 XAT, and here 1 XAC each.
    expect(Number(paid) / Number(XAC)).toBeGreaterThan(
      ((units / GB_UNITS / 3.5) * Number(num)) / Number(den) / 1.03,
    );
  });

  it('counts of one account no more than 100 GB a day, and the rest the days after', async () => {
    const shard = useShard([party(1)]);
    const before = (await shard.chain.market()).totals;
    const counted = async () => Number((await shard.chain.market()).totals.videoUnits - before.videoUnits);
    const dayMs = 86_400_000;
    shard.nowMs = Math.ceil(shard.nowMs / dayMs) * dayMs;
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
});
