/**
 * What is sold opens to who has bought it, to its seller and to nobody else. Each attempt to have it without paying is
 * refused by name: no byte is served, no unit charged.
 */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SoldTerms } from '../../main/content/sold-terms.ts';
import { DataDir } from '../../main/data-dir/data-dir.ts';
import type { Watch } from '../../main/live/watch.ts';
import { validatorSecrets } from '../../main/validator/validator-files.ts';
import { type DeviceIdentity, deviceFromSeed } from '../../main/wallet/device.ts';
import { parseAmount } from '../../shared/economy/money.ts';
import type { AceError } from '../../shared/errors.ts';
import {
  type AccessCertificate,
  decodeAccess,
  encodeAccess,
  type SignedAccess,
} from '../../shared/settlement/access-certificate.ts';
import { expectAceRejection } from '../helpers/ace-error.ts';
import { Devnet, fetchWhole, MIB, paidUnits, type TestPeer, useDevnet } from '../helpers/devnet.ts';
import { type RawStream, RawViewer } from '../helpers/raw-viewer.ts';
import { buy, quoteOf, soldContent, twoDevices } from '../helpers/sold.ts';
import { waitFor } from '../helpers/wait.ts';

const PRICE = '3';
const FUNDS = parseAmount('100');

it('pauses with its price, goes on by itself once it is bought, and is passed on to buyers alone', async () => {
  const net = await useDevnet();
  const [seller, buyer, thief] = [await net.peer('seller'), await net.peer('buyer'), await net.peer('thief')];
  const { contentId } = await soldContent(net, seller, { sizeBytes: 3 * MIB, price: PRICE });
  await net.topUp(buyer.account.address, FUNDS);
  await net.topUp(thief.account.address, FUNDS);

  const transfer = await buyer.library.transfer(contentId);
  transfer.download();
  await waitFor('it is paused for want of access', () => transfer.reason?.code === 'AccessNeeded');
  expect(transfer.state).toBe('paused');
  expect(transfer.reason?.details).toMatchObject({ priceXac: '3.0000000', contentId, lastsMs: 0 });
  expect(buyer.store.payerChannels.revealedUnits()).toBe(0);

  const { quote } = await buy(buyer, contentId);
  expect(quote).toMatchObject({ priceXac: '3.0000000', sellerXac: '2.1000000', lastsMs: 0 });
  await waitFor('it is fetched', () => transfer.state === 'done', 30_000);
  expect(buyer.access.state(contentId)).toMatchObject({ state: 'open', untilMs: null });
  await expectAceRejection('AccessBought', quoteOf(buyer, contentId));

  // Who passes it on asks for the same.
  await seller.stop();
  const relayed = await thief.library.transfer(contentId);
  relayed.download();
  await waitFor('it is refused here, too', () => relayed.reason?.code === 'AccessNeeded');
  await buy(thief, contentId);
  await waitFor('the relay sends it', () => relayed.state === 'done', 30_000);
  await waitFor('it was paid for its traffic', () => paidUnits(buyer) === 3);
  await net.expectConserved();
});

const FORGER = deviceFromSeed(new Uint8Array(32).fill(9));

describe('whoever serves what is sold', () => {
  let net: Devnet;
  let seller: TestPeer;
  let contentId: string;
  let viewer: RawViewer;
  /** What the shard would say of a purchase that was never made. */
  let genuine: AccessCertificate;
  let shardKey: DeviceIdentity;
  beforeAll(async () => {
    net = await Devnet.start();
    seller = await net.peer('seller');
    ({ contentId } = await soldContent(net, seller, { sizeBytes: 2 * MIB, price: PRICE }));
    viewer = await RawViewer.start(net);
    await net.topUp(viewer.account.address, FUNDS);
    const files = new DataDir(join(net.dir, 'validator'));
    shardKey = (await validatorSecrets(files.wallet, { mayMake: false })).device;
    genuine = {
      networkId: net.validator.settings.networkId,
      shard: 0,
      account: viewer.account.address,
      contentId,
      seller: seller.account.address,
      priceXac: parseAmount(PRICE),
      premium: false,
      lastsMs: 0,
      boughtAtMs: Date.now() - 1_000,
      untilMs: 0,
    };
  });
  afterAll(() => net?.stop());

  const sign = (access: AccessCertificate): SignedAccess => {
    const record = encodeAccess(access);
    return { record, signature: shardKey.sign(record) };
  };
  const expectRefused = async (stream: RawStream, code: string) => {
    const id = stream.request(contentId, 0);
    expect(await stream.expect('refused')).toMatchObject({ id, code });
    expect(paidUnits(seller)).toBe(0);
    expect(seller.store.contents.get(contentId)?.upBytes).toBe(0);
  };

  it.each<[what: string, change: Partial<AccessCertificate>, code: string]>([
    ['of another network', { networkId: 'another' }, 'AccessInvalid'],
    ['of another account', { account: `0x${'12'.repeat(20)}` }, 'AccessInvalid'],
    ['of another shard', { shard: 1 }, 'AccessInvalid'],
    ['that paid another seller', { seller: `0x${'34'.repeat(20)}` }, 'AccessInvalid'],
    ['of the other pool', { premium: true }, 'AccessInvalid'],
    ['that paid less', { priceXac: parseAmount('2.9999999') }, 'AccessInvalid'],
    ['of another content', { contentId: `bafyrei${'a'.repeat(52)}` }, 'AccessNeeded'],
    ['that is over', { lastsMs: 1_000, boughtAtMs: 1_000, untilMs: 2_000 }, 'AccessExpired'],
  ])('refuses by name a certificate %s', async (_, change, code) => {
    const stream = await viewer.greet(seller);
    await expectRefused(stream, 'AccessNeeded');
    stream.send({ type: 'access', ...sign({ ...genuine, ...change }) });
    await expectRefused(stream, code);
    stream.vanish();
  });

  it('refuses a forged one, one whose words were changed, and takes the genuine one after them', async () => {
    const stream = await viewer.open(seller, await viewer.lease(seller, 8));
    const record = encodeAccess(genuine);
    stream.send({ type: 'access', record, signature: FORGER.sign(record) });
    await expectRefused(stream, 'AccessInvalid');
    const { signature } = sign({ ...genuine, priceXac: parseAmount('0.0000001') });
    stream.send({ type: 'access', record, signature });
    await expectRefused(stream, 'AccessInvalid');

    stream.send({ type: 'access', ...sign(genuine) });
    const id = stream.request(contentId, 0);
    expect(await stream.takePiece()).toMatchObject({ id });
  });

  it('does not hear out a viewer that shows certificates without end', async () => {
    const stream = await viewer.greet(seller);
    for (let i = 0; i < 300; i++) stream.send({ type: 'access', ...sign({ ...genuine, boughtAtMs: i }) });
    await stream.ended();
  });
});

const publish = (peer: TestPeer, id: string) =>
  peer.live.broadcaster.publish(id, {
    bytes: randomBytes(50_000),
    durationMs: 1_000,
    init: null,
    discontinuity: false,
  });

describe('a broadcast that is sold', () => {
  /** Long enough to fetch a segment, short enough to be waited for. */
  const LASTS_MS = 3_000;

  it('opens for as long as was bought; going on costs what is asked by then, and what was bought counts on', async () => {
    const net = await useDevnet();
    const [seller, buyer] = [await net.peer('seller'), await net.peer('buyer')];
    await net.topUp(buyer.account.address, FUNDS);
    const price = { seller: seller.account.address, premium: false, lastsMs: LASTS_MS };
    const first = { ...price, priceXac: parseAmount('0.5') };
    const { contentId: id } = await seller.live.start('Harbour', null, first);
    const { contentId } = await publish(seller, id);
    if (contentId === null) throw new Error('a segment is no end');

    // Its broadcaster's word may be on its way to the shard still.
    await waitFor('it is found', () => buyer.live.broadcastOf(id).catch(() => null));
    const watch = buyer.live.watch(id);
    const { transfer } = await segmentOf(watch, 0);
    const reader = transfer.addReader(0);
    await waitFor('it waits for a purchase', () => transfer.reason?.code === 'AccessNeeded');
    expect(transfer.reason?.details).toMatchObject({
      contentId: id,
      priceXac: '0.5000000',
      lastsMs: LASTS_MS,
    });
    // Whoever asks for the segment alone, past the broadcast, is refused just so.
    const stranger = await RawViewer.start(net);
    const stream = await stranger.greet(seller);
    stream.request(contentId, 0);
    expect(await stream.expect('refused')).toMatchObject({ code: 'AccessNeeded' });

    await buy(buyer, id);
    await waitFor('the segment comes', () => transfer.complete, 30_000);
    transfer.removeReader(reader);

    // The price goes up: what was bought stays good, and is over at its time.
    await seller.live.start('Harbour', null, { ...price, priceXac: parseAmount('0.7') });
    // It counted at once, before, and who bought at the price that it had heard of was refused after it had paid.
    const asked = () => new SoldTerms(seller.store).of(id)?.terms.offers.map(({ priceXac }) => priceXac);
    expect(asked()).toEqual([parseAmount('0.5')]);
    await publish(seller, id);
    expect(asked()).toEqual([parseAmount('0.5'), parseAmount('0.7')]);
    await waitFor('the new price is heard', () => buyer.live.book.window(id).length === 2);
    await waitFor('it is over', () => buyer.access.state(id)?.state === 'expired');
    await publish(seller, id);
    const { transfer: next } = await segmentOf(watch, 2);
    next.addReader(0);
    await waitFor('it waits for another purchase', () => next.reason?.code === 'AccessExpired');
    expect(next.reason?.details).toMatchObject({ priceXac: '0.7000000' });
    const { quote } = await buy(buyer, id);
    expect(quote.priceXac).toBe('0.7000000');
    await waitFor('it goes on', () => next.complete, 30_000);
    await net.expectConserved();
  });
});

async function segmentOf(watch: Watch, sequence: number) {
  let found: Awaited<ReturnType<Watch['segment']>> | null = null;
  await waitFor(`segment ${sequence} is heard of`, async () => {
    found = await watch.segment(sequence).catch(() => null);
    return found !== null;
  });
  if (!found) throw new Error('it was waited for');
  return found as Awaited<ReturnType<Watch['segment']>>;
}

it('is certified for the account that has bought, by the shard at home, and for nobody else', async () => {
  const net = await useDevnet();
  const [seller, buyer] = [await net.peer('seller'), await net.peer('buyer')];
  const { contentId } = await soldContent(net, seller, { sizeBytes: MIB, price: PRICE, premium: true });
  await net.topUp(buyer.account.address, FUNDS);
  await buyer.library.resolve(contentId, 'fetched');
  await buy(buyer, contentId);
  const asked = { contentId, seller: seller.account.address };
  const told = async (account: string) =>
    (await buyer.shardClient.call('access', { ...asked, account })).certificate;
  const certificate = await told(buyer.account.address);
  expect(certificate && decodeAccess(certificate.record)).toMatchObject({
    account: buyer.account.address,
    seller: seller.account.address,
    contentId,
    premium: true,
    priceXac: parseAmount(PRICE),
    untilMs: 0,
  });
  // Asked again, the same.
  expect(await told(buyer.account.address)).toEqual(certificate);
  expect(await told(seller.account.address)).toBeNull();
});

it('is paid once when two devices of one account buy at once, and opens on both', async () => {
  const net = await useDevnet();
  const seller = await net.peer('seller');
  const [one, other] = await twoDevices(net);
  const { contentId } = await soldContent(net, seller, { sizeBytes: MIB, price: PRICE });
  await net.topUp(one.account.address, FUNDS);
  const buying = await Promise.allSettled([buy(one, contentId), buy(other, contentId)]);
  const refused = buying.flatMap((done) => (done.status === 'rejected' ? [done.reason as AceError] : []));
  expect(refused.map(({ code }) => code)).toEqual(['WrongNonce']);
  const earned = (await net.validator.chain.account(seller.account.address)).services.XAC;
  expect(earned).toBe(parseAmount('2.1'));
  // The one that was refused asks the shard, and need not buy.
  await Promise.all([fetchWhole(one, contentId), fetchWhole(other, contentId)]);
  await expectAceRejection('AccessBought', quoteOf(other, contentId));
});

it('is bought for good from a seller who then serves nothing: no piece that does not come is paid', async () => {
  const net = await useDevnet();
  const [seller, buyer] = [await net.peer('seller'), await net.peer('buyer')];
  const { contentId } = await soldContent(net, seller, { sizeBytes: 2 * MIB, price: PRICE });
  await net.topUp(buyer.account.address, FUNDS);
  await buy(buyer, contentId);
  await seller.stop();
  const transfer = await buyer.library.transfer(contentId);
  transfer.download();
  await waitFor('nobody sends it', () => transfer.reason?.code === 'NoProviders');
  expect(buyer.store.payerChannels.revealedUnits()).toBe(0);
  const { services } = await net.validator.chain.account(buyer.account.address);
  expect(services.XAT).toBe(FUNDS - parseAmount(PRICE));
  expect(buyer.access.state(contentId)).toMatchObject({ state: 'open', untilMs: null });
});
