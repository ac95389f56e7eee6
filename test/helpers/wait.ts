import { setTimeout as delay } from 'node:timers/promises';
import { inspect, isDeepStrictEqual } from 'node:util';

/** Fails when the answer changes within this time. A slow machine makes it see less, and never fail. */
export async function staysFor<T>(what: string, forMs: number, ask: () => T | Promise<T>): Promise<T> {
  const first = await ask();
  const untilMs = performance.now() + forMs;
  while (performance.now() < untilMs) {
    await delay(10);
    const now = await ask();
    if (!isDeepStrictEqual(now, first))
      throw new Error(`${what}: it was ${inspect(first)}, then ${inspect(now)}`);
  }
  return first;
}

const STILL_MS = 200;

/** Waits until the answer is the same as a moment before, and gives it. */
export async function standsStill<T>(what: string, ask: () => T | Promise<T>): Promise<T> {
  let last = await ask();
  await waitFor(`${what} stands still`, async () => {
    await delay(STILL_MS);
    const before = last;
    last = await ask();
    return isDeepStrictEqual(last, before);
  });
  return last;
}

/** What takes longer is asked for less often: the questions cost what is waited for its time. */
const SOON_MS = 1_000;

/** Asks until the answer is truthy, and gives it. Fails with `what` when that takes longer than `timeoutMs`. */
export async function waitFor<T>(
  what: string,
  ask: () => T | Promise<T>,
  timeoutMs = 60_000,
): Promise<NonNullable<T>> {
  const fromMs = performance.now();
  const untilMs = fromMs + timeoutMs;
  for (;;) {
    const answer = await ask();
    if (answer) return answer as NonNullable<T>;
    if (performance.now() > untilMs) throw new Error(`Not within ${timeoutMs} ms: ${what}`);
    await delay(performance.now() - fromMs < SOON_MS ? 10 : 40);
  }
}
