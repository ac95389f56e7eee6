/**
 * The automatic top-up on a real network, where two devices of an account see at once that one is due, where answers are
 * lost, and where its owner withdraws meanwhile: what moves is what one rule says, each time signed once and in the books.
 */
import { expect, it, onTestFinished } from 'vitest';
import { createLog } from '../../main/process/log.ts';
import { AutoTopUp } from '../../main/service/auto-top-up.ts';
import { OperationService } from '../../main/service/operations.ts';
import { createDevice } from '../../main/wallet/device.ts';
import { createPhrase } from '../../main/wallet/phrase.ts';
import { parseAmount } from '../../shared/economy/money.ts';
import { decodeSignedOperation } from '../../shared/economy/operation.ts';
import { AceError, isAceError } from '../../shared/errors.ts';
import { type Devnet, type TestPeer, useDevnet } from '../helpers/devnet.ts';
import { staysFor, waitFor } from '../helpers/wait.ts';

const RULE = { belowXat: '1', depositXat: '2', mostPerDayXat: '4', mostPerMonthXat: '6' };
const KEPT = parseAmount('20');

function topsUp(peer: TestPeer, operations = new OperationService(peer, () => Date.now())) {
  peer.limits.set({ autoTopUp: RULE });
  const topUp = new AutoTopUp({ peer, operations, nowMs: () => Date.now(), log: createLog(null) });
  onTestFinished(() => topUp.close());
  return { topUp, operations };
}

const holdingsOf = async (net: Devnet, { account }: TestPeer) => {
  const { main, services } = await net.validator.chain.account(account.address);
  return [main.XAT, services.XAT];
};

/** Deposits in the books of a device. */
const deposits = (peer: TestPeer) =>
  [...peer.store.operations.all()].filter(
    ({ operation }) => operation && decodeSignedOperation(operation).operation.kind === 'deposit',
  );

async function devices(net: Devnet): Promise<[TestPeer, TestPeer]> {
  const phrase = createPhrase(12);
  const one = await net.peer('one', { phrase, deviceSeed: createDevice().seed() });
  const other = await net.peer('other', { phrase, deviceSeed: createDevice().seed() });
  await net.topUp(one.account.address, KEPT, 'main');
  for (const peer of [one, other])
    await waitFor('it knows what is kept', () => peer.sync.picture?.account.main.XAT === KEPT);
  return [one, other];
}

it('is made once where two devices of an account see at once that it is due', async () => {
  const net = await useDevnet();
  const [one, other] = await devices(net);
  const made = [topsUp(one), topsUp(other)];
  for (const { topUp } of made) for (let i = 0; i < 20; i++) topUp.look();
  await waitFor('one is made', async () => ((await holdingsOf(net, one))[1] ?? 0n) > 0n);
  const stays = await staysFor('the account', 3_000, () => holdingsOf(net, one).then(String));
  expect(stays).toBe(String([parseAmount('18'), parseAmount('2')]));
  for (const peer of [one, other]) {
    await waitFor('it is in the books', () => deposits(peer).length === 1);
  }
  // The one that made it counts it, and the other may count what was refused for nothing only.
  const moved = made.map(({ topUp }) => topUp.view().dayXat).sort();
  expect(moved).toEqual(['0.0000000', '2.0000000']);
});

it('whose answer is lost, each time, moves no more than a day allows, and is counted over restarts', async () => {
  const net = await useDevnet();
  const [one] = await devices(net);
  const real = one.shardClient.call.bind(one.shardClient);
  const call = async (...args: Parameters<typeof real>) => {
    const answer = await real(...args);
    if (args[0] === 'submit') throw new AceError('RequestTimeout', 'the answer was lost');
    return answer;
  };
  Object.assign(one.shardClient, { call });
  for (let start = 0; start < 4; start++) {
    const { topUp, operations } = topsUp(one);
    await waitFor('it has made what a day allows', () => {
      topUp.look();
      return topUp.view().dayXat === (start === 0 ? '2.0000000' : '4.0000000');
    });
    await topUp.close();
    // What is there is spent elsewhere: the next one is due.
    const services = (await holdingsOf(net, one))[1] ?? 0n;
    if (services > 0n) {
      const amount = { token: 'XAT' as const, amount: '2', expiresAtMs: Date.now() + 60_000 };
      await operations.withdraw(amount).catch((error: unknown) => {
        if (!isAceError(error, 'RequestTimeout')) throw error;
      });
    }
    await one.sync.refresh();
  }
  // A day allows two: nothing has come of the others.
  expect(deposits(one)).toHaveLength(2);
  expect(await holdingsOf(net, one)).toEqual([KEPT, 0n]);
  const { topUp } = topsUp(one);
  topUp.look();
  expect(topUp.view()).toMatchObject({ dayXat: '4.0000000', state: 'day-used' });
});

it('and a withdrawal at once end as one after the other would, and nothing is lost', async () => {
  const net = await useDevnet();
  const [one] = await devices(net);
  const { topUp, operations } = topsUp(one);
  topUp.look();
  const amount = { token: 'XAT' as const, amount: '2', expiresAtMs: Date.now() + 60_000 };
  // Its turn comes after the deposit's: before, there would be nothing to withdraw.
  await operations.withdraw(amount);
  await waitFor('the cap of the day ends it', async () => {
    topUp.look();
    return topUp.view().dayXat === '4.0000000' && ((await holdingsOf(net, one))[1] ?? 0n) > 0n;
  });
  expect(await holdingsOf(net, one)).toEqual([parseAmount('18'), parseAmount('2')]);
  await waitFor('both are in the books', () => deposits(one).length === 2);
  await net.expectConserved();
});
