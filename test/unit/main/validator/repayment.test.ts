/** However funds come to an account, they repay its loans by themselves: oldest first, before anything new is paid. */
import { expect, it, onTestFinished } from 'vitest';
import { settle } from '../../../../main/validator/batching.ts';
import { submitOperation } from '../../../../main/validator/operations.ts';
import { signOperation } from '../../../../main/wallet/account.ts';
import { parseAmount } from '../../../../shared/economy/money.ts';
import { encodeSignedOperation, type Operation } from '../../../../shared/economy/operation.ts';
import { type Party, party, TestShard } from '../../../helpers/shard.ts';
import { tempDir } from '../../../helpers/temp-dir.ts';

const [DEBTOR, RICH, STRANGER] = [party(1), party(2), party(3)];
// The older loan is of the higher address, so that the order of addresses is the wrong one.
const [NEWER, OLDER] = [party(4), party(5)].sort((a, b) =>
  a.account.address < b.account.address ? -1 : 1,
) as [Party, Party];
/** 40 units and 20 units at 100,000 / 1,024 XAC base units each, both rounded up. */
const SIXTY_UNITS = 5_861n;

/** A shard on which DEBTOR owes OLDER 40 units, and after that NEWER 40. */
async function indebted(): Promise<TestShard> {
  const shard = new TestShard(
    tempDir(),
    { treasury: RICH.account.address },
    [
      [RICH.account.address, 'XAT', '100'],
      [RICH.account.address, 'XAC', '100'],
      [RICH.account.address, 'XAC', '100', 'main'],
      [DEBTOR.account.address, 'XAB', '100'],
    ],
    [
      ['lockedPool', 'XAT', '1000000'],
      ['exchangeXab', 'XAB', '1000'],
      ['exchangeXab', 'XAC', '1000'],
    ],
  );
  onTestFinished(() => shard.close());
  for (const creditor of [OLDER, NEWER]) {
    shard.claim(await shard.lease(DEBTOR, creditor, 40), 40);
    await settle(shard.context);
  }
  return shard;
}

async function submit(shard: TestShard, from: Party, fields: object): Promise<void> {
  const { address } = from.account;
  const { nonce } = await shard.chain.account(address);
  const operation = { from: address, nonce, ...fields } as Operation;
  const { signature } = await signOperation(from.account, shard.settings, operation);
  await submitOperation(
    shard.context,
    encodeSignedOperation(operation, Buffer.from(signature.slice(2), 'hex')),
  );
}

function owed(shard: TestShard): Record<string, number> {
  const loans = shard.store.loans.ofDebtor(DEBTOR.account.address);
  const names = { [OLDER.account.address]: 'older', [NEWER.account.address]: 'newer' };
  return Object.fromEntries(loans.map((loan) => [names[loan.creditor] ?? 'other', loan.unitsLeft]));
}

const toDebtor = { to: DEBTOR.account.address };
it.each<[string, (shard: TestShard) => Promise<void>]>([
  [
    'a transfer',
    (shard) =>
      submit(shard, RICH, {
        kind: 'transfer',
        place: 'services',
        ...toDebtor,
        token: 'XAC',
        amount: SIXTY_UNITS,
      }),
  ],
  [
    'minting, and moving it to services',
    async (shard) => {
      await submit(shard, DEBTOR, { kind: 'mint', amountXat: SIXTY_UNITS, maxXab: parseAmount('100') });
      await settle(shard.context);
      expect(owed(shard)).toEqual({ older: 40, newer: 40 });
      await submit(shard, DEBTOR, { kind: 'deposit', token: 'XAT', amount: SIXTY_UNITS });
    },
  ],
  [
    'a swap, and moving it to services',
    async (shard) => {
      await submit(shard, DEBTOR, {
        kind: 'swap',
        sell: 'XAB',
        buy: 'XAC',
        // With the exchange's fee of 0.3 % on it.
        amount: 5_880n,
        minReceived: SIXTY_UNITS,
        deadlineMs: shard.nowMs + 1_000,
      });
      await submit(shard, DEBTOR, { kind: 'deposit', token: 'XAC', amount: SIXTY_UNITS });
    },
  ],
  [
    'selling access to a content',
    (shard) =>
      submit(shard, RICH, {
        kind: 'access',
        lastsMs: 0,
        ...toDebtor,
        contentId: 'bafy',
        premium: false,
        // The fee of 20 % goes off.
        priceXac: (SIXTY_UNITS * 10n + 7n) / 8n,
      }),
  ],
  [
    'a reward',
    (shard) =>
      submit(shard, RICH, { kind: 'reward', ...toDebtor, amountXac: SIXTY_UNITS, purpose: 'advertising' }),
  ],
  [
    'serving traffic',
    async (shard) => {
      // 67 units, less the fee of 10 %, buy 60.
      shard.claim(await shard.lease(RICH, DEBTOR, 67), 67);
      await settle(shard.context);
    },
  ],
])('after %s', async (_, fund) => {
  const shard = await indebted();
  expect(owed(shard)).toEqual({ older: 40, newer: 40 });
  await fund(shard);
  await settle(shard.context);
  expect(owed(shard)).toEqual({ newer: 20 });
  const { creditUsedUnits } = await shard.chain.account(DEBTOR.account.address);
  expect(creditUsedUnits).toBe(20);
  expect(await settle(shard.context)).toBeNull();
});

it('what is earned in a batch pays for nothing new in it while a loan is open', async () => {
  const shard = await indebted();
  shard.claim(await shard.lease(RICH, DEBTOR, 67), 67);
  shard.claim(await shard.lease(DEBTOR, STRANGER, 30), 30);
  await settle(shard.context);
  expect(owed(shard)).toEqual({ older: 40, newer: 40, other: 30 });
  expect((await shard.chain.account(STRANGER.account.address)).services.XAC).toBe(0n);
  await settle(shard.context);
  expect(owed(shard)).toEqual({ newer: 20, other: 30 });
});
