/**
 * What nodes ask a shard about the main chain again and again: accounts and the market, kept for a moment.
 *
 * An account is forgotten the moment that a batch or an operation of this validator names it, the market with each of
 * them. Other shards' batches change accounts as well, and the exchange's average moves with the clock: so nothing is
 * kept for longer than a second or two. For pictures only; leases and batches ask `chain`, which is exact.
 */
import { LRUCache } from 'lru-cache';
import type { ChainAccount, Market, OperationReceipt } from '../../shared/chain.ts';
import type { BatchResult } from '../../shared/settlement/batch.ts';
import type { MainChain } from '../chain/port.ts';
import type { ChainReads } from './accounts.ts';

type Pools = Awaited<ReturnType<MainChain['pools']>>;

export const MAX_ACCOUNT_AGE_MS = 2_000;
export const MAX_MARKET_AGE_MS = 1_000;
const MAX_FIGURES_AGE_MS = 2_000;
const MAX_ACCOUNTS = 10_000;

/** What all accounts share, for pages: no payment is worked out with it. */
export interface ChainFigures {
  readonly pools: Pools;
  readonly supply: Awaited<ReturnType<MainChain['supply']>>;
}

interface Kept<T> {
  readonly value: T;
  readonly atMs: number;
}

export class ReadCache implements ChainReads {
  /** The main chain itself: reads are exact, and what is written through it is forgotten here. */
  readonly chain: MainChain;
  readonly #source: MainChain;
  readonly #nowMs: () => number;
  /** Of too many, the one asked from the chain longest ago is forgotten: being looked at does not make it newer. */
  readonly #accounts = new LRUCache<string, Kept<ChainAccount>>({ max: MAX_ACCOUNTS });
  #market: Kept<Market> | null = null;
  #pools: Kept<Pools> | null = null;
  #figures: Kept<ChainFigures> | null = null;
  /** Counts what was forgotten: a read that began before it is not kept. */
  #generation = 0;

  /** `nowMs` is a clock that cannot be set. */
  constructor(source: MainChain, nowMs: () => number) {
    this.#source = source;
    this.#nowMs = nowMs;
    this.chain = {
      settings: () => source.settings(),
      account: (address) => source.account(address),
      accounts: () => source.accounts(),
      changes: (cursor) => source.changes(cursor),
      market: () => source.market(),
      pools: () => source.pools(),
      supply: () => source.supply(),
      deviceLink: (account, device) => source.deviceLink(account, device),
      devices: (account) => source.devices(account),
      accountOperations: (address, fromHeight, limit) => source.accountOperations(address, fromHeight, limit),
      access: (account, contentId, seller) => source.access(account, contentId, seller),
      head: () => source.head(),
      lastBatch: (shard) => source.lastBatch(shard),
      batchResult: (shard, number) => source.batchResult(shard, number),
      close: () => source.close(),
      submit: (signed) =>
        this.#written(source.submit(signed), (receipt) => accountsOf(signed.operation.from, receipt)),
      applyBatch: (signed) => this.#written(source.applyBatch(signed), partiesOf),
    };
  }

  settings() {
    return this.#source.settings();
  }

  async account(address: string): Promise<ChainAccount> {
    const nowMs = this.#nowMs();
    const kept = this.#accounts.peek(address);
    if (kept && nowMs - kept.atMs < MAX_ACCOUNT_AGE_MS) return kept.value;
    const generation = this.#generation;
    const value = await this.#source.account(address);
    if (generation === this.#generation) this.#accounts.set(address, { value, atMs: nowMs });
    return value;
  }

  async market(): Promise<Market> {
    const nowMs = this.#nowMs();
    if (this.#market && nowMs - this.#market.atMs < MAX_MARKET_AGE_MS) return this.#market.value;
    const generation = this.#generation;
    const value = await this.#source.market();
    if (generation === this.#generation) this.#market = { value, atMs: nowMs };
    return value;
  }

  async pools(): Promise<Pools> {
    const nowMs = this.#nowMs();
    if (this.#pools && nowMs - this.#pools.atMs < MAX_MARKET_AGE_MS) return this.#pools.value;
    const generation = this.#generation;
    const value = await this.#source.pools();
    if (generation === this.#generation) this.#pools = { value, atMs: nowMs };
    return value;
  }

  /** Not forgotten with a batch: they are looked at, never paid from. */
  async figures(): Promise<ChainFigures> {
    const nowMs = this.#nowMs();
    if (this.#figures && nowMs - this.#figures.atMs < MAX_FIGURES_AGE_MS) return this.#figures.value;
    const [pools, supply] = await Promise.all([this.#source.pools(), this.#source.supply()]);
    this.#figures = { value: { pools, supply }, atMs: nowMs };
    return this.#figures.value;
  }

  async #written<T>(writing: Promise<T>, named: (done: T) => readonly string[]): Promise<T> {
    try {
      const done = await writing;
      this.#forget(named(done));
      return done;
    } catch (error) {
      // Whether it was written before it failed is not known here.
      this.#forget([...this.#accounts.keys()]);
      throw error;
    }
  }

  #forget(addresses: readonly string[]): void {
    this.#generation += 1;
    this.#market = null;
    this.#pools = null;
    for (const address of addresses) this.#accounts.delete(address);
  }
}

function accountsOf(from: string, { changes }: OperationReceipt): string[] {
  return [from, ...changes.map(({ holder }) => holder)];
}

function partiesOf({ entries }: BatchResult): string[] {
  return entries.flatMap(({ payer, payee }) => [payer, payee]);
}
