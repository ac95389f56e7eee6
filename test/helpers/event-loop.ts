import { setTimeout as delay } from 'node:timers/promises';

const EVERY_MS = 5;
const SETTLE_MS = 200;

/** Longest time that the event loop of this process was kept from a timer while `act` ran, in milliseconds. */
export async function worstLagMs(act: () => Promise<void>): Promise<number> {
  let last = performance.now();
  let worst = 0;
  const timer = setInterval(() => {
    worst = Math.max(worst, performance.now() - last);
    last = performance.now();
  }, EVERY_MS);
  try {
    await delay(SETTLE_MS);
    worst = 0;
    await act();
  } finally {
    clearInterval(timer);
  }
  return worst;
}
