import { describe, expect, it } from 'vitest';
import { NetworkClock, type ShardTime } from '../../../../main/account/network-clock.ts';
import { CLOCK_LIMITS } from '../../../../main/peer/limits.ts';
import { createLog } from '../../../../main/process/log.ts';
import { AceError } from '../../../../shared/errors.ts';
import { expectAceRejection } from '../../../helpers/ace-error.ts';

const START_MS = 1_800_000_000_000;
const { shownMs, stopsMs } = CLOCK_LIMITS;

/** A clock of a computer whose wall clock, uptime and shard the test sets. */
function useClock() {
  const world = {
    wallMs: START_MS,
    uptimeMs: 0,
    shardMs: START_MS as number | null,
    asked: 0,
    othersMs: [] as number[],
  };
  const clock = new NetworkClock({
    clocks: { wallMs: () => world.wallMs, uptimeMs: () => world.uptimeMs },
    limits: CLOCK_LIMITS,
    ask: async (): Promise<ShardTime> => {
      world.asked += 1;
      if (world.shardMs === null) throw new AceError('ShardUnavailable', 'away');
      return { timeMs: world.shardMs, othersMs: world.othersMs };
    },
    log: createLog(null),
  });
  clock.receive({ timeMs: START_MS });
  return { world, clock };
}

describe('this computer’s clock, held against its shard’s', () => {
  it.each([
    ['within what nobody notices', shownMs, null],
    ['far enough to say so', shownMs + 1, false],
    ['as far as channels bear', stopsMs, false],
    ['too far', stopsMs + 1, true],
  ])('is %s', async (_, apartMs, stops) => {
    for (const sign of [1, -1]) {
      const { world, clock } = useClock();
      world.wallMs += sign * apartMs;
      if (stops) {
        const { details } = await expectAceRejection('OwnClockWrong', clock.check());
        expect(details).toEqual({ aheadSeconds: Math.round((sign * apartMs) / 1_000) });
      } else await clock.check();
      expect(clock.trouble).toEqual(stops === null ? null : { aheadMs: sign * apartMs, stops });
      world.wallMs = START_MS;
      await clock.check();
      expect(clock.trouble).toBeNull();
    }
  });

  it('is right after a night in which the uptime stood still', async () => {
    const { world, clock } = useClock();
    world.wallMs += 24 * 3_600_000;
    world.shardMs = world.wallMs;
    expect(clock.isRight).toBe(false);
    await clock.check();
    expect([clock.isRight, clock.trouble, world.asked]).toEqual([true, null, 1]);
  });

  it.each([
    ['no other shard is asked', [], [true, false]],
    ['the others tell its time', [START_MS, START_MS + 1], [false, true]],
    ['one tells its time and one the home shard’s', [START_MS, START_MS + 86_400_000], [true, false]],
    ['more tell its time', [START_MS, START_MS, START_MS + 86_400_000], [false, true]],
    ['all tell different times', [0, 1_000_000], [true, false]],
  ])('is apart from a home shard that is a day ahead, and %s', async (_, othersMs, [isOwn, isShards]) => {
    const { world, clock } = useClock();
    world.othersMs = othersMs;
    world.shardMs = START_MS + 86_400_000;
    clock.receive({ timeMs: world.shardMs });
    // It has greeted; now it is asked, and the others with it.
    await new Promise((resolve) => setImmediate(resolve));
    expect(world.asked).toBe(1);
    expect([clock.trouble !== null, clock.shardJumped]).toEqual([isOwn, isShards]);
    expect(clock.isRight).toBe(!isOwn);
  });

  it('ends nothing by time, and accuses nobody, while its shard cannot be asked', async () => {
    const { world, clock } = useClock();
    world.wallMs += 24 * 3_600_000;
    world.shardMs = null;
    await clock.check();
    expect([clock.isRight, clock.trouble]).toEqual([false, null]);
  });

  it('is believed where the shard does not tell its time', async () => {
    const { world, clock } = useClock();
    clock.receive({});
    world.wallMs = 0;
    await clock.check();
    expect(clock.isRight).toBe(true);
  });

  it('passes on that the shard’s own has jumped, until it says that it has not', () => {
    const { clock } = useClock();
    let changes = 0;
    clock.on('change', () => changes++);
    clock.leaseRefused(new AceError('LeaseRefused', 'another reason'));
    expect(clock.shardJumped).toBe(false);
    clock.leaseRefused(new AceError('ClockWrong', 'jumped'));
    expect(clock.shardJumped).toBe(true);
    clock.receive({ timeMs: START_MS, clockJumped: false });
    expect([clock.shardJumped, changes]).toEqual([false, 2]);
  });
});
