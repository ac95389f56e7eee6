import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { FULL_BATCH_CLAIMS } from '../../../../main/validator/batch-interval.ts';
import { SettlementTimer } from '../../../../main/validator/settlement-timer.ts';

let looks: number[];
let answer: () => Promise<boolean>;
let halted: boolean;
let timer: SettlementTimer;
const passes = (ms: number) => vi.advanceTimersByTimeAsync(ms);

beforeEach(() => {
  vi.useFakeTimers({ now: 0 });
  looks = [];
  halted = false;
  answer = async () => false;
  timer = new SettlementTimer({
    intervalMs: 1_000,
    settle: () => {
      looks.push(Date.now());
      return answer();
    },
    isHalted: () => halted,
    nowMs: () => Date.now(),
  });
});
afterEach(() => {
  timer.stop();
  vi.useRealTimers();
});

describe('the timer of settlements', () => {
  it('looks at once, and ever less often while there is nothing', async () => {
    timer.start();
    await passes(31_000);
    expect(looks).toEqual([0, 2_000, 6_000, 14_000, 22_000, 30_000]);
  });

  it('keeps the interval while there is something to settle', async () => {
    answer = async () => true;
    timer.start();
    await passes(3_500);
    expect(looks).toEqual([0, 1_000, 2_000, 3_000]);
  });

  it('wakes up for a claim that comes in a quiet time', async () => {
    timer.start();
    await passes(15_000);
    timer.noticed(1);
    await passes(1);
    expect(looks.at(-1)).toBe(15_000);
  });

  it('is not put off by claims that keep coming, and looks sooner for many', async () => {
    timer.start();
    await passes(10);
    for (let i = 0; i < 9; i++) {
      timer.noticed(1);
      await passes(100);
    }
    await passes(100);
    expect(looks).toEqual([0, 1_000]);
    timer.noticed(FULL_BATCH_CLAIMS);
    await passes(125);
    expect(looks).toEqual([0, 1_000, 1_125]);
  });

  it('never has two looks at once', async () => {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    answer = () => promise;
    timer.start();
    timer.noticed(FULL_BATCH_CLAIMS);
    await passes(5_000);
    expect(looks).toEqual([0]);
    resolve(true);
    await passes(10_000);
    expect(looks.length).toBeGreaterThan(1);
  });

  it('goes on after a failure, and ends when settling has halted or it is stopped', async () => {
    answer = async () => {
      throw new Error('the disk is full');
    };
    timer.start();
    await passes(1_000);
    expect(looks).toEqual([0, 1_000]);
    halted = true;
    await passes(60_000);
    expect(looks).toEqual([0, 1_000, 2_000]);
    halted = false;
    timer.stop();
    timer.noticed(1);
    await passes(60_000);
    expect(looks).toEqual([0, 1_000, 2_000]);
  });
});
