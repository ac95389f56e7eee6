import { setTimeout as delay } from 'node:timers/promises';

const EVERY_MS = 5;
const SETTLE_MS = 200;

/**
 * The longest work at one go of this thread while `act` ran, in milliseconds: for so long it kept the event loop from a
 * timer. Counted in time of the processor, of which other processes take none.
 */
export async function longestWorkMs(act: () => Promise<void>): Promise<number> {
  let last = threadMs();
  let longest = 0;
  const timer = setInterval(() => {
    const now = threadMs();
    longest = Math.max(longest, now - last);
    last = now;
  }, EVERY_MS);
  try {
    await delay(SETTLE_MS);
    longest = 0;
    await act();
  } finally {
    clearInterval(timer);
  }
  return longest;
}

/** Milliseconds that this process, with all its threads, was at work while `act` ran. */
export async function workMs(act: () => Promise<unknown>): Promise<number> {
  const before = process.cpuUsage();
  await act();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1_000;
}

/** Milliseconds that this thread has been at work since it began. */
export function threadMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1_000;
}
