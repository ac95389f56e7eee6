/**
 * The credit story of source documents 002 and 004 with real streams: UserA watches on credit from UserB and UserC until the
 * limit, tops up, and what is owed is repaid by itself; then it watches from UserD, paid first and on credit after. A GB of the
 * story is four MiB here, with the limit and the price to match, so that every amount is that of the documents.
 */
import { expect, it } from 'vitest';
import { formatAmount, parseAmount } from '../../shared/economy/money.ts';
import { UNITS_PER_GB } from '../../shared/economy/units.ts';
import vectors from '../fixtures/economy.json' with { type: 'json' };
import { type Devnet, fetchWhole, MIB, settleUp, type TestPeer, useDevnet } from '../helpers/devnet.ts';
import { waitFor } from '../helpers/wait.ts';

const { creditStory } = vectors;
const [onCreditFromB, onCreditFromC, topUp, fromD] = creditStory.steps;
/** What stands for a GB. */
const UNITS = 4;
/** 1 GB costs 0.01 XAC at 100 GB an hour; so do four MiB at a 256th of that. */
const GB_PER_HOUR = '0.390625';
const KEPT_XAT = '5';
const scaled = (units: number | undefined) => ((units ?? Number.NaN) / UNITS_PER_GB) * UNITS;

async function watch(net: Devnet, viewer: TestPeer, provider: TestPeer, units: number): Promise<void> {
  const { contentId } = await net.content(provider, units * MIB, `${provider.dir.split('/').at(-1)}.bin`);
  await fetchWhole(viewer, contentId);
  await settleUp(viewer, provider, contentId);
}

it('documents 002 and 004: credit to its limit, repaid by a top-up of what is to spend, then paid and on credit again', async () => {
  const net = await useDevnet({
    trafficCreditLimitUnits: scaled(creditStory.creditLimitUnits),
    trafficRateGbPerHour: GB_PER_HOUR,
  });
  const { chain } = net.validator;
  const [a, b, c, d] = [
    await net.peer('UserA'),
    await net.peer('UserB'),
    await net.peer('UserC'),
    await net.peer('UserD'),
  ];
  const services = async ({ account }: TestPeer) => {
    const { services } = await chain.account(account.address);
    return { xac: formatAmount(services.XAC), xat: formatAmount(services.XAT) };
  };
  const creditLeft = async () => {
    const { creditUsedUnits } = await chain.account(a.account.address);
    return creditStory.creditLimitUnits - (creditUsedUnits / UNITS) * UNITS_PER_GB;
  };
  const feePool = async () => formatAmount((await chain.pools()).trafficFeePool.XAC);
  await net.topUp(a.account.address, parseAmount(KEPT_XAT), 'main');

  await watch(net, a, b, scaled(onCreditFromB?.units));
  expect(await creditLeft()).toBe(onCreditFromB?.then['UserA.creditLimit']);
  await watch(net, a, c, scaled(onCreditFromC?.units));
  expect(await creditLeft()).toBe(onCreditFromC?.then['UserA.creditLimit']);
  expect(await services(b)).toEqual({ xac: '0.0000000', xat: '0.0000000' });

  // At limit 0 UserC serves nothing more, though UserA keeps enough to pay for it.
  const more = await net.content(c, MIB, 'more.bin');
  const refused = await a.library.transfer(more.contentId);
  refused.download();
  await waitFor('the refusal', () => refused.reason?.code === 'CreditExhausted' && refused.refusal !== null);
  expect(refused.refusal?.provider).toBe(c.account.address);
  expect(refused.haveBytes).toBe(0);
  await a.library.stopTransfer(more.contentId);

  await net.topUp(a.account.address, parseAmount(topUp?.xat ?? ''));
  await waitFor('all is repaid', async () => (await creditLeft()) === topUp?.then['UserA.creditLimit']);
  expect((await services(a)).xat).toBe(topUp?.then['UserA.xat']);
  expect((await services(b)).xac).toBe(topUp?.then['UserB.xac']);
  expect((await services(c)).xac).toBe(topUp?.then['UserC.xac']);
  expect(await feePool()).toBe(topUp?.then['trafficFeePool.xac']);

  await watch(net, a, d, scaled(fromD?.units));
  expect(await creditLeft()).toBe(fromD?.then['UserA.creditLimit']);
  expect((await services(a)).xat).toBe(fromD?.then['UserA.xat']);
  expect((await services(d)).xac).toBe(fromD?.then['UserD.xac']);
  expect(await feePool()).toBe(fromD?.then['trafficFeePool.xac']);
  expect(formatAmount((await chain.account(a.account.address)).main.XAT)).toBe(`${KEPT_XAT}.0000000`);
  await net.expectConserved();
});
