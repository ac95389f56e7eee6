/**
 * A provider and a validator alone among fresh identities from 20 addresses, with the default limits, on real streams and
 * real leases. Scaled in time: strangers come 30 times as fast as 10,000 of them in a day, each a host, an account and a
 * device of its own, and the provider's line is 4 MiB/s. What a whole day costs, in units and bytes of files, is counted by a
 * driven clock in `free-service.test.ts`.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { expect, it, onTestFinished } from 'vitest';
import { RISK_LIMITS } from '../../main/peer/limits.ts';
import { type Devnet, fetchWhole, MIB, revealedUnits, settleUp, useDevnet } from '../helpers/devnet.ts';
import { RawViewer } from '../helpers/raw-viewer.ts';

const ADDRESSES = 20;
/** A little more than three a second, where a day has one in nine seconds. */
const STRANGER_EVERY_MS = 288;
const LINE_BYTES_PER_SECOND = 4 * MIB;
const CONTENT_UNITS = 40;
const MOST_LEASE_MS = 200;

/** Strangers that come until the test ends: each leases, greets, takes what it gets, pays nothing and vanishes. */
function strangersCome(net: Devnet, provider: Parameters<RawViewer['lease']>[0], contentId: string) {
  let come = 0;
  let served = 0;
  const visits = new Set<Promise<void>>();
  const visit = async () => {
    const one = await RawViewer.start(net);
    try {
      const stream = await one.open(provider, await one.lease(provider, 4));
      come++;
      stream.request(contentId, come % CONTENT_UNITS);
      const answer = await stream.receive();
      if (answer?.type === 'piece') served++;
      stream.vanish();
    } finally {
      await one.stop();
    }
  };
  const timer = setInterval(() => {
    const visiting = visit()
      .catch(() => undefined) // it is refused or turned away: others come
      .finally(() => visits.delete(visiting));
    visits.add(visiting);
  }, STRANGER_EVERY_MS);
  const leave = async () => {
    clearInterval(timer);
    await Promise.all(visits);
  };
  return {
    leave,
    get come() {
      return come;
    },
    get served() {
      return served;
    },
  };
}

const quantile = (sorted: readonly number[], share: number) =>
  sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;

it('while strangers come, who pays is served at 0.8 of the provider’s speed, and who is known gets its lease within 200 ms', async () => {
  const net = await useDevnet({ settlementIntervalMs: 3_600_000 });
  let visitors = 0;
  const provider = await net.peer('provider', undefined, undefined, undefined, {
    originOf: () => `address ${visitors++ % ADDRESSES}`,
    riskLimits: RISK_LIMITS,
  });
  const viewer = await net.peer('viewer');
  await net.topUp(viewer.account.address, 1_000n);
  const content = (name: string, units: number) => net.content(provider, units * MIB, name);
  // It has paid before, and a settlement says so: it is no stranger.
  const first = await content('first', 16);
  await fetchWhole(viewer, first.contentId);
  await settleUp(viewer, provider, first.contentId);

  provider.limits.set({ uploadBytesPerSecond: LINE_BYTES_PER_SECOND });
  const timed = async (name: string) => {
    const { contentId } = await content(name, CONTENT_UNITS);
    const startedAtMs = performance.now();
    await fetchWhole(viewer, contentId, 300_000);
    return performance.now() - startedAtMs;
  };
  const aloneMs = await timed('alone');

  const bait = await content('bait', CONTENT_UNITS);
  const strangers = strangersCome(net, provider, bait.contentId);
  onTestFinished(() => strangers.leave());
  const known = await RawViewer.start(net);
  const leaseMs: number[] = [];
  let isOver = false;
  const leasing = (async () => {
    while (!isOver) {
      const askedAtMs = performance.now();
      await known.lease(provider, 1);
      leaseMs.push(performance.now() - askedAtMs);
      await delay(200);
    }
  })();
  const amongMs = await timed('among strangers');
  isOver = true;
  await leasing;
  await strangers.leave();

  leaseMs.sort((a, b) => a - b);
  console.info(
    `${CONTENT_UNITS} MiB in ${Math.round(aloneMs)} ms alone, ${Math.round(amongMs)} ms while ${strangers.come} strangers came ` +
      `and ${strangers.served} were served a unit; leases in ${Math.round(quantile(leaseMs, 0.5))} ms, ` +
      `nine of ten in ${Math.round(quantile(leaseMs, 0.9))} ms`,
  );
  expect(strangers.come).toBeGreaterThan(20);
  expect(strangers.served).toBeLessThanOrEqual(RISK_LIMITS.unpaid.inAllUnits);
  expect(revealedUnits(viewer)).toBe(16 + 2 * CONTENT_UNITS);
  expect(aloneMs / amongMs).toBeGreaterThanOrEqual(0.8);
  expect(quantile(leaseMs, 0.9)).toBeLessThan(MOST_LEASE_MS);
});
