/**
 * A purchase whose answer is lost, and one that another device has made meanwhile: it is found, and not paid again.
 * Before, a second try within 15 s paid the whole price once more.
 */
import { randomBytes } from 'node:crypto';
import { expect, it } from 'vitest';
import { parseAmount } from '../../shared/economy/money.ts';
import { AceError } from '../../shared/errors.ts';
import { expectAceRejection } from '../helpers/ace-error.ts';
import { type Devnet, fetchWhole, MIB, type TestPeer, useDevnet } from '../helpers/devnet.ts';
import { buy, buyQuoted, quoteOf, soldContent, twoDevices } from '../helpers/sold.ts';
import { waitFor } from '../helpers/wait.ts';

const PRICE = '3';
const FUNDS = parseAmount('100');

/** From the next operation on, no answer of the shard's comes here until `heal`; what is asked of it is done. */
function loseAnswers({ shardClient }: TestPeer): { readonly heal: () => void } {
  const real = shardClient.call.bind(shardClient);
  let lost = false;
  const call = async (...args: Parameters<typeof real>) => {
    if (args[0] === 'submit') lost = true;
    const answer = await real(...args);
    if (lost) throw new AceError('RequestTimeout', 'the answer was lost');
    return answer;
  };
  Object.assign(shardClient, { call });
  return { heal: () => void Object.assign(shardClient, { call: real }) };
}

const spentOf = async (net: Devnet, { account }: TestPeer) =>
  FUNDS - (await net.validator.chain.account(account.address)).services.XAT;

it('whose answer is lost is found by the next try, and paid once', async () => {
  const net = await useDevnet();
  const [seller, buyer] = [await net.peer('seller'), await net.peer('buyer')];
  const { contentId } = await soldContent(net, seller, { sizeBytes: MIB, price: PRICE });
  await net.topUp(buyer.account.address, FUNDS);
  const quote = await quoteOf(buyer, contentId);

  const line = loseAnswers(buyer);
  await expectAceRejection('RequestTimeout', buyQuoted(buyer, quote));
  line.heal();
  // The same quote again, and a new one: both find what was bought.
  await expectAceRejection('AccessBought', buyQuoted(buyer, quote));
  await expectAceRejection('AccessBought', quoteOf(buyer, contentId));
  expect(await spentOf(net, buyer)).toBe(parseAmount(PRICE));
  await fetchWhole(buyer, contentId);
});

it('of a broadcast is not prolonged by a try that does not know of it', async () => {
  const net = await useDevnet();
  const [seller, buyer] = [await net.peer('seller'), await net.peer('buyer')];
  await net.topUp(buyer.account.address, FUNDS);
  const price = {
    seller: seller.account.address,
    premium: false,
    priceXac: parseAmount(PRICE),
    lastsMs: 3_600_000,
  };
  const { contentId } = await seller.live.start('Harbour', null, price);
  await seller.live.broadcaster.publish(contentId, {
    ...{ bytes: randomBytes(50_000), durationMs: 1_000, init: null, discontinuity: false },
  });
  await waitFor('it is found', () => buyer.live.broadcastOf(contentId).catch(() => null));
  const quote = await quoteOf(buyer, contentId);

  const line = loseAnswers(buyer);
  await expectAceRejection('RequestTimeout', buyQuoted(buyer, quote));
  line.heal();
  await expectAceRejection('AccessBought', buyQuoted(buyer, quote));
  expect(await spentOf(net, buyer)).toBe(parseAmount(PRICE));
  expect(buyer.access.state(contentId)?.state).toBe('open');
  // Who knows of it may well buy more of it.
  await buy(buyer, contentId);
  expect(await spentOf(net, buyer)).toBe(2n * parseAmount(PRICE));
});

it('on another device, with the quote of before, is not made again on this one', async () => {
  const net = await useDevnet();
  const seller = await net.peer('seller');
  const [one, other] = await twoDevices(net);
  const { contentId } = await soldContent(net, seller, { sizeBytes: MIB, price: PRICE });
  await net.topUp(one.account.address, FUNDS);
  await waitFor('both know of the funds', () => (other.sync.picture?.account.services.XAT ?? 0n) === FUNDS);
  const quote = await quoteOf(other, contentId);
  await buy(one, contentId);
  await expectAceRejection('AccessBought', buyQuoted(other, quote));
  expect(await spentOf(net, one)).toBe(parseAmount(PRICE));
  expect(other.access.state(contentId)?.state).toBe('open');
});
