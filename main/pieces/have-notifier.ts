/**
 * Notifies a viewer of the pieces of a content that this node has: once when it asks, and again when they change.
 * Bounded whatever the viewer does: so many contents, and a bit for each piece in a message, once a second.
 */

import { LRUCache } from 'lru-cache';
import { pieceCount } from '../../shared/economy/units.ts';
import { AceError } from '../../shared/errors.ts';
import type { BucketRate } from '../../shared/token-bucket.ts';
import { encodeHaveMap } from '../content/have-map.ts';
import { isShared } from '../db/node/contents.ts';
import type { NodeStore } from '../db/node/store.ts';
import { MAX_MESSAGE_TRANSPORT_BYTES } from './constants.ts';
import { MAX_INTERESTS } from './interests.ts';
import type { Message } from './messages.ts';

/** What a device may ask, over all its streams: contents at once as many as are kept, then a few a second. */
export const ASK_RATE: BucketRate = { perSecond: 8, burst: 2 * MAX_INTERESTS };
const ALL = new Uint8Array(0);
/** How often the contents that were asked about are looked at. */
const LOOK_MS = 1_000;

export interface HaveNotifierContext {
  readonly store: NodeStore;
  /** Whether a content is announced to others. */
  readonly isOffered: (contentId: string) => boolean;
  readonly send: (message: Message) => void;
  /** Counts a question of the viewer's device; `false` when that was one too many. */
  readonly mayAsk: () => boolean;
  /** Whether the viewer may have so many bytes for nothing; counts them, if so. */
  readonly mayHave: (bytes: number) => boolean;
}

export class HaveNotifier {
  readonly #store: NodeStore;
  readonly #isOffered: (contentId: string) => boolean;
  readonly #send: (message: Message) => void;
  readonly #mayAsk: () => boolean;
  readonly #mayHave: (bytes: number) => boolean;
  /** Contents that were asked about, by id: the version of its pieces that was sent, and whether anything was sent. */
  readonly #notified = new LRUCache<string, { readonly version: number; readonly isKnown: boolean }>({
    max: MAX_INTERESTS,
  });
  #looking: NodeJS.Timeout | null = null;

  constructor({ store, isOffered, send, mayAsk, mayHave }: HaveNotifierContext) {
    this.#store = store;
    this.#isOffered = isOffered;
    this.#send = send;
    this.#mayAsk = mayAsk;
    this.#mayHave = mayHave;
  }

  /** The viewer asks. @throws AceError `TooManyRequests`, `PeerClosed` */
  asked(contentId: string): void {
    this.#count();
    this.#notify(contentId);
  }

  /** The viewer asks for a transport file; empty when it is not offered, too long, or when strangers have had enough. @throws AceError as `asked` */
  transport(contentId: string): Uint8Array {
    this.#count();
    if (!this.#isOffered(contentId)) return new Uint8Array(0);
    const row = this.#store.contents.get(contentId) ?? this.#store.broadcasts.get(contentId);
    const fits = row && row.transport.byteLength <= MAX_MESSAGE_TRANSPORT_BYTES;
    return fits && this.#mayHave(row.transport.byteLength) ? row.transport : new Uint8Array(0);
  }

  #count(): void {
    if (this.#mayAsk()) return;
    throw new AceError('TooManyRequests', 'The viewer asks about contents without end', {
      reaction: 'drop-peer',
    });
  }

  /** Nothing is sent about what is not shared here, until it is: a request for a piece of it is refused. */
  #notify(contentId: string): void {
    const { contents } = this.#store;
    const row = contents.get(contentId);
    const isKnown = row !== null && (isShared(row) || this.#notified.peek(contentId)?.isKnown === true);
    if (isKnown) {
      const count = pieceCount(row.sizeBytes);
      const isWhole = row.havePieces === count;
      const pieces = isWhole ? [] : contents.pieces.of(contentId);
      this.#send({ type: 'have', contentId, bitmap: isWhole ? ALL : encodeHaveMap(pieces, count) });
    }
    this.#notified.set(contentId, { version: contents.pieces.version(contentId), isKnown });
    this.#looking ??= setInterval(() => this.#look(), LOOK_MS);
  }

  stop(): void {
    if (this.#looking) clearInterval(this.#looking);
    this.#looking = null;
    this.#notified.clear();
  }

  #look(): void {
    try {
      for (const [contentId, { version }] of [...this.#notified]) {
        if (this.#store.contents.pieces.version(contentId) !== version) this.#notify(contentId);
      }
    } catch {
      // The stream is gone: the loop that reads it ends it.
      this.stop();
      return;
    }
    if (this.#notified.size === 0) this.stop();
  }
}
