/** A huge index jump: hashing without end is what it asks for, and what neither a payee nor the shard does. */
import { describe, expect, it, vi } from 'vitest';
import { CHECKPOINT_EVERY_UNITS } from '../../shared/channel/payer.ts';
import { MAX_CAPACITY_UNITS } from '../../shared/channel/records.ts';
import { expectAceError } from '../helpers/ace-error.ts';
import { party } from '../helpers/shard.ts';
import { Stage, serveUnits, WINDOW_CAP_UNITS } from '../helpers/stage.ts';

const counted = vi.hoisted(() => ({ hashes: 0 }));
vi.mock('../../main/util/sha256.ts', async (original) => {
  const { sha256 } = await original<typeof import('../../main/util/sha256.ts')>();
  return {
    sha256: (data: Uint8Array) => {
      counted.hashes += 1;
      return sha256(data);
    },
  };
});
const { MAX_WALK_UNITS } = await import('../../main/validator/intake.ts');

const [payer, payee] = [party(1), party(2)];

function hashesIn(act: () => unknown): number {
  const before = counted.hashes;
  act();
  return counted.hashes - before;
}

describe('a huge index jump', () => {
  it.each([1 + WINDOW_CAP_UNITS, 1_000, MAX_CAPACITY_UNITS, MAX_CAPACITY_UNITS + 1, 2 ** 40, 2 ** 53 - 1])(
    'to tick %i costs a payee no hash, and pays nothing',
    async (index) => {
      const stage = new Stage([payer], { trafficCreditLimitUnits: MAX_CAPACITY_UNITS });
      const provider = stage.provider(2);
      const leased = await stage.shard.lease(payer, payee, MAX_CAPACITY_UNITS);
      const channel = await provider.open(leased);
      serveUnits(channel, 1);
      const tick = leased.chain.tick(Math.min(index, MAX_CAPACITY_UNITS));
      const code = index > MAX_CAPACITY_UNITS ? 'TickBeyondCapacity' : 'TickBeyondWindow';
      expect(hashesIn(() => expectAceError(code, () => channel.receiveTick(index, tick)))).toBe(0);
      expect(provider.store.payeeChannels.paidUnits()).toBe(0);
    },
  );

  it('by the whole window costs a payee as many hashes as its window has units, right or wrong', async () => {
    const stage = new Stage([payer]);
    const provider = stage.provider(2);
    const leased = await stage.shard.lease(payer, payee, 100);
    const channel = await provider.open(leased);
    for (let unit = 1; unit <= 20; unit++) {
      serveUnits(channel, 1, unit);
      channel.receiveTick(unit, leased.chain.tick(unit));
    }
    const index = 20 + WINDOW_CAP_UNITS;
    const wrong = () => expectAceError('TickWrong', () => channel.receiveTick(index, new Uint8Array(32)));
    expect(hashesIn(wrong)).toBe(WINDOW_CAP_UNITS);
    expect(hashesIn(() => channel.receiveTick(index, leased.chain.tick(index)))).toBe(WINDOW_CAP_UNITS);
  });

  it.each([MAX_WALK_UNITS + 1, 5_000, MAX_CAPACITY_UNITS, MAX_CAPACITY_UNITS + 1, 2 ** 40, 2 ** 53 - 1])(
    'in a claim of %i units costs the shard no hash, and claims nothing',
    async (units) => {
      const stage = new Stage([payer], { trafficCreditLimitUnits: MAX_CAPACITY_UNITS });
      const leased = await stage.shard.lease(payer, payee, MAX_CAPACITY_UNITS);
      const tick = leased.chain.tick(Math.min(units, MAX_CAPACITY_UNITS));
      const { channelId } = leased;
      const claim = () => stage.shard.takeClaim({ channelId, units, tick, checkpoint: null });
      expect(hashesIn(() => expectAceError('ClaimInvalid', claim))).toBe(0);
      // With a checkpoint of nothing beside it, no more.
      const checkpoint = stage.shard.checkpoint(leased, { units: 0 });
      const both = () => stage.shard.takeClaim({ channelId, units, tick, checkpoint });
      expect(hashesIn(() => expectAceError('ClaimInvalid', both))).toBe(0);
      await stage.settleAll();
      await stage.expectPaid(payer, payee, 0);
    },
  );

  it('in a claim of the longest walk costs the shard that many hashes, and a wrong one no more', async () => {
    expect(MAX_WALK_UNITS).toBe(CHECKPOINT_EVERY_UNITS + 64);
    const stage = new Stage([payer]);
    const leased = await stage.shard.lease(payer, payee, 1_000);
    const tick = leased.chain.tick(MAX_WALK_UNITS);
    const { channelId } = leased;
    const claim = (with_: Uint8Array) => () =>
      stage.shard.takeClaim({ channelId, units: MAX_WALK_UNITS, tick: with_, checkpoint: null });
    expect(hashesIn(() => expectAceError('ClaimInvalid', claim(new Uint8Array(32))))).toBe(MAX_WALK_UNITS);
    expect(hashesIn(claim(tick))).toBe(MAX_WALK_UNITS);
    await stage.settleAll();
    await stage.expectPaid(payer, payee, MAX_WALK_UNITS);
  });
});
