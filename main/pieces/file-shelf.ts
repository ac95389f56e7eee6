/** Transport files of one stream's contents, read once each. A stream is for a few: asking for many must not cost memory. */
import { LRUCache } from 'lru-cache';
import { readTransportFile, type TransportFile } from '../content/transport-file.ts';
import type { NodeStore } from '../db/node/store.ts';

/** One that plays, the next, and two that are looked into: one file may have 2 MB. */
const MAX_FILES = 4;

export class FileShelf {
  readonly #store: NodeStore;
  readonly #files = new LRUCache<string, TransportFile>({ max: MAX_FILES });

  constructor(store: NodeStore) {
    this.#store = store;
  }

  /** `null` for a content that is not known here. */
  get(contentId: string): TransportFile | null {
    const known = this.#files.get(contentId);
    if (known) return known;
    const row = this.#store.contents.get(contentId);
    if (!row) return null;
    const file = readTransportFile(contentId, row.transport);
    this.#files.set(contentId, file);
    return file;
  }
}
