/**
 * The settlement history as the page holds it: how many rows a filter has, its sums, and the pages of rows near those in
 * sight. However long the history is, and however far it is scrolled, only a few pages are kept.
 */
import { SvelteMap } from 'svelte/reactivity';
import type { NodeClient, Output } from '../../shared/rpc/rpc.ts';
import type { SettlementFilter, SettlementSums, SettlementView } from '../../shared/rpc/settlements.ts';
import { type ErrorWords, errorWords } from '../format/error-words.ts';
import { LatestRequest } from './latest-request.svelte.ts';

export const PAGE_ROWS = 100;
/** Pages kept on each side of the one that was loaded last. */
const KEPT_AROUND = 10;
/** Browsers lay out no taller element than some 30 million pixels. */
export const MAX_LISTED = 500_000;

export class SettlementPages {
  readonly #client: NodeClient;
  /** The sums and the newest page: with each new asking, the pages of what was asked before count no more. */
  readonly #newest: LatestRequest<[SettlementSums, Output<'settlementHistory'>]>;
  filter = $state.raw<SettlementFilter>({});
  /** Of all rows of the filter; `null` until known. */
  sums = $state.raw<SettlementSums | null>(null);
  /** Rows in the list. It stands still while a person reads further down. */
  count = $state(0);
  /** Rows that came since, and are not in the list yet. */
  newer = $state(0);
  #pageFailure = $state.raw<ErrorWords | null>(null);
  readonly #pages = new SvelteMap<number, readonly SettlementView[]>();
  /** Where the page after each one begins. */
  readonly #ends = new Map<number, string | null>();
  readonly #loading = new Set<number>();

  constructor(client: NodeClient) {
    this.#client = client;
    this.#newest = new LatestRequest(() =>
      Promise.all([
        client.call('settlementSums', { filter: this.filter }),
        client.call('settlementHistory', { filter: this.filter, limit: PAGE_ROWS }),
      ]),
    );
  }

  get failure(): ErrorWords | null {
    return this.#newest.error ?? this.#pageFailure;
  }

  /** `undefined` while it is not loaded. */
  row(index: number): SettlementView | undefined {
    return this.#pages.get(Math.floor(index / PAGE_ROWS))?.[index % PAGE_ROWS];
  }

  /** Begins anew at the newest row. */
  async load(filter: SettlementFilter = this.filter): Promise<void> {
    this.filter = filter;
    this.#pageFailure = null;
    const newest = await this.#newest.load();
    if (newest === null) return;
    const [sums, first] = newest;
    this.#pages.clear();
    this.#ends.clear();
    this.#loading.clear();
    this.#pages.set(0, first.rows);
    this.#ends.set(0, first.next);
    this.sums = sums;
    this.count = Math.min(sums.count, MAX_LISTED);
    this.newer = 0;
  }

  /** New rows were settled: the list shows them at once where its top is in sight. */
  async added(rows: number, atTop: boolean): Promise<void> {
    if (atTop) return this.load();
    this.newer += rows;
  }

  /** Loads what is missing of these rows. */
  async show(fromIndex: number, untilIndex: number): Promise<void> {
    const last = Math.floor(Math.max(0, Math.min(untilIndex, this.count - 1)) / PAGE_ROWS);
    for (let page = Math.floor(Math.max(0, fromIndex) / PAGE_ROWS); page <= last; page++) {
      if (!this.#pages.has(page)) await this.#loadPage(page);
    }
  }

  async #loadPage(page: number): Promise<void> {
    if (this.#loading.has(page)) return;
    this.#loading.add(page);
    const { asked } = this.#newest;
    let before = page - 1;
    while (before >= 0 && !this.#ends.get(before)) before -= 1;
    const after = this.#ends.get(before);
    try {
      const { rows, next } = await this.#client.call('settlementHistory', {
        filter: this.filter,
        ...(after && { after }),
        skip: (page - before - 1) * PAGE_ROWS,
        limit: PAGE_ROWS,
      });
      if (asked !== this.#newest.asked) return;
      this.#pageFailure = null;
      this.#ends.set(page, next);
      this.#pages.set(page, rows);
      this.#forgetFarFrom(page);
    } catch (error) {
      if (asked === this.#newest.asked) this.#pageFailure = errorWords(error);
    } finally {
      if (asked === this.#newest.asked) this.#loading.delete(page);
    }
  }

  #forgetFarFrom(page: number): void {
    for (const kept of this.#pages.keys()) {
      if (Math.abs(kept - page) > KEPT_AROUND) this.#pages.delete(kept);
    }
  }
}
