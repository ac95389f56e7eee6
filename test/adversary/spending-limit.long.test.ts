/**
 * A spending limit against streams, purchases and devices at once, credit, and restarts: how far above it one gets. Nothing
 * that is bought; of traffic one unit for each channel that is open at the limit, which both round up.
 */
import { expect, it } from 'vitest';
import { OperationService } from '../../main/service/operations.ts';
import { createDevice } from '../../main/wallet/device.ts';
import { createPhrase } from '../../main/wallet/phrase.ts';
import { parseAmount } from '../../shared/economy/money.ts';
import type { AceError } from '../../shared/errors.ts';
import type { AccessQuoteView } from '../../shared/rpc/wallet.ts';
import { expectAceRejection } from '../helpers/ace-error.ts';
import { MIB, type TestPeer, ticksArrived, useDevnet } from '../helpers/devnet.ts';
import { buy, buyQuoted, quoteOf, soldContent } from '../helpers/sold.ts';
import { staysFor, waitFor } from '../helpers/wait.ts';

/** At 4 GB an hour, and 1 XAC for 1 XAT, a MiB costs 0.00024414 XAC: these are four, and not five. */
const FOUR_UNITS = '0.0010000';
const stoppedBy = (peer: TestPeer) => peer.limits.stops().map(({ reason }) => reason);

it('holds over streams of several titles and providers, and over a restart', async () => {
  const net = await useDevnet();
  const [one, other] = [await net.peer('one'), await net.peer('other')];
  let viewer = await net.peer('viewer');
  await net.topUp(viewer.account.address, parseAmount('10'));
  const contents = [
    await net.content(one, 6 * MIB, 'a.bin'),
    await net.content(other, 6 * MIB, 'b.bin'),
    await net.content(one, 6 * MIB, 'c.bin'),
  ];
  await viewer.sync.refresh();
  viewer.limits.set({ spendPerDayXac: FOUR_UNITS });
  const download = async () => {
    const transfers = await Promise.all(contents.map(({ contentId }) => viewer.library.transfer(contentId)));
    for (const transfer of transfers) transfer.download();
    await waitFor('all stand still', () =>
      transfers.every(({ reason, state }) => state === 'paused' && reason?.code === 'TrafficStopped'),
    );
    return staysFor('what is paid', 1_000, () => viewer.store.payerChannels.revealedUnits());
  };
  // Each channel may round up a unit of its own.
  const paid = await download();
  expect(paid).toBeGreaterThan(0);
  expect(paid).toBeLessThanOrEqual(4 + 2);
  for (const provider of [one, other]) await ticksArrived(viewer, provider);
  await viewer.stop();
  viewer = await net.peer('viewer');
  await viewer.sync.refresh();
  expect(await download()).toBeLessThanOrEqual(Math.max(paid, 4));
  // Raised, it goes on; lowered below what is spent, it stops at once.
  viewer.limits.set({ spendPerDayXac: '0.0015' });
  await waitFor('it goes on', () => viewer.store.payerChannels.revealedUnits() > paid);
  viewer.limits.set({ spendPerDayXac: '0' });
  expect(stoppedBy(viewer)).toContain('spend-per-day');
});

it('holds back what is taken on credit, which the next funds pay in one day', async () => {
  const net = await useDevnet();
  const [provider, viewer] = [await net.peer('provider'), await net.peer('viewer')];
  const { contentId } = await net.content(provider, 12 * MIB);
  await viewer.sync.refresh();
  viewer.limits.set({ spendPerDayXac: FOUR_UNITS });
  const transfer = await viewer.library.transfer(contentId);
  transfer.download();
  await waitFor('it stands still', () => transfer.reason?.code === 'TrafficStopped');
  await viewer.library.stopTransfer(contentId);
  await ticksArrived(viewer, provider);
  await provider.claims.now();
  await provider.shardClient.call('settle', {});
  await waitFor('it is owed', () => viewer.sync.picture?.account.creditUsedUnits === 4);
  await waitFor('nothing is on its way', () => viewer.store.settledChannels.pendingUnits('paid') === 0);
  expect(stoppedBy(viewer)).toContain('spend-per-day');
  // It was counted as nothing once it was settled as a loan: four more, and four more, up to the whole credit.
  const again = await viewer.library.transfer(contentId);
  again.download();
  await waitFor('it stands still again', () => again.reason?.code === 'TrafficStopped');
  const units = await staysFor('what is taken', 1_000, () => viewer.store.payerChannels.revealedUnits());
  expect(units).toBe(4);
  // The funds that pay it come a day later, say: they pay four, and not ten thousand.
  await net.topUp(viewer.account.address, parseAmount('1'));
  await waitFor('it is repaid', () => viewer.sync.picture?.account.creditUsedUnits === 0);
  await waitFor('it is in the books', () => viewer.limits.spent.dayXac > 0n);
  expect(viewer.limits.spent.dayXac).toBeLessThanOrEqual(parseAmount(FOUR_UNITS));
});

it('lets no second purchase pass it, of whatever device, at once or after a lost answer', async () => {
  const net = await useDevnet();
  const phrase = createPhrase(12);
  const seller = await net.peer('seller');
  const one = await net.peer('one', { phrase, deviceSeed: createDevice().seed() });
  const other = await net.peer('other', { phrase, deviceSeed: createDevice().seed() });
  const titles = [
    await soldContent(net, seller, { sizeBytes: MIB, price: '3', name: 'a.bin' }),
    await soldContent(net, seller, { sizeBytes: MIB, price: '3', name: 'b.bin' }),
  ].map(({ contentId }) => contentId);
  await net.topUp(one.account.address, parseAmount('100'));
  for (const peer of [one, other]) {
    await waitFor('it knows of its funds', () => (peer.sync.picture?.account.services.XAT ?? 0n) > 0n);
    peer.limits.set({ spendPerDayXac: '5' });
  }
  const quotes = await Promise.all(titles.map((id) => quoteOf(one, id)));
  const operations = new OperationService(one, () => Date.now());
  const buyIt = ({ contentId, to, priceXac, premium, lastsMs, expiresAtMs }: AccessQuoteView) =>
    operations.buyAccess({ contentId, to, priceXac, premium, lastsMs, expiresAtMs });
  const done = await Promise.allSettled(quotes.map(buyIt));
  const refused = done.flatMap((each) => (each.status === 'rejected' ? [each.reason as AceError] : []));
  expect(refused.map(({ code }) => code)).toEqual(['TrafficStopped']);
  // Another device has its own limit, and counts what this one has bought.
  const left = titles[done.findIndex(({ status }) => status === 'rejected')] ?? '';
  const quote = await quoteOf(other, left);
  await expectAceRejection('TrafficStopped', buyQuoted(other, quote));
  expect((await net.validator.chain.account(one.account.address)).services.XAT).toBe(parseAmount('97'));
  other.limits.set({ spendPerDayXac: '6' });
  await buy(other, left);
  expect(stoppedBy(other)).toContain('spend-per-day');
});
