/** The settlements of one group of a day, newest first, and older ones as they are asked for. */
import type { NodeClient, Output } from '../../shared/rpc/rpc.ts';
import type { SettlementFilter, SettlementView } from '../../shared/rpc/settlements.ts';
import type { ErrorWords } from '../format/error-words.ts';
import { LatestRequest } from './latest-request.svelte.ts';

const PAGE_ROWS = 25;

export class SettlementRows {
  readonly #page: LatestRequest<Output<'settlementHistory'>, [after: string | null]>;
  /** `null` until loaded. */
  rows = $state.raw<readonly SettlementView[] | null>(null);
  next = $state.raw<string | null>(null);

  constructor(client: NodeClient, filter: () => SettlementFilter) {
    this.#page = new LatestRequest((after) =>
      client.call('settlementHistory', {
        filter: filter(),
        limit: PAGE_ROWS,
        ...(after !== null && { after }),
      }),
    );
  }

  get failure(): ErrorWords | null {
    return this.#page.error;
  }

  /** The newest; not while a person reads further down. */
  async load(): Promise<void> {
    if ((this.rows?.length ?? 0) <= PAGE_ROWS) await this.#load(null);
  }

  async more(): Promise<void> {
    if (this.next !== null && !this.#page.busy) await this.#load(this.next);
  }

  async #load(after: string | null): Promise<void> {
    const page = await this.#page.load(after);
    if (page === null) return;
    this.rows = [...(after === null ? [] : (this.rows ?? [])), ...page.rows];
    this.next = page.next;
  }
}
