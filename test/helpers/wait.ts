import { setTimeout as delay } from 'node:timers/promises';

/** Asks until the answer is truthy, and gives it. Fails with `what` when that takes longer than `timeoutMs`. */
export async function waitFor<T>(
  what: string,
  ask: () => T | Promise<T>,
  timeoutMs = 60_000,
): Promise<NonNullable<T>> {
  const untilMs = Date.now() + timeoutMs;
  for (;;) {
    const answer = await ask();
    if (answer) return answer as NonNullable<T>;
    if (Date.now() > untilMs) throw new Error(`Not within ${timeoutMs} ms: ${what}`);
    await delay(10);
  }
}
