/**
 * On which terms a content is sold, as its own file says; a segment of a broadcast, as its broadcast says. Looked up for
 * each piece, so files are read once.
 */
import * as dagCbor from '@ipld/dag-cbor';
import { LRUCache } from 'lru-cache';
import { type AccessTerms, offersFromPlain } from '../../shared/economy/access-terms.ts';
import type { NodeStore } from '../db/node/store.ts';
import { readAnyTransportFile } from './transport-file.ts';

/** What has to be bought: a content, or the broadcast that it is part of. */
export interface Sold {
  readonly contentId: string;
  readonly terms: AccessTerms;
}

type Store = Pick<NodeStore, 'contents' | 'broadcasts' | 'liveRecords'>;

/** Contents whose terms are kept, some hundred bytes each; of others the file is read again. */
const MAX_KNOWN = 2_048;

export class SoldTerms {
  readonly #store: Store;
  /** By id of a content or a broadcast. A file never changes. */
  readonly #known = new LRUCache<string, { readonly terms: AccessTerms | null }>({ max: MAX_KNOWN });

  constructor(store: Store) {
    this.#store = store;
  }

  /** `null` for what costs nothing, and for what is not known here. */
  of(contentId: string): Sold | null {
    const { liveRecords, broadcasts } = this.#store;
    const broadcast = liveRecords.broadcastOf(contentId);
    const soldId = broadcast ?? contentId;
    const terms = this.#inFile(soldId);
    if (!terms) return null;
    const told = broadcasts.offers(soldId);
    const offers = told && offersFromPlain(dagCbor.decode(told));
    return { contentId: soldId, terms: offers ? { ...terms, offers } : terms };
  }

  #inFile(contentId: string): AccessTerms | null {
    const known = this.#known.get(contentId);
    if (known) return known.terms;
    const { contents, broadcasts } = this.#store;
    const row = contents.isSold(contentId) ? contents.get(contentId) : broadcasts.get(contentId);
    if (!row) return null;
    const terms = readAnyTransportFile(contentId, row.transport).access ?? null;
    this.#known.set(contentId, { terms });
    return terms;
  }
}
