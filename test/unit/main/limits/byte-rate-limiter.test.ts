import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { ByteRateLimiter } from '../../../../main/limits/byte-rate-limiter.ts';

const KIB = 1_024;

async function secondsFor(work: () => Promise<unknown>): Promise<number> {
  const startMs = performance.now();
  await work();
  return (performance.now() - startMs) / 1_000;
}

describe('ByteRateLimiter', () => {
  it('lets everything pass at once without a cap', async () => {
    const limiter = new ByteRateLimiter(() => null);
    expect(
      await secondsFor(() => Promise.all(Array.from({ length: 100 }, () => limiter.take(2 ** 30)))),
    ).toBeLessThan(0.2);
  });

  it('never lets more pass than the rate and a fifth of a second of it', async () => {
    const limiter = new ByteRateLimiter(() => 512 * KIB);
    const fromMs = performance.now();
    for (let passed = 64 * KIB; passed <= 1_024 * KIB; passed += 64 * KIB) {
      await limiter.take(64 * KIB);
      const seconds = (performance.now() - fromMs) / 1_000;
      expect(passed).toBeLessThanOrEqual(512 * KIB * (seconds + 0.25));
    }
  });

  it('serves in order, the urgent before the others', async () => {
    const limiter = new ByteRateLimiter(() => 1_000 * KIB);
    const order: string[] = [];
    const take = (name: string, urgent: boolean) =>
      limiter.take(100 * KIB, urgent).then(() => order.push(name));
    await Promise.all([take('first', false), take('second', false), take('player', true)]);
    expect(order).toEqual(['player', 'first', 'second']);
  });

  it('heeds another rate at once', async () => {
    let rate: number | null = 32 * KIB;
    const limiter = new ByteRateLimiter(() => rate);
    const taking = limiter.take(1_024 * KIB);
    await delay(50);
    rate = null;
    limiter.changed();
    expect(await secondsFor(() => taking)).toBeLessThan(0.5);
  });

  it('finishes at the old rate what began before a stop', async () => {
    let rate: number | null = 1_024 * KIB;
    const limiter = new ByteRateLimiter(() => rate);
    await limiter.take(1);
    rate = 0;
    expect(await secondsFor(() => limiter.take(512 * KIB))).toBeGreaterThan(0.2);
  });

  it('lets a wait be ended, and the next one go on', async () => {
    const limiter = new ByteRateLimiter(() => 1_024 * KIB);
    const end = new AbortController();
    const long = limiter.take(100_000 * KIB, false, end.signal);
    const next = limiter.take(64 * KIB);
    end.abort();
    expect(await long).toBe(false);
    expect(await next).toBe(true);
  });

  it('gives to others what was given back', async () => {
    const limiter = new ByteRateLimiter(() => 100 * KIB);
    await limiter.take(50 * KIB);
    const next = limiter.take(50 * KIB);
    limiter.giveBack(50 * KIB);
    expect(await secondsFor(() => next)).toBeLessThan(0.2);
  });
});
