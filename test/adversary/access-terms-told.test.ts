/**
 * Who sells says what it costs, and could say it anew of what was paid long ago; who passes on, or is a stranger, could say
 * it of what is not its own. Before, the newest record's word on the past closed what was bought: the price of it was lost.
 */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { SoldTerms } from '../../main/content/sold-terms.ts';
import { makeBroadcastFile } from '../../main/content/transport-file.ts';
import { openNodeStore } from '../../main/db/node/store.ts';
import { RecordBook } from '../../main/live/record-book.ts';
import { createLog } from '../../main/process/log.ts';
import { createDevice } from '../../main/wallet/device.ts';
import { type AccessOffer, fileTerms } from '../../shared/economy/access-terms.ts';
import { parseAmount } from '../../shared/economy/money.ts';
import { expectAceError, expectAceRejection } from '../helpers/ace-error.ts';
import { fetchWhole, MIB, useDevnet } from '../helpers/devnet.ts';
import { START_MS, signedSegment } from '../helpers/live-records.ts';
import { buy, quoteOf, soldContent } from '../helpers/sold.ts';
import { tempDir } from '../helpers/temp-dir.ts';
import { waitFor } from '../helpers/wait.ts';

const SELLER = `0x${'ab'.repeat(20)}`;
const DAY_MS = 86_400_000;
const offer = (fromMs: number, price: string): AccessOffer => ({
  ...{ fromMs, priceXac: parseAmount(price), lastsMs: DAY_MS },
});
const FIRST = offer(START_MS, '0.5');

/** What somebody who has bought a broadcast hears of it. */
function listener() {
  const device = createDevice();
  const mimeType = 'application/vnd.apple.mpegurl';
  const access = { ...fileTerms(SELLER, FIRST.priceXac, false), offers: [FIRST] };
  const file = { name: 'Harbour', mimeType, startedAtMs: START_MS };
  const { contentId: broadcast, bytes: transport } = makeBroadcastFile({ ...file, access }, device);
  const store = openNodeStore(join(tempDir(), 'node.db'));
  onTestFinished(() => store.close());
  const addedAtMs = START_MS;
  store.commit(() =>
    store.broadcasts.insert({
      ...{
        contentId: broadcast,
        transport,
        name: file.name,
        mimeType,
        addedAtMs,
        pushKey: null,
        folder: null,
      },
    }),
  );
  const book = new RecordBook({
    store,
    nowMs: () => START_MS + DAY_MS,
    log: createLog(null),
    onRecord: () => undefined,
    onGone: () => undefined,
  });
  const hears = (sequence: number, offers: readonly AccessOffer[], startsAtMs: number) =>
    book.hear(broadcast, signedSegment(device, { broadcast, sequence, offers, startsAtMs }));
  const prices = () =>
    new SoldTerms(store).of(broadcast)?.terms.offers.map(({ fromMs, priceXac }) => [fromMs, priceXac]);
  return { hears, prices };
}

it('a seller that tells other prices of the past is not heard, and what was bought stays open', () => {
  const { hears, prices } = listener();
  const atMs = START_MS + 3_600_000;
  hears(0, [FIRST], atMs);
  const before = prices();
  for (const [what, offers] of Object.entries({
    'it cost more all the time': [offer(START_MS, '50')],
    'it cost more from before on': [FIRST, offer(START_MS + 1_000, '50')],
    'it never cost that': [offer(atMs + 1_000, '50')],
  })) {
    const error = expectAceError('RecordInvalid', () => hears(1, offers, atMs + 2_000));
    // Who passes it on may not have heard of the price of before.
    expect(error.reaction, what).not.toBe('drop-peer');
    expect(prices(), what).toEqual(before);
  }
  // A price from now on is the seller's to say.
  const next = offer(atMs + 3_000, '50');
  hears(1, [FIRST, next], atMs + 4_000);
  expect(prices()).toHaveLength(2);
  // A record of before, that comes late, says nothing of prices any more.
  hears(3, [FIRST, next], atMs + 8_000);
  hears(2, [FIRST], atMs + 6_000);
  expect(prices()).toHaveLength(2);
});

it('what a stranger offers of somebody else’s is another title: its money goes to the stranger, and opens no other', {
  tags: 'long',
}, async () => {
  const net = await useDevnet();
  const [seller, thief, buyer] = [await net.peer('seller'), await net.peer('thief'), await net.peer('buyer')];
  const { contentId } = await soldContent(net, seller, { sizeBytes: MIB, price: '3', name: 'film.bin' });
  // The same bytes, on terms of its own.
  const stolen = await soldContent(net, thief, { sizeBytes: MIB, price: '0.0000001', name: 'film.bin' });
  expect(stolen.contentId).not.toBe(contentId);
  await net.topUp(buyer.account.address, parseAmount('10'));
  await buy(buyer, stolen.contentId);
  await fetchWhole(buyer, stolen.contentId);
  await buyer.library.resolve(contentId, 'fetched');
  expect(buyer.access.state(contentId)?.state).toBe('needed');
  const { quote } = await buy(buyer, contentId);
  expect(quote.to.toLowerCase()).toBe(seller.account.address);
  const earned = async (address: string) => (await net.validator.chain.account(address)).services.XAC;
  expect(await earned(seller.account.address)).toBe(parseAmount('2.1'));
  await net.expectConserved();
});

it('a price that rose before anybody here listened is what is asked and paid, and nothing is while nobody tells it', async () => {
  const net = await useDevnet();
  const [seller, buyer] = [await net.peer('seller'), await net.peer('buyer')];
  await net.topUp(buyer.account.address, parseAmount('10'));
  const terms = { seller: seller.account.address, premium: false, lastsMs: DAY_MS };
  const start = (price: string) =>
    seller.live.start('Harbour', null, { ...terms, priceXac: parseAmount(price) });
  const segment = () =>
    seller.live.broadcaster.publish(id, {
      ...{ bytes: randomBytes(50_000), durationMs: 1_000, init: null, discontinuity: false },
    });
  const { contentId: id } = await start('0.5');
  await segment();
  // Known here by its file, which says 0.5 for ever: it was paid, and opened nothing ten minutes after the change.
  await waitFor('it is found', () => buyer.live.broadcastOf(id).catch(() => null));
  await start('0.7');
  await segment();
  expect((await quoteOf(buyer, id)).priceXac).toBe('0.7000000');
  await start('0.9');
  await segment();
  const { quote } = await buy(buyer, id);
  expect(quote.priceXac).toBe('0.9000000');
  await seller.stop();
  await expectAceRejection('NoProviders', quoteOf(buyer, id));
});

it('a price, and what was bought, are the same after a restart of seller and buyer', {
  tags: 'long',
}, async () => {
  const net = await useDevnet();
  const seller = await net.peer('seller');
  let buyer = await net.peer('buyer');
  await net.topUp(buyer.account.address, parseAmount('10'));
  const price = {
    seller: seller.account.address,
    premium: true,
    priceXac: parseAmount('0.5'),
    lastsMs: DAY_MS,
  };
  const { contentId: id } = await seller.live.start('Harbour', null, price);
  const segment = () =>
    seller.live.broadcaster.publish(id, {
      ...{ bytes: randomBytes(50_000), durationMs: 1_000, init: null, discontinuity: false },
    });
  await segment();
  await waitFor('it is found', () => buyer.live.broadcastOf(id).catch(() => null));
  await buy(buyer, id);
  await seller.live.start('Harbour', null, { ...price, priceXac: parseAmount('0.7') });
  await segment();
  const asked = [parseAmount('0.5'), parseAmount('0.7')];
  const pricesOf = (peer: { store: typeof seller.store }) =>
    new SoldTerms(peer.store).of(id)?.terms.offers.map(({ priceXac }) => priceXac);
  expect(pricesOf(seller)).toEqual(asked);
  await seller.stop();
  const again = await net.peer('seller');
  expect(pricesOf(again)).toEqual(asked);
  expect(again.access.state(id)).toMatchObject({ state: 'own' });
  const before = buyer.access.state(id);
  await buyer.stop();
  buyer = await net.peer('buyer');
  expect(buyer.access.state(id)).toMatchObject({
    state: 'open',
    untilMs: before?.untilMs,
    sold: { contentId: id },
  });
});
