/** A hash chain that is exhausted in mid-stream: the next one goes on, nobody waits, and no unit is paid twice or not at all. */
import { expect, it, onTestFinished, vi } from 'vitest';
import { sha256 } from '../../main/util/sha256.ts';
import { decodeTerms } from '../../shared/channel/records.ts';
import { tickBefore } from '../../shared/channel/tick-chain.ts';
import { AceError } from '../../shared/errors.ts';
import { MIB, paidUnits, revealedUnits, settleUp, useDevnet } from '../helpers/devnet.ts';
import { waitFor } from '../helpers/wait.ts';

const CHAIN_UNITS = 10;
const UNITS = 45;

it('a chain exhausted in mid-stream is renewed without a pause, again and again', async () => {
  const net = await useDevnet();
  const [provider, viewer] = [await net.peer('provider'), await net.peer('viewer')];
  const { contentId } = await net.content(provider, UNITS * MIB);
  // The shard has so little to lease at once that every chain is short.
  const call = viewer.shardClient.call.bind(viewer.shardClient);
  vi.spyOn(viewer.shardClient, 'call').mockImplementation(async (method, params) => {
    if (
      method === 'lease' &&
      decodeTerms((params as { terms: Uint8Array }).terms).capacityUnits > CHAIN_UNITS
    ) {
      const details = { leasableUnits: CHAIN_UNITS };
      throw new AceError('CreditExhausted', `${CHAIN_UNITS} units can be leased`, { details });
    }
    const result = await call(method, params);
    return (method === 'account' ? { ...result, leasableUnits: CHAIN_UNITS } : result) as never;
  });
  onTestFinished(() => {
    vi.restoreAllMocks();
  });
  const transfer = await viewer.library.transfer(contentId);
  const states = new Set<string>();
  let [lastUnits, lastAtMs, longestMs] = [0, 0, 0];
  const watch = setInterval(() => {
    if (transfer.paidUnits > 0) states.add(transfer.state);
    if (transfer.paidUnits === lastUnits) return;
    const nowMs = performance.now();
    if (lastAtMs > 0) longestMs = Math.max(longestMs, nowMs - lastAtMs);
    [lastUnits, lastAtMs] = [transfer.paidUnits, nowMs];
  }, 2);
  onTestFinished(() => clearInterval(watch));
  const fromMs = performance.now();
  transfer.download();
  await waitFor('done', () => transfer.state === 'done');
  const allMs = performance.now() - fromMs;
  await settleUp(viewer, provider, contentId);
  await viewer.claims.now();

  const channels = viewer.store.payerChannels.all();
  expect(channels.map(({ state }) => state.revealedUnits)).toEqual([10, 10, 10, 10, 5]);
  expect(channels.every(({ state }) => ['closing', 'claimed', 'settled'].includes(state.status))).toBe(true);
  // Each chain is one of its own.
  const anchors = channels.map(({ terms }) => Buffer.from(decodeTerms(terms).anchor).toString('hex'));
  expect(new Set(anchors).size).toBe(channels.length);
  for (const { state } of provider.store.payeeChannels.all()) {
    const anchor = tickBefore(state.tick, state.paidUnits, sha256);
    expect(anchors).toContain(Buffer.from(anchor).toString('hex'));
  }
  // No pause, and nothing lost on either side.
  expect([...states].filter((state) => state !== 'fetching' && state !== 'done')).toEqual([]);
  // Four times the next chain begins: had the transfer waited for it, most of its time would be those waits.
  expect(longestMs).toBeLessThan(allMs / 4);
  expect(revealedUnits(viewer)).toBe(UNITS);
  expect(paidUnits(provider)).toBe(UNITS);
  const served = provider.store.payeeChannels.all().reduce((sum, { state }) => sum + state.servedBytes, 0);
  expect(served).toBe(UNITS * MIB);
  expect((await net.validator.chain.account(viewer.account.address)).creditUsedUnits).toBe(UNITS);
  expect([...viewer.warnings, ...provider.warnings]).toEqual([]);
  await net.expectConserved();
});
