/**
 * A validator whose clock is a day ahead, or behind, for a moment (a bad NTP answer), also over a restart. Before its clock
 * was held against the uptime and the last record, one settlement a day ahead released the live lease for good, its payee's
 * next claim was refused, and one record that was dated then had every swap refused for a day.
 */
import { uptime } from 'node:os';
import { expect, onTestFinished } from 'vitest';
import { runDevnetValidator } from '../../main/validator/devnet.ts';
import { signOperation } from '../../main/wallet/account.ts';
import type { Place } from '../../shared/economy/holdings.ts';
import { parseAmount } from '../../shared/economy/money.ts';
import { encodeSignedOperation, type SwapOperation } from '../../shared/economy/operation.ts';
import { fromHex } from '../../shared/hex.ts';
import { expectAceRejection } from '../helpers/ace-error.ts';
import { Devnet, MIB, paidUnits, type TestPeer } from '../helpers/devnet.ts';
import { itInTiers } from '../helpers/tiers.ts';
import { waitFor } from '../helpers/wait.ts';

/** More than is fetched ahead of a reader. */
const UNITS = 40;
const DAY_MS = 24 * 3_600_000;

/** A devnet whose validator's wall clock the test sets; nobody else's is wrong. */
async function useTurnedValidator() {
  let stepMs = 0;
  const clocks = { wallMs: () => Date.now() + stepMs, uptimeMs: () => uptime() * 1_000 };
  const net = await Devnet.start({}, clocks);
  onTestFinished(() => net.stop());
  let running = net.validator;
  return {
    net,
    validator: () => running.validator,
    chain: () => running.chain,
    jump: (byMs: number) => {
      stepMs += byMs;
    },
    async restart() {
      await running.stop();
      running = await runDevnetValidator({ dataDir: `${net.dir}/validator`, port: 0, clocks });
      net.owns(running.stop);
    },
  };
}

const faucet = (peer: TestPeer, xat: string, place: Place) =>
  peer.shardClient.call('faucet', { account: peer.account.address, amountXat: parseAmount(xat), place });

async function swap(peer: TestPeer): Promise<void> {
  const { account, settings, shardClient } = peer;
  const { nonce } = await shardClient.call('account', { address: account.address });
  const deadlineMs = Date.now() + 60_000;
  const operation: SwapOperation = {
    ...{ kind: 'swap', from: account.address, sell: 'XAT', buy: 'XAC', nonce, deadlineMs },
    ...{ amount: parseAmount('1'), minReceived: parseAmount('0') },
  };
  const { signature } = await signOperation(account, settings, operation);
  const bytes = encodeSignedOperation(operation, fromHex(signature.slice(2)));
  await shardClient.call('submit', { operation: bytes });
}

itInTiers<[string, number, boolean]>({
  quick: [
    ['a day ahead', DAY_MS, false],
    ['a day behind over a restart', -DAY_MS, true],
  ],
  long: [
    ['a day behind', -DAY_MS, false],
    ['a day ahead over a restart', DAY_MS, true],
  ],
})('a clock that is %s for a moment takes nothing from anybody', async (_what, byMs, restarts) => {
  const { net, validator, chain, jump, restart } = await useTurnedValidator();
  const provider = await net.peer('provider');
  const { contentId } = await net.content(provider, UNITS * MIB);
  const viewer = await net.peer('viewer');
  await faucet(viewer, '10', 'services');
  const transfer = await viewer.library.transfer(contentId);
  transfer.addReader(0);
  await waitFor('some pieces', () => transfer.paidUnits >= 4);
  await provider.claims.now();
  await validator().settleNow();
  const [lease] = viewer.store.payerChannels.all();
  const { channelId } = lease?.state ?? {};
  if (!channelId) throw new Error('The viewer has no channel');

  jump(byMs);
  if (restarts) {
    await restart();
    await waitFor('the viewer is back', () =>
      viewer.shardClient.call('hello', {}).then(
        () => true,
        () => false,
      ),
    );
  }
  await validator().settleNow();
  // A record is written meanwhile.
  await faucet(viewer, '1', 'main');
  await validator().settleNow();
  // After a start with an old record it may be right to be ahead; any other jump is said.
  if (!restarts || byMs < 0) {
    const request = { terms: Buffer.of(0), termsSignature: Buffer.alloc(64), certificate: Buffer.of(0) };
    await expectAceRejection('ClockWrong', viewer.shardClient.call('lease', request));
    expect(await viewer.shardClient.call('hello', {})).toMatchObject({ clockJumped: true });
  }
  jump(-byMs);

  await validator().settleNow();
  const told = async () =>
    (await viewer.shardClient.call('channels', { channelIds: [channelId] })).channels[0];
  const before = await told();
  expect(before).toMatchObject({ released: false });
  // A validator that starts while its clock is ahead cannot tell that from a night without it: its records are dated so.
  if (!restarts || byMs < 0) await swap(viewer);
  transfer.download();
  await waitFor('done', () => transfer.state === 'done');
  await provider.claims.now();
  // On the same lease, whose payee's next claim is taken.
  expect((await told())?.claimedUnits).toBeGreaterThan(before?.claimedUnits ?? 0);
  await viewer.library.stopTransfer(contentId);
  await provider.claims.now();
  await validator().settleNow();
  expect(paidUnits(provider)).toBe(UNITS);
  expect(viewer.store.payerChannels.all()).toHaveLength(1);
  expect((await chain().account(viewer.account.address)).creditUsedUnits).toBe(0);
});
