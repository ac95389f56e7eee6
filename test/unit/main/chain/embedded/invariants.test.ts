/** Each rule on its own: figures that keep all of them, and one change that breaks exactly one. */
import { describe, expect, it } from 'vitest';
import {
  checkLedger,
  checkPayment,
  type LedgerChange,
} from '../../../../../main/chain/embedded/invariants.ts';
import { emptyPools } from '../../../../../main/db/chain/pools.ts';
import type { ChainAccount, TokenSupply } from '../../../../../shared/chain.ts';
import { type Holdings, NO_FUNDS, NO_HOLDINGS } from '../../../../../shared/economy/holdings.ts';
import { amount, MAX_AMOUNT, NO_BALANCES, type Token } from '../../../../../shared/economy/money.ts';
import type { Funds, Payment } from '../../../../../shared/economy/payment.ts';
import { ratio } from '../../../../../shared/economy/ratio.ts';
import type { Pool } from '../../../../../shared/economy/settings.ts';

const RATES = { xacPerXat: ratio(2, 3), xacPerXas: ratio(1) };
/** 20 XAC from 30 XAT, 5 XAC and 10 XAS from the payer, a tenth of each as fee. */
const PAYMENT: Payment = {
  xacFromPayer: amount(5n),
  xatBurned: amount(30n),
  xacEmitted: amount(20n),
  xasFromPayer: amount(10n),
  xatUnlocked: amount(30n),
  feeXac: amount(2n),
  feeXas: amount(1n),
  payeeXac: amount(23n),
  payeeXas: amount(9n),
};

describe('a payment', () => {
  it('that adds up passes', () => {
    checkPayment(PAYMENT, RATES);
  });

  it.each<[string, Partial<Payment>]>([
    ['emits more XAC than was burned for', { xacEmitted: amount(21n), payeeXac: amount(24n) }],
    ['burns more XAT than it emits for', { xatBurned: amount(32n) }],
    ['gives the payee more XAC than was charged', { payeeXac: amount(24n) }],
    ['loses XAC', { feeXac: amount(1n) }],
    ['gives the payee more XAS than was charged', { payeeXas: amount(10n) }],
    ['loses XAS', { feeXas: amount(0n) }],
  ])('that %s is stopped', (_, broken) => {
    expect(() => checkPayment({ ...PAYMENT, ...broken }, RATES)).toThrow('Invariant violated');
  });
});

type Figures = { [K in Token]: { genesis: bigint; emitted: bigint; burned: bigint } };

/** A batch in which an account pays {@link PAYMENT} to another. */
function change(): {
  payer: { before: Holdings; after: ChainAccount & { creditUsedUnits: number } };
  payee: { before: Holdings; after: ChainAccount };
  pools: { before: ReturnType<typeof emptyPools>; after: ReturnType<typeof emptyPools> };
  supply: { before: Figures; after: Figures };
  fees: Partial<Record<Pool, { XAC: bigint; XAS: bigint }>>;
} {
  const supply = (): Figures => ({
    XAT: { genesis: 1_000n, emitted: 0n, burned: 0n },
    XAC: { genesis: 1_000n, emitted: 0n, burned: 0n },
    XAS: { genesis: 1_000n, emitted: 0n, burned: 0n },
    XAB: { genesis: 0n, emitted: 0n, burned: 0n },
  });
  const pools = { before: emptyPools(), after: emptyPools() };
  pools.before.lockedPool.XAT = amount(500n);
  for (const side of [pools.before, pools.after]) {
    side.exchangeXat = { ...NO_BALANCES, XAT: amount(100n), XAC: amount(100n) };
  }
  pools.after.lockedPool.XAT = amount(470n);
  pools.after.unlockedPool.XAT = amount(30n);
  pools.after.trafficFeePool = { ...NO_BALANCES, XAC: amount(2n), XAS: amount(1n) };
  const after = supply();
  after.XAT.burned = 30n;
  after.XAC.emitted = 20n;
  const account = (address: string, services: Partial<Funds>): ChainAccount => ({
    address,
    main: { ...NO_BALANCES },
    services: { ...NO_FUNDS, ...services },
    nonce: 0,
    creditUsedUnits: 0,
  });
  return {
    payer: {
      before: { main: NO_BALANCES, services: { XAC: amount(5n), XAT: amount(30n), XAS: amount(10n) } },
      after: account('payer', {}),
    },
    payee: { before: NO_HOLDINGS, after: account('payee', { XAC: amount(23n), XAS: amount(9n) }) },
    pools,
    supply: { before: supply(), after },
    fees: { trafficFeePool: { XAC: 2n, XAS: 1n } },
  };
}

function check(mutate: (c: ReturnType<typeof change>) => void): void {
  const c = change();
  mutate(c);
  const { payer, payee, pools, supply, fees } = c;
  const typed = supply as unknown as {
    before: Record<Token, TokenSupply>;
    after: Record<Token, TokenSupply>;
  };
  const ledger: LedgerChange = { by: 'batch', accounts: [payer, payee], pools, supply: typed, fees };
  checkLedger(ledger, 10_240);
}

const set = (of: object, fields: object) => void Object.assign(of, fields);

describe('a change of the ledger', () => {
  it('that keeps the rules passes', () => {
    check(() => undefined);
  });

  it.each<[string, (c: ReturnType<typeof change>) => void]>([
    ['one base unit out of nothing', (c) => set(c.payee.after.services, { XAC: 24n })],
    ['one base unit lost', (c) => set(c.payee.after.services, { XAC: 22n })],
    [
      'a negative balance',
      (c) => {
        set(c.payer.after.services, { XAT: -1n });
        set(c.payee.after.services, { XAT: 1n });
      },
    ],
    [
      'a charge to main',
      (c) => {
        set(c.payer.before, { main: { ...NO_BALANCES, XAT: 1n } });
        set(c.payer.after.services, { XAT: 1n });
      },
    ],
    [
      'more of a token than can exist',
      (c) => {
        for (const side of [c.supply.before, c.supply.after]) side.XAB.genesis = MAX_AMOUNT + 1n;
      },
    ],
    ['credit past the limit', (c) => set(c.payer.after, { creditUsedUnits: 10_241 })],
    ['negative credit', (c) => set(c.payer.after, { creditUsedUnits: -1 })],
    [
      'an unlockedPool that grew by more than lockedPool shrank',
      (c) => {
        set(c.pools.after.unlockedPool, { XAT: 31n });
        set(c.supply.after.XAT, { burned: 29n });
      },
    ],
    [
      'a fee that the payee got',
      (c) => {
        set(c.payee.after.services, { XAS: 10n });
        set(c.pools.after.trafficFeePool, { XAS: 0n });
      },
    ],
    [
      'the payee’s part in a fee pool',
      (c) => {
        set(c.payee.after.services, { XAC: 0n });
        set(c.pools.after.trafficFeePool, { XAC: 25n });
      },
    ],
    [
      'a fee in another pool',
      (c) => {
        set(c.pools.after.trafficFeePool, { XAC: 0n });
        set(c.pools.after.premiumFeePool, { XAC: 2n });
      },
    ],
    [
      'reserves whose product shrank',
      (c) => {
        set(c.pools.after.exchangeXat, { XAC: 99n });
        set(c.payee.after.services, { XAC: 24n });
      },
    ],
  ])('with %s is stopped', (_, mutate) => {
    expect(() => check(mutate)).toThrow('Invariant violated');
  });
});
