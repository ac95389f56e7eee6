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
/** Pages kept on each side of those in sight. */
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
  /** First and last page in sight. Those that were passed over on the way there are not loaded. */
  #inSight: readonly [first: number, last: number] = [0, 0];
  #loading: Promise<void> | null = null;

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
    if (filter !== this.filter) this.#inSight = [0, 0];
    this.filter = filter;
    this.#pageFailure = null;
    const newest = await this.#newest.load();
    if (newest === null) return;
    const [sums, first] = newest;
    this.#pages.clear();
    this.#ends.clear();
    this.#pages.set(0, first.rows);
    this.#ends.set(0, first.next);
    this.sums = sums;
    this.count = Math.min(sums.count, MAX_LISTED);
    this.newer = 0;
    void this.#loadInSight();
  }

  /** New rows were settled: the list shows them at once where its top is in sight. */
  async added(rows: number, atTop: boolean): Promise<void> {
    if (atTop) return this.load();
    this.newer += rows;
  }

  /** Loads what is missing of these rows, which are in sight or will be soon. */
  async show(fromIndex: number, untilIndex: number): Promise<void> {
    this.#inSight = [pageOf(fromIndex), pageOf(untilIndex)];
    await this.#loadInSight();
  }

  #loadInSight(): Promise<void> {
    this.#loading ??= this.#loadMissing().finally(() => {
      this.#loading = null;
    });
    return this.#loading;
  }

  async #loadMissing(): Promise<void> {
    for (;;) {
      const page = this.#firstMissing();
      if (page === null || !(await this.#loadPage(page))) return;
    }
  }

  #firstMissing(): number | null {
    // What is known by now may be of another filter.
    if (this.#newest.busy) return null;
    const [first, until] = this.#inSight;
    const last = Math.min(until, pageOf(this.count - 1));
    for (let page = first; page <= last; page++) if (!this.#pages.has(page)) return page;
    return null;
  }

  /** `false` when it failed: it is tried again when rows come into sight. */
  async #loadPage(page: number): Promise<boolean> {
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
      if (asked !== this.#newest.asked) return true;
      this.#pageFailure = null;
      this.#ends.set(page, next);
      this.#pages.set(page, rows);
      this.#forgetFar();
      return true;
    } catch (error) {
      if (asked !== this.#newest.asked) return true;
      this.#pageFailure = errorWords(error);
      return false;
    }
  }

  #forgetFar(): void {
    const [first, last] = this.#inSight;
    for (const page of this.#pages.keys()) {
      if (page < first - KEPT_AROUND || page > last + KEPT_AROUND) this.#pages.delete(page);
    }
  }
}

function pageOf(index: number): number {
  return Math.floor(Math.max(0, index) / PAGE_ROWS);
}
