/** Entries of the journal that pass a filter, newest first, and older ones as they are asked for. */

import type { JournalEntryView } from '../../shared/rpc/journal.ts';
import type { Input, NodeClient } from '../../shared/rpc/rpc.ts';
import { type ErrorWords, errorWords } from '../format/error-words.ts';

type Query = Omit<Input<'journalEntries'>, 'cursor' | 'limit'>;

const PAGE_ENTRIES = 50;

export class EntryPages {
  readonly #client: NodeClient;
  #query: Query = {};
  /** `null` until loaded. */
  entries = $state.raw<readonly JournalEntryView[] | null>(null);
  next = $state.raw<string | null>(null);
  failure = $state.raw<ErrorWords | null>(null);
  busy = $state(false);
  /** Answers to what was asked before the last change of the filter count no more. */
  #asked = 0;

  constructor(client: NodeClient) {
    this.#client = client;
  }

  /** Begins anew at the newest entry. */
  load(query: Query): Promise<void> {
    if (JSON.stringify(query) !== JSON.stringify(this.#query)) this.entries = null;
    this.#query = query;
    return this.#page(null);
  }

  /** Once more, after a failure or because there are newer ones; not while somebody reads further down. */
  async again(): Promise<void> {
    if ((this.entries?.length ?? 0) <= PAGE_ENTRIES) await this.#page(null);
  }

  async more(): Promise<void> {
    if (this.next !== null && !this.busy) await this.#page(this.next);
  }

  async #page(cursor: string | null): Promise<void> {
    const asked = ++this.#asked;
    this.busy = true;
    this.failure = null;
    try {
      const page = await this.#client.call('journalEntries', {
        ...this.#query,
        limit: PAGE_ENTRIES,
        ...(cursor !== null && { cursor }),
      });
      if (asked !== this.#asked) return;
      this.entries = [...(cursor === null ? [] : (this.entries ?? [])), ...page.entries];
      this.next = page.next;
    } catch (error) {
      if (asked === this.#asked) this.failure = errorWords(error);
    } finally {
      if (asked === this.#asked) this.busy = false;
    }
  }
}
