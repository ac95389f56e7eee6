/**
 * A provider whose clock jumps by a day in mid-stream, and stays so for a while. Every unit that it served is paid; before,
 * the ticks of what was on its way (2 of 4 units) were refused as too late, and came only if the viewer did once more.
 */
import { uptime } from 'node:os';
import { expect, it, onTestFinished } from 'vitest';
import { Devnet, MIB, paidUnits, revealedUnits, settleUp } from '../helpers/devnet.ts';
import { waitFor } from '../helpers/wait.ts';

const DAY_MS = 24 * 3_600_000;
const UNITS = 40;

it.each([
  ['ahead', DAY_MS],
  ['behind', -DAY_MS],
])('a provider whose clock is a day %s loses no unit, and says so or serves on', async (_, jumpMs) => {
  const net = await Devnet.start();
  onTestFinished(() => net.stop());
  let aheadMs = 0;
  const clocks = { wallMs: () => Date.now() + aheadMs, uptimeMs: () => uptime() * 1_000 };
  const provider = await net.peer('provider', undefined, undefined, undefined, { clocks });
  const { contentId } = await net.content(provider, UNITS * MIB);
  const viewer = await net.peer('viewer');
  const transfer = await viewer.library.transfer(contentId);
  transfer.addReader(0);
  await waitFor('some pieces', () => transfer.paidUnits >= 3);
  aheadMs = jumpMs;
  transfer.download();
  await waitFor('it is said', () => provider.clock.trouble !== null);
  expect(provider.clock.trouble?.stops).toBe(true);
  if (jumpMs < 0) await waitFor('served on', () => transfer.state === 'done');
  else await waitFor('the viewer looks for others', () => transfer.state !== 'fetching');
  // Also if the viewer never came back.
  await waitFor('every tick is taken', () => paidUnits(provider) === revealedUnits(viewer));
  aheadMs = 0;
  await waitFor('done', () => transfer.state === 'done');
  await settleUp(viewer, provider, contentId);
  expect(revealedUnits(viewer)).toBe(UNITS);
  expect(paidUnits(provider)).toBe(UNITS);
});
