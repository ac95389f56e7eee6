/**
 * What an entry was for: as it was known when it was booked, because what a channel carries grows after its first
 * settlement, and titles are deleted. Entries of before that was kept are looked up as they are shown.
 */
import { LRUCache } from 'lru-cache';
import type { JournalEntry } from '../../shared/journal/entry.ts';
import type { NodeStore } from '../db/node/store.ts';

/** Another node's words. */
export interface LinkedContent {
  readonly contentId: string;
  /** `null` when this node does not have it any more. */
  readonly name: string | null;
}

/** Contents that an entry names. */
const MAX_CONTENTS = 8;
/** Channels remembered: one is settled many times in a row. */
const MAX_CHANNELS = 10_000;

export type ContentBooks = Pick<NodeStore, 'contents' | 'broadcasts' | 'channelContents' | 'entryContents'>;

export class ContentLinks {
  readonly #store: ContentBooks;
  /** By channel id as a string of bytes; of too many, the least recently used is forgotten. */
  readonly #ofChannel = new LRUCache<string, readonly LinkedContent[]>({ max: MAX_CHANNELS });

  constructor(store: ContentBooks) {
    this.#store = store;
  }

  /** Of an entry's channels, those with most traffic first; or the one whose access was bought. */
  of(entry: JournalEntry): readonly LinkedContent[] {
    const kept = this.#store.entryContents.of(entry);
    return kept ?? contentsNow(this.#store, entry, (channelId) => this.#carriedBy(channelId));
  }

  #carriedBy(channelId: Uint8Array): readonly LinkedContent[] {
    const key = Buffer.from(channelId).toString('latin1');
    const known = this.#ofChannel.get(key);
    if (known) return known;
    const contents = carriedBy(this.#store, channelId);
    this.#ofChannel.set(key, contents);
    return contents;
  }
}

/** Of one entry, as it is known now. `ofChannel`: where that is remembered, for those who ask for many. */
export function contentsNow(
  store: ContentBooks,
  { kind, note, channels }: JournalEntry,
  ofChannel = (channelId: Uint8Array) => carriedBy(store, channelId),
): readonly LinkedContent[] {
  if (kind === 'access')
    return [
      { contentId: note, name: (store.contents.get(note) ?? store.broadcasts.get(note))?.name ?? null },
    ];
  const [only] = channels;
  if (!only) return [];
  if (channels.length === 1) return ofChannel(only.channelId);
  const linked = new Map<string, LinkedContent>();
  for (const { channelId } of channels) {
    for (const content of ofChannel(channelId)) {
      if (linked.size < MAX_CONTENTS) linked.set(content.contentId, content);
    }
  }
  return [...linked.values()];
}

function carriedBy(store: ContentBooks, channelId: Uint8Array): readonly LinkedContent[] {
  return store.channelContents
    .of(channelId, MAX_CONTENTS)
    .map(({ contentId, name }) => ({ contentId, name }));
}
