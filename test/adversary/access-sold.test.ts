/**
 * What is sold opens to who has bought it, to its seller and to nobody else. Each attempt to have it without paying is
 * refused by name: no byte is served, no unit charged.
 */
import { expect, it } from 'vitest';
import { deviceFromSeed } from '../../main/wallet/device.ts';
import { parseAmount } from '../../shared/economy/money.ts';
import { isAceError } from '../../shared/errors.ts';
import {
  type AccessCertificate,
  decodeAccess,
  encodeAccess,
  type SignedAccess,
} from '../../shared/settlement/access-certificate.ts';
import { expectAceRejection } from '../helpers/ace-error.ts';
import { fetchWhole, MIB, paidUnits, type TestPeer, useDevnet } from '../helpers/devnet.ts';
import { type RawStream, RawViewer } from '../helpers/raw-viewer.ts';
import { buy, quoteOf, soldContent } from '../helpers/sold.ts';
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
  expect(paidUnits(buyer)).toBe(3);
  await net.expectConserved();
});

interface Scene {
  readonly seller: TestPeer;
  readonly contentId: string;
  readonly viewer: RawViewer;
  readonly stream: RawStream;
  /** What the shard says that the viewer has bought; as it would be, where it has bought nothing. */
  readonly genuine: AccessCertificate;
  readonly sign: (access: AccessCertificate) => SignedAccess;
}

/** A stranger with funds, an open channel and no access. */
async function useScene(): Promise<Scene> {
  const net = await useDevnet();
  const seller = await net.peer('seller');
  const { contentId } = await soldContent(net, seller, { sizeBytes: 2 * MIB, price: PRICE });
  const viewer = await RawViewer.start(net);
  await net.topUp(viewer.account.address, FUNDS);
  const stream = await viewer.open(seller, await viewer.lease(seller, 8));
  const { settings } = net.validator;
  const genuine: AccessCertificate = {
    networkId: settings.networkId,
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
  const shardKey = net.validator.key;
  const sign = (access: AccessCertificate) => {
    const record = encodeAccess(access);
    return { record, signature: shardKey.sign(record) };
  };
  return { seller, contentId, viewer, stream, genuine, sign };
}

async function expectRefused({ stream, seller, contentId }: Scene, code: string): Promise<void> {
  const id = stream.request(contentId, 0);
  expect(await stream.expect('refused')).toMatchObject({ id, code });
  expect(paidUnits(seller)).toBe(0);
  expect(seller.store.contents.get(contentId)?.upBytes).toBe(0);
}

const FORGER = deviceFromSeed(new Uint8Array(32).fill(9));

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
  const scene = await useScene();
  await expectRefused(scene, 'AccessNeeded');
  scene.stream.send({ type: 'access', ...scene.sign({ ...scene.genuine, ...change }) });
  await expectRefused(scene, code);
});

it('refuses a forged one, one with a changed word, and takes the genuine one after them', async () => {
  const scene = await useScene();
  const record = encodeAccess(scene.genuine);
  const forged = { record, signature: FORGER.sign(record) };
  scene.stream.send({ type: 'access', ...forged });
  await expectRefused(scene, 'AccessInvalid');
  const { signature } = scene.sign({ ...scene.genuine, priceXac: parseAmount('0.0000001') });
  scene.stream.send({ type: 'access', record, signature });
  await expectRefused(scene, 'AccessInvalid');

  scene.stream.send({ type: 'access', ...scene.sign(scene.genuine) });
  const id = scene.stream.request(scene.contentId, 0);
  expect(await scene.stream.takePiece()).toMatchObject({ id });
});

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

it('opens on every device of the account at once, and another device asks the shard for what was bought', async () => {
  const net = await useDevnet();
  const [seller, buyer] = [await net.peer('seller'), await net.peer('buyer')];
  const { contentId } = await soldContent(net, seller, { sizeBytes: MIB, price: PRICE });
  await net.topUp(buyer.account.address, FUNDS);
  // Both devices want to buy at once: one purchase is booked, the other one has the wrong number or is not needed.
  const quotes = await Promise.all([quoteOf(buyer, contentId), quoteOf(buyer, contentId)]);
  expect(quotes).toHaveLength(2);
  const bought = await Promise.allSettled([buy(buyer, contentId), buy(buyer, contentId)]);
  const refused = bought.flatMap((one) => (one.status === 'rejected' ? [one.reason as unknown] : []));
  expect(bought.filter(({ status }) => status === 'fulfilled').length).toBeGreaterThan(0);
  expect(refused.every((error) => isAceError(error))).toBe(true);
  await fetchWhole(buyer, contentId);
});
