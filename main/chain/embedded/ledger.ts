/**
 * Accounts, pools and supply while one operation or one batch changes them: each row is read once, changed in memory,
 * and written once by `save`, after the invariants held. A ledger that is dropped has changed nothing.
 */

import type { HoldingChange } from '../../../shared/chain.ts';
import { EXCHANGE_POOLS, type TradedToken } from '../../../shared/economy/exchange.ts';
import {
  type HoldingDeltas,
  type Holdings,
  NO_HOLDINGS,
  PLACES,
  type Place,
  SERVICES_TOKENS,
  type ServicesToken,
  tokensOf,
} from '../../../shared/economy/holdings.ts';
import {
  type Balances,
  MAX_AMOUNT,
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
  readonly main: Mutable<Balances>;
  readonly services: Mutable<Funds>;
  nonce: number;
  creditUsedUnits: number;
}

interface Touched {
  readonly before: Holdings;
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
      touched = { before: { main: { ...after.main }, services: { ...after.services } }, after };
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

  /** What an account can pay with: what lies in services, while there is room for the XAC that its XAT would emit. */
  usableFunds({ services }: LedgerAccount, rates: ExchangeRates): Funds {
    const { genesis, emitted, burned } = this.#supply.XAC;
    return usableFunds(services, rates, MAX_AMOUNT - (genesis + emitted - burned));
  }

  /** Moves what a payment says, from services to services. @throws AceError `InvariantViolated` when the payment does not add up. */
  pay(
    payer: LedgerAccount,
    payee: LedgerAccount,
    payment: Payment,
    rates: ExchangeRates,
    feePool: Pool,
  ): void {
    checkPayment(payment, rates);
    add(payer.services, 'XAC', -payment.xacFromPayer);
    add(payer.services, 'XAT', -payment.xatBurned);
    add(payer.services, 'XAS', -payment.xasFromPayer);
    add(payee.services, 'XAC', payment.payeeXac);
    add(payee.services, 'XAS', payment.payeeXas);
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

  /** Moves tokens from one account's main to another's place. */
  transfer(from: LedgerAccount, to: LedgerAccount, place: Place, token: Token, amount: TokenAmount): void {
    add(from.main, token, -amount);
    add(row(to, place), token, amount);
  }

  /** Moves tokens of one account from one of its places to the other. */
  move(account: LedgerAccount, from: Place, to: Place, token: Token, amount: TokenAmount): void {
    add(row(account, from), token, -amount);
    add(row(account, to), token, amount);
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
    add(from.main, token, -amount);
    add(this.#supply[token], 'burned', amount);
  }

  emit(to: LedgerAccount, token: Token, amount: TokenAmount): void {
    add(to.main, token, amount);
    add(this.#supply[token], 'emitted', amount);
  }

  /** Moves what is sold into the exchange's reserves and what is bought out of them. */
  swap(
    account: LedgerAccount,
    pair: TradedToken,
    { sell, buy, sold, bought }: { sell: Token; buy: Token; sold: TokenAmount; bought: TokenAmount },
  ): void {
    const reserves = this.#pools[EXCHANGE_POOLS[pair]];
    add(account.main, sell, -sold);
    add(reserves, sell, sold);
    add(reserves, buy, -bought);
    add(account.main, buy, bought);
  }

  /** What each account that was touched has gained; nothing where nothing changed. */
  *accountDeltas(): Generator<{ readonly address: string; readonly deltas: HoldingDeltas }> {
    for (const [address, { before, after }] of this.#accounts) {
      const [main, services] = [{} as Record<Token, bigint>, {} as Record<ServicesToken, bigint>];
      for (const token of TOKENS) main[token] = after.main[token] - before.main[token];
      for (const token of SERVICES_TOKENS) services[token] = after.services[token] - before.services[token];
      yield { address, deltas: { main, services } };
    }
  }

  /** What has changed so far, per holder, place and token. */
  changes(): HoldingChange[] {
    const changes: HoldingChange[] = [];
    const note = (holder: string, place: Place | null, token: Token, delta: bigint) => {
      if (delta !== 0n) changes.push({ holder, place, token, delta });
    };
    for (const { address, deltas } of this.accountDeltas()) {
      for (const place of PLACES) {
        const gained: Partial<Record<Token, bigint>> = deltas[place];
        for (const token of tokensOf(place)) note(address, place, token, gained[token] ?? 0n);
      }
    }
    for (const pool of POOLS) {
      const [before, after] = [this.#poolsBefore[pool], this.#pools[pool]];
      for (const token of TOKENS) note(pool, null, token, after[token] - before[token]);
    }
    return changes;
  }

  /**
   * Checks the invariants and writes every row once. A batch charges nobody's main: that is checked of it, too.
   * @throws AceError `InvariantViolated`
   */
  save(by: 'operation' | 'batch'): void {
    const accounts = this.#accounts.values();
    const pools = { before: this.#poolsBefore, after: this.#pools };
    const supply = { before: this.#supplyBefore, after: this.#supply };
    checkLedger({ by, accounts, pools, supply, fees: this.#fees }, this.#creditLimitUnits);
    // In the order of the file: each page is written once, however many accounts there are.
    const touched = [...this.#accounts.values()].sort((a, b) => (a.after.address < b.after.address ? -1 : 1));
    for (const { after } of touched) this.#store.accounts.put(after);
    this.#store.pools.put(this.#pools);
    this.#store.supply.put(this.#supply);
  }
}

function emptyAccount(address: string): LedgerAccount {
  const { main, services } = NO_HOLDINGS;
  return { address, main: { ...main }, services: { ...services }, nonce: 0, creditUsedUnits: 0 };
}

function copyOf<Key extends string, Row extends object>(
  keys: readonly Key[],
  rows: Readonly<Record<Key, Row>>,
): Record<Key, Mutable<Row>> {
  return Object.fromEntries(keys.map((key) => [key, { ...rows[key] }])) as Record<Key, Mutable<Row>>;
}

/** What an account has in a place: a token that cannot lie there never gets that far (`checkOperation`). */
function row(account: LedgerAccount, place: Place): Record<Token, TokenAmount> {
  return account[place] as Record<Token, TokenAmount>;
}

function add<Key extends string>(row: Record<Key, TokenAmount>, key: Key, delta: bigint): void {
  if (delta !== 0n) row[key] = (row[key] + delta) as TokenAmount;
}
