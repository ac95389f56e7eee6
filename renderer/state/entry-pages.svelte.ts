/** Entries of the journal that pass a filter, newest first, and older ones as they are asked for. */

import type { JournalEntryView } from '../../shared/rpc/journal.ts';
import type { Input, NodeClient, Output } from '../../shared/rpc/rpc.ts';
import type { ErrorWords } from '../format/error-words.ts';
import { LatestRequest } from './latest-request.svelte.ts';

type Query = Omit<Input<'journalEntries'>, 'cursor' | 'limit'>;

const PAGE_ENTRIES = 50;

export class EntryPages {
  readonly #page: LatestRequest<Output<'journalEntries'>, [cursor: string | null]>;
  #query: Query = {};
  /** `null` until loaded. */
  entries = $state.raw<readonly JournalEntryView[] | null>(null);
  next = $state.raw<string | null>(null);

  constructor(client: NodeClient) {
    this.#page = new LatestRequest((cursor) =>
      client.call('journalEntries', {
        ...this.#query,
        limit: PAGE_ENTRIES,
        ...(cursor !== null && { cursor }),
      }),
    );
  }

  get busy(): boolean {
    return this.#page.busy;
  }

  get failure(): ErrorWords | null {
    return this.#page.error;
  }

  /** Begins anew at the newest entry. */
  load(query: Query): Promise<void> {
    if (JSON.stringify(query) !== JSON.stringify(this.#query)) this.entries = null;
    this.#query = query;
    return this.#load(null);
  }

  /** Once more, after a failure or because there are newer ones; not while a person reads further down. */
  async again(): Promise<void> {
    if ((this.entries?.length ?? 0) <= PAGE_ENTRIES) await this.#load(null);
  }

  async more(): Promise<void> {
    if (this.next !== null && !this.busy) await this.#load(this.next);
  }

  async #load(cursor: string | null): Promise<void> {
    const page = await this.#page.load(cursor);
    if (page === null) return;
    this.entries = [...(cursor === null ? [] : (this.entries ?? [])), ...page.entries];
    this.next = page.next;
  }
}
