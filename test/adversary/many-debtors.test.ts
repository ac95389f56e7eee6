/** Ten thousand accounts that owe and have nothing: a settlement does not ask the chain for each of them. */
import { expect, it, onTestFinished } from 'vitest';
import type { MainChain } from '../../main/chain/port.ts';
import { settle } from '../../main/validator/batching.ts';
import { DebtorWatch } from '../../main/validator/debtor-watch.ts';
import { signOperation } from '../../main/wallet/account.ts';
import { amount } from '../../shared/economy/money.ts';
import { party, TestShard } from '../helpers/shard.ts';
import { tempDir } from '../helpers/temp-dir.ts';

const DEBTORS = 10_000;
const [RICH, DEBTOR, CREDITOR] = [party(1), party(2), party(3)];

it('are asked for once, and then only when something came to them', async () => {
  const shard = new TestShard(tempDir(), {}, [[RICH.account.address, 'XAC', '100', 'main']]);
  onTestFinished(() => shard.close());
  shard.claim(await shard.lease(DEBTOR, CREDITOR, 40), 40);
  await settle(shard.context);
  shard.store.commit(() => {
    for (let n = 1; n < DEBTORS; n++) {
      const debtor = `0x${n.toString(16).padStart(40, '0')}`;
      shard.store.loans.insert(debtor, CREDITOR.account.address, 1, 1, shard.nowMs);
    }
  });
  let asked = 0;
  const chain = new Proxy(shard.chain, {
    get(target, name) {
      if (name === 'account') asked += 1;
      const value = Reflect.get(target, name);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  }) as MainChain;
  const context = { ...shard.context, chain, debtors: new DebtorWatch(shard.store) };
  const settled = async () => {
    asked = 0;
    return settle(context);
  };
  expect(await settled()).toBeNull();
  expect(asked).toBe(DEBTORS);
  expect(await settled()).toBeNull();
  expect(asked).toBe(0);

  const pay = async (base: bigint) => {
    const from = RICH.account.address;
    const { nonce } = await shard.chain.account(from);
    const to = DEBTOR.account.address;
    const operation = {
      kind: 'transfer',
      place: 'services',
      from,
      to,
      token: 'XAC',
      amount: amount(base),
      nonce,
    } as const;
    await shard.chain.submit(await signOperation(RICH.account, shard.settings, operation));
  };
  // Too little for a unit: looked at once. The rest of the 40 units' price: repaid whole.
  await pay(50n);
  expect(await settled()).toBeNull();
  expect(asked).toBe(1);
  expect(await settled()).toBeNull();
  expect(asked).toBe(0);
  await pay(3_950n);
  expect(await settled()).not.toBeNull();
  expect(asked).toBeLessThanOrEqual(3);
  expect(shard.store.loans.owedUnits(DEBTOR.account.address)).toBe(0);
  await settled();
  expect(asked).toBeLessThanOrEqual(2);
});
