import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { Pacer } from '../../../../main/limits/pacer.ts';

const KIB = 1_024;

async function secondsFor(work: () => Promise<unknown>): Promise<number> {
  const startMs = performance.now();
  await work();
  return (performance.now() - startMs) / 1_000;
}

describe('Pacer', () => {
  it('lets everything pass at once without a cap', async () => {
    const pacer = new Pacer(() => null);
    expect(
      await secondsFor(() => Promise.all(Array.from({ length: 100 }, () => pacer.take(2 ** 30)))),
    ).toBeLessThan(0.2);
  });

  it('never lets more pass than the rate and a fifth of a second of it', async () => {
    const pacer = new Pacer(() => 512 * KIB);
    let passed = 0;
    const passing = (async () => {
      for (let i = 0; i < 16; i++) {
        await pacer.take(64 * KIB);
        passed += 64 * KIB;
      }
    })();
    await delay(1_000);
    expect(passed).toBeLessThanOrEqual(1.25 * 512 * KIB);
    expect(passed).toBeGreaterThan(0);
    await passing;
  });

  it('serves in turn, the urgent before the others', async () => {
    const pacer = new Pacer(() => 1_000 * KIB);
    const order: string[] = [];
    const take = (name: string, urgent: boolean) =>
      pacer.take(100 * KIB, urgent).then(() => order.push(name));
    await Promise.all([take('first', false), take('second', false), take('player', true)]);
    expect(order).toEqual(['player', 'first', 'second']);
  });

  it('heeds another rate at once', async () => {
    let rate: number | null = 32 * KIB;
    const pacer = new Pacer(() => rate);
    const taking = pacer.take(1_024 * KIB);
    await delay(50);
    rate = null;
    pacer.changed();
    expect(await secondsFor(() => taking)).toBeLessThan(0.5);
  });

  it('finishes at the old rate what began before a stop', async () => {
    let rate: number | null = 1_024 * KIB;
    const pacer = new Pacer(() => rate);
    await pacer.take(1);
    rate = 0;
    expect(await secondsFor(() => pacer.take(512 * KIB))).toBeGreaterThan(0.2);
  });

  it('lets a wait be ended, and the next one have its turn', async () => {
    const pacer = new Pacer(() => 1_024 * KIB);
    const end = new AbortController();
    const long = pacer.take(100_000 * KIB, false, end.signal);
    const next = pacer.take(64 * KIB);
    end.abort();
    expect(await long).toBe(false);
    expect(await next).toBe(true);
  });

  it('gives to others what was given back', async () => {
    const pacer = new Pacer(() => 100 * KIB);
    await pacer.take(50 * KIB);
    const next = pacer.take(50 * KIB);
    pacer.giveBack(50 * KIB);
    expect(await secondsFor(() => next)).toBeLessThan(0.2);
  });
});
