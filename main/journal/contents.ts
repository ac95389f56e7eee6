/** What an entry was for. Read when it is shown: what a channel carries grows after its first settlement. */
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

/** Of an entry's channels, those with most traffic first; or the one whose access was bought. */
export function linkedContents(
  { contents, channelContents }: Pick<NodeStore, 'contents' | 'channelContents'>,
  entry: JournalEntry,
): LinkedContent[] {
  if (entry.kind === 'access') {
    return [{ contentId: entry.note, name: contents.get(entry.note)?.name ?? null }];
  }
  const linked = new Map<string, LinkedContent>();
  for (const { channelId } of entry.channels) {
    for (const { contentId, name } of channelContents.of(channelId, MAX_CONTENTS)) {
      if (linked.size < MAX_CONTENTS) linked.set(contentId, { contentId, name });
    }
  }
  return [...linked.values()];
}
