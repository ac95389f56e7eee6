/**
 * Which broadcasts this node knows, watches and offers: what the rest of a peer asks about broadcasts. `Live` acts on it.
 */
import { EventEmitter } from 'node:events';
import type { Provider } from '../content/provider.ts';
import type { NodeStore } from '../db/node/store.ts';
import type { Log } from '../process/log.ts';
import { RecordBook } from './record-book.ts';
import type { Watch } from './watch.ts';

export interface LiveIndexContext {
  readonly store: NodeStore;
  readonly nowMs: () => number;
  readonly log: Log;
}

export interface LiveIndexEvents {
  /** A record was added; `isEnd`: the last one of the broadcast. */
  record: [broadcast: string, isEnd: boolean];
  /** Contents have left a window: their rows are gone, their files are to be. */
  gone: [contentIds: readonly string[]];
}

export class LiveIndex extends EventEmitter<LiveIndexEvents> {
  readonly book: RecordBook;
  /** Broadcasts that are watched here. Changed by `Live` alone. */
  readonly watches = new Map<string, Watch>();
  readonly #store: NodeStore;

  constructor({ store, nowMs, log }: LiveIndexContext) {
    super();
    this.#store = store;
    this.book = new RecordBook({
      store,
      nowMs,
      log,
      onRecord: (broadcast, isEnd) => {
        this.watches.get(broadcast)?.heard();
        this.emit('record', broadcast, isEnd);
      },
      onGone: (contentIds) => this.emit('gone', contentIds),
    });
  }

  /** Broadcasts that others can find here: our own, and what is being watched. */
  offered(): string[] {
    // One that has ended can be watched to its end.
    const own = this.#store.broadcasts
      .own()
      .filter(({ ended, contentId }) => !ended || this.book.window(contentId).length > 0);
    return [...new Set([...own.map(({ contentId }) => contentId), ...this.watches.keys()])];
  }

  /**
   * Who can send a segment, or knows of the broadcast; `null` for a content that is no part of one.
   * @param find who has a broadcast that is not watched here
   */
  async providersOf(
    contentId: string,
    find: (broadcast: string) => Promise<readonly Provider[]>,
  ): Promise<readonly Provider[] | null> {
    const broadcast = this.#store.liveRecords.broadcastOf(contentId);
    if (broadcast === null) return null;
    return this.watches.get(broadcast)?.providersOf(contentId) ?? find(broadcast);
  }
}
