/**
 * Accounts, pools and supply while one operation or one batch changes them: each row is read once, changed in memory,
 * and written once by `save`, after the invariants held. A ledger that is dropped has changed nothing.
 */

import type { BalanceChange } from '../../../shared/chain.ts';
import { EXCHANGE_POOLS, type TradedToken } from '../../../shared/economy/exchange.ts';
import {
  type Balances,
  MAX_AMOUNT,
  NO_BALANCES,
  TOKENS,
  type Token,
  type TokenAmount,
} from '../../../shared/economy/money.ts';
import { type Funds, type Payment, usableFunds } from '../../../shared/economy/payment.ts';
import type { ExchangeRates } from '../../../shared/economy/price.ts';
import { POOLS, type Pool } from '../../../shared/economy/settings.ts';
import type { PoolBalances } from '../../db/chain/pools.ts';
import type { ChainStore } from '../../db/chain/store.ts';
import type { Supply } from '../../db/chain/supply.ts';
import { checkLedger, checkPayment, type FeeSums } from './invariants.ts';

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

export interface LedgerAccount {
  readonly address: string;
  readonly balances: Mutable<Balances>;
  nonce: number;
  creditUsedUnits: number;
}

interface Touched {
  readonly before: Balances;
  readonly after: LedgerAccount;
}

export class Ledger {
  readonly #store: ChainStore;
  readonly #creditLimitUnits: number;
  readonly #accounts = new Map<string, Touched>();
  readonly #poolsBefore: PoolBalances;
  readonly #pools: Record<Pool, Mutable<Balances>>;
  readonly #supplyBefore: Supply;
  readonly #supply: Record<Token, Mutable<Supply[Token]>>;
  /** Fees of the payments so far, to check the pools against. */
  readonly #fees: Partial<Record<Pool, Mutable<FeeSums>>> = {};

  constructor(store: ChainStore, creditLimitUnits: number) {
    this.#store = store;
    this.#creditLimitUnits = creditLimitUnits;
    this.#poolsBefore = store.pools.all();
    this.#pools = copyOf(POOLS, this.#poolsBefore);
    this.#supplyBefore = store.supply.all();
    this.#supply = copyOf(TOKENS, this.#supplyBefore);
  }

  /** The account as it is now; its fields may be changed until `save`. */
  account(address: string): LedgerAccount {
    let touched = this.#accounts.get(address);
    if (!touched) {
      const after: LedgerAccount = this.#store.accounts.get(address) ?? emptyAccount(address);
      touched = { before: { ...after.balances }, after };
      this.#accounts.set(address, touched);
    }
    return touched.after;
  }

  /** Reads accounts ahead, in the order of the file. */
  load(addresses: ReadonlySet<string>): void {
    for (const address of [...addresses].sort()) this.account(address);
  }

  /** XAT in lockedPool, base units. */
  get lockedPoolXat(): TokenAmount {
    return this.#pools.lockedPool.XAT;
  }

  /** What an account can pay with while there is room for the XAC that its XAT would emit. */
  usableFunds({ balances }: LedgerAccount, rates: ExchangeRates): Funds {
    const { genesis, emitted, burned } = this.#supply.XAC;
    return usableFunds(balances, rates, MAX_AMOUNT - (genesis + emitted - burned));
  }

  /** Moves what a payment says. @throws AceError `InvariantViolated` when the payment does not add up. */
  pay(
    payer: LedgerAccount,
    payee: LedgerAccount,
    payment: Payment,
    rates: ExchangeRates,
    feePool: Pool,
  ): void {
    checkPayment(payment, rates);
    add(payer.balances, 'XAC', -payment.xacFromPayer);
    add(payer.balances, 'XAT', -payment.xatBurned);
    add(payer.balances, 'XAS', -payment.xasFromPayer);
    add(payee.balances, 'XAC', payment.payeeXac);
    add(payee.balances, 'XAS', payment.payeeXas);
    add(this.#pools[feePool], 'XAC', payment.feeXac);
    add(this.#pools[feePool], 'XAS', payment.feeXas);
    add(this.#pools.lockedPool, 'XAT', -payment.xatUnlocked);
    add(this.#pools.unlockedPool, 'XAT', payment.xatUnlocked);
    add(this.#supply.XAC, 'emitted', payment.xacEmitted);
    add(this.#supply.XAT, 'burned', payment.xatBurned);
    const fees = this.#feesOf(feePool);
    fees.XAC += payment.feeXac;
    fees.XAS += payment.feeXas;
  }

  #feesOf(pool: Pool): Mutable<FeeSums> {
    let sums = this.#fees[pool];
    if (!sums) {
      sums = { XAC: 0n, XAS: 0n };
      this.#fees[pool] = sums;
    }
    return sums;
  }

  /** Moves tokens between accounts. */
  transfer(from: LedgerAccount, to: LedgerAccount, token: Token, amount: TokenAmount): void {
    add(from.balances, token, -amount);
    add(to.balances, token, amount);
  }

  /** What a pool holds now. */
  pool(pool: Pool): Balances {
    return this.#pools[pool];
  }

  /** What was created and destroyed of a token so far. */
  supply(token: Token): Supply[Token] {
    return this.#supply[token];
  }

  burn(from: LedgerAccount, token: Token, amount: TokenAmount): void {
    add(from.balances, token, -amount);
    add(this.#supply[token], 'burned', amount);
  }

  emit(to: LedgerAccount, token: Token, amount: TokenAmount): void {
    add(to.balances, token, amount);
    add(this.#supply[token], 'emitted', amount);
  }

  /** Moves what is sold into the exchange's reserves and what is bought out of them. */
  swap(
    account: LedgerAccount,
    pair: TradedToken,
    { sell, buy, sold, bought }: { sell: Token; buy: Token; sold: TokenAmount; bought: TokenAmount },
  ): void {
    const reserves = this.#pools[EXCHANGE_POOLS[pair]];
    add(account.balances, sell, -sold);
    add(reserves, sell, sold);
    add(reserves, buy, -bought);
    add(account.balances, buy, bought);
  }

  /** What each account that was touched has gained, per token; nothing where nothing changed. */
  *accountDeltas(): Generator<{ readonly address: string; readonly deltas: Record<Token, bigint> }> {
    for (const [address, { before, after }] of this.#accounts) {
      const deltas = {} as Record<Token, bigint>;
      for (const token of TOKENS) deltas[token] = after.balances[token] - before[token];
      yield { address, deltas };
    }
  }

  /** What has changed so far, per holder and token. */
  changes(): BalanceChange[] {
    const changes: BalanceChange[] = [];
    const compare = (holder: string, before: Balances, after: Balances) => {
      for (const token of TOKENS) {
        const delta = after[token] - before[token];
        if (delta !== 0n) changes.push({ holder, token, delta });
      }
    };
    for (const [address, { before, after }] of this.#accounts) compare(address, before, after.balances);
    for (const pool of POOLS) compare(pool, this.#poolsBefore[pool], this.#pools[pool]);
    return changes;
  }

  /** Checks the invariants and writes every row once. @throws AceError `InvariantViolated` */
  save(): void {
    const accounts = this.#accounts.values();
    const pools = { before: this.#poolsBefore, after: this.#pools };
    const supply = { before: this.#supplyBefore, after: this.#supply };
    checkLedger({ accounts, pools, supply, fees: this.#fees }, this.#creditLimitUnits);
    // In the order of the file: each page is written once, however many accounts there are.
    const touched = [...this.#accounts.values()].sort((a, b) => (a.after.address < b.after.address ? -1 : 1));
    for (const { after } of touched) this.#store.accounts.put(after);
    this.#store.pools.put(this.#pools);
    this.#store.supply.put(this.#supply);
  }
}

function emptyAccount(address: string): LedgerAccount {
  return { address, balances: { ...NO_BALANCES }, nonce: 0, creditUsedUnits: 0 };
}

function copyOf<Key extends string, Row extends object>(
  keys: readonly Key[],
  rows: Readonly<Record<Key, Row>>,
): Record<Key, Mutable<Row>> {
  return Object.fromEntries(keys.map((key) => [key, { ...rows[key] }])) as Record<Key, Mutable<Row>>;
}

function add<Key extends string>(row: Record<Key, TokenAmount>, key: Key, delta: bigint): void {
  if (delta !== 0n) row[key] = (row[key] + delta) as TokenAmount;
}
