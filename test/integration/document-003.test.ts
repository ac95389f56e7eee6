/**
 * The worked example of source document 003, end to end: a title of the premium pool is bought with 1 XAC and 4 XAT out of
 * what is to spend, what is kept is not touched, and then it plays.
 */
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { OperationService } from '../../main/service/operations.ts';
import { salesView } from '../../main/service/sales.ts';
import { formatAmount, parseAmount } from '../../shared/economy/money.ts';
import vectors from '../fixtures/economy.json' with { type: 'json' };
import { MIB, type TestPeer, useDevnet } from '../helpers/devnet.ts';
import { makeFile } from '../helpers/files.ts';
import { liveNode } from '../helpers/live-node.ts';
import { waitFor } from '../helpers/wait.ts';

const vector = vectors.contentAccess;
const XAC_PER_XAT = '0.5';

/** XAC comes from whoever has some: a friend swaps XAT, and sends it to spend. */
async function sendXac(friend: TestPeer, to: string, amount: string): Promise<void> {
  const { shardClient, account } = friend;
  await shardClient.call('faucet', {
    ...{ account: account.address, token: 'XAT', place: 'main' },
    amountXat: parseAmount('100'),
  });
  const wallet = new OperationService(friend, Date.now);
  const swap = { sell: 'XAT', buy: 'XAC', amount: '10' } as const;
  const quote = await wallet.quoteSwap({ ...swap, slippagePercent: '1' });
  await wallet.swap({ ...swap, leastReceived: quote.leastReceived, expiresAtMs: quote.expiresAtMs });
  const sent = { to, token: 'XAC', amount, place: 'services' } as const;
  await wallet.send({ ...sent, expiresAtMs: (await wallet.quoteSend(sent)).expiresAtMs });
}

it('document 003: access in the premium pool, paid with 1 XAC and 4 XAT to spend', async () => {
  const net = await useDevnet({ xacPerXat: XAC_PER_XAT });
  const { chain } = net.validator;
  const seller = await net.peer('broadcaster');
  const path = await makeFile(join(net.dir, 'film.mp4'), 2 * MIB, 'film');
  const film = { path, priceXac: parseAmount(vector.priceXac), premium: true };
  const { contentId } = await seller.import(film);
  const viewer = await liveNode(net, 'viewer');
  const { address } = viewer.peer.account;
  await sendXac(await net.peer('friend'), address, vector.payerBefore.xac);
  await viewer.call('topUp', { amountXat: vector.payerBefore.xat, place: 'services' });
  await viewer.call('topUp', { amountXat: '5', place: 'main' });

  // A player that comes before the purchase is told what it costs, and where to buy it.
  const url = viewer.at(`/content/${contentId}`);
  const refused = await fetch(url);
  expect(refused.status).toBe(402);
  expect(await refused.json()).toMatchObject({
    code: 'AccessNeeded',
    contentId,
    priceXac: vector.priceXac,
    buyUrl: viewer.at(`/#/watch/${contentId}`),
  });
  // Who waits for it on the page goes on by itself once it is bought.
  const waiting = fetch(`${url}?waits=1`);
  await waitFor('it waits', async () =>
    (await viewer.call('snapshot', {})).transfers.some(({ reason }) => reason?.code === 'AccessNeeded'),
  );

  const [before, supplyBefore] = [await chain.pools(), await chain.supply()];
  const quote = await viewer.call('quoteAccess', { contentId });
  expect(quote).toMatchObject({
    fromXac: vector.payerBefore.xac,
    fromXat: vector.burnedXat,
    fromXas: '0.0000000',
    sellerXac: vector.payeeXac,
    premium: true,
    lastsMs: 0,
  });
  const { to, priceXac, premium, lastsMs, expiresAtMs } = quote;
  await viewer.call('buyAccess', { contentId, to, priceXac, premium, lastsMs, expiresAtMs });

  const payer = await chain.account(address);
  expect(formatAmount(payer.services.XAC)).toBe(vector.payerAfter.xac);
  expect(formatAmount(payer.services.XAT)).toBe(vector.payerAfter.xat);
  expect(payer.main.XAT).toBe(parseAmount('5'));
  const broadcaster = await chain.account(seller.account.address);
  expect(formatAmount(broadcaster.services.XAC)).toBe(vector.payeeXac);
  const [after, supplyAfter] = [await chain.pools(), await chain.supply()];
  const grew = (a: bigint, b: bigint) => formatAmount(a - b);
  expect(grew(after.premiumFeePool.XAC, before.premiumFeePool.XAC)).toBe(vector.premiumFeePoolXac);
  expect(grew(after.unlockedPool.XAT, before.unlockedPool.XAT)).toBe(vector.lockedToUnlockedXat);
  expect(grew(before.lockedPool.XAT, after.lockedPool.XAT)).toBe(vector.lockedToUnlockedXat);
  expect(grew(supplyAfter.XAT.burned, supplyBefore.XAT.burned)).toBe(vector.burnedXat);
  expect(grew(supplyAfter.XAC.emitted, supplyBefore.XAC.emitted)).toBe(vector.emittedXac);

  // The seller sees it on the title, and in its journal.
  await seller.sync.refresh();
  await waitFor('the sale is booked', async () => (await salesView(seller.store, contentId)).length === 1);
  expect(await salesView(seller.store, contentId)).toMatchObject([
    {
      name: 'film.mp4',
      count: 1,
      grossXac: vector.priceXac,
      netXac: vector.payeeXac,
      feeXac: vector.premiumFeePoolXac,
    },
  ]);

  const played = await waiting;
  expect(played.status).toBe(200);
  expect((await played.arrayBuffer()).byteLength).toBe(2 * MIB);
  expect(
    (await viewer.call('contents', {})).find((one) => one.contentId === contentId)?.access,
  ).toMatchObject({
    state: 'open',
    untilMs: null,
    priceXac: vector.priceXac,
  });
  await net.expectConserved();
});
