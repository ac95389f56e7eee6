/** What became of one title of the library, in words. */
import { m } from '../../shared/i18n/compiled/messages.js';
import type { ContentView, TransferView } from '../../shared/rpc/content.ts';
import { liveWords } from './live-words.ts';
import { formatBytes } from './traffic.ts';

export interface TitleMoment {
  readonly transfer: TransferView | undefined;
  readonly playing: boolean;
  /** The user's own limits let nothing be sent now. */
  readonly sharingStopped: boolean;
  readonly nowMs: number;
}

/** It is on its way here, whole or as it is played. */
export function isComing(content: ContentView, transfer: TransferView | undefined): boolean {
  return !content.live && transfer !== undefined && transfer.state !== 'done' && transfer.state !== 'failed';
}

/** "53 MiB · shared". What is wrong with its file is {@link troubleWords}: then nothing else is said of sharing. */
export function titleWords(content: ContentView, moment: TitleMoment): string {
  const { transfer, playing, sharingStopped, nowMs } = moment;
  if (content.live) return liveWords(content.live, playing, nowMs);
  const size = formatBytes(content.sizeBytes);
  if (transfer && isComing(content, transfer))
    return m.library_fetching({ have: formatBytes(transfer.haveBytes), size });
  if (playing) return m.library_watching({ size });
  if (content.trouble) return size;
  if (content.paused && content.haveBytes > 0) return m.library_paused({ size });
  if (content.haveBytes >= content.sizeBytes)
    return sharingStopped ? m.library_not_shared_now({ size }) : m.library_shared({ size });
  return content.haveBytes > 0
    ? m.library_part_here({ size, have: formatBytes(content.haveBytes) })
    : m.library_from_peers({ size });
}

export function troubleWords({ trouble }: Pick<ContentView, 'trouble'>): string | null {
  return trouble && { changed: m.library_trouble_changed, missing: m.library_trouble_missing }[trouble]();
}

/** What removing it means: for the disk, for the user's own file, and for what was paid. */
export function removalWords({ sourcePath, origin, haveBytes }: ContentView): string {
  if (sourcePath !== null) return m.library_remove_own();
  const size = formatBytes(haveBytes);
  return origin === 'imported' ? m.library_remove_copy({ size }) : m.library_remove_stored({ size });
}
