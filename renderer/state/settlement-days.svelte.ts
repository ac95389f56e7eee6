/** Settlements by day, newest first, and earlier days as they are asked for: a few rows however long the history is. */
import type { NodeClient, Output } from '../../shared/rpc/rpc.ts';
import type { SettlementDayView, SettlementFilter } from '../../shared/rpc/settlements.ts';
import type { ErrorWords } from '../format/error-words.ts';
import { LatestRequest } from './latest-request.svelte.ts';

const PAGE_DAYS = 31;

export class SettlementDays {
  readonly #page: LatestRequest<Output<'settlementDays'>, [before: string | null]>;
  #filter: SettlementFilter = {};
  /** `null` until known. */
  days = $state.raw<readonly SettlementDayView[] | null>(null);
  /** There are earlier ones. */
  next = $state.raw<string | null>(null);

  constructor(client: NodeClient) {
    this.#page = new LatestRequest((before) =>
      client.call('settlementDays', {
        filter: this.#filter,
        limit: PAGE_DAYS,
        ...(before !== null && { before }),
      }),
    );
  }

  get failure(): ErrorWords | null {
    return this.#page.error;
  }

  get busy(): boolean {
    return this.#page.busy;
  }

  /** Begins anew at the newest day. */
  async load(filter: SettlementFilter = this.#filter): Promise<void> {
    if (JSON.stringify(filter) !== JSON.stringify(this.#filter)) this.days = null;
    this.#filter = filter;
    const page = await this.#page.load(null);
    if (page === null) return;
    // New settlements are of the newest days: those that were asked for further back stay as they are.
    const last = page.days.at(-1)?.day;
    const earlier = last === undefined || page.next === null ? [] : this.#before(last);
    this.days = [...page.days, ...earlier];
    if (earlier.length === 0) this.next = page.next;
  }

  async more(): Promise<void> {
    if (this.next === null || this.busy) return;
    const page = await this.#page.load(this.next);
    if (page === null) return;
    this.days = [...(this.days ?? []), ...page.days];
    this.next = page.next;
  }

  #before(day: string): readonly SettlementDayView[] {
    return (this.days ?? []).filter((known) => known.day < day);
  }
}
