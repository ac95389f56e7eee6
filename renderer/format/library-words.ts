/** What became of one title of the library, in words. */
import { m } from '../../shared/i18n/compiled/messages.js';
import type { ContentView, TransferView } from '../../shared/rpc/content.ts';
import type { TrafficNow } from '../../shared/rpc/traffic.ts';
import type { ImportCounts } from '../state/import-run.ts';
import type { TaskOutcome } from '../state/title-tasks.svelte.ts';
import { liveWords } from './live-words.ts';
import { formatWhole } from './locale.ts';
import { formatBytes, rateText } from './traffic.ts';

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

/** The same of many: what becomes free is of those whose bytes this node has taken. */
export function removalOfMany(titles: readonly ContentView[], hiddenCount: number): string {
  const stored = titles.filter(({ sourcePath }) => sourcePath === null);
  const freeBytes = stored.reduce((sum, { haveBytes }) => sum + haveBytes, 0);
  const isPaid = stored.some(({ origin, haveBytes }) => origin !== 'imported' && haveBytes > 0);
  return [
    freeBytes > 0
      ? m.library_remove_many_free({ size: formatBytes(freeBytes) })
      : m.library_remove_many_free_none(),
    m.library_remove_many_unshared(),
    ...(titles.some(({ origin }) => origin === 'imported') ? [m.library_remove_many_own()] : []),
    ...(isPaid ? [m.library_remove_many_paid()] : []),
    ...(hiddenCount > 0 ? [m.library_remove_many_hidden({ count: formatWhole(hiddenCount) })] : []),
  ].join(' ');
}

const TASK_DONE = {
  pause: m.library_done_pause,
  resume: m.library_done_resume,
  pin: m.library_done_pin,
  unpin: m.library_done_unpin,
  remove: m.library_done_remove,
} as const;

/** "Removed: 12 · Not done: 2" */
export function taskDone({ task, done, failed }: TaskOutcome): string {
  const words = TASK_DONE[task]({ count: formatWhole(done) });
  return failed.length === 0
    ? words
    : `${words} · ${m.library_done_not({ count: formatWhole(failed.length) })}`;
}

/** "12 added · 3 in the library already · 2 not added" */
export function importWords({ added, known, notAdded }: ImportCounts): string {
  if (added + known + notAdded.length === 0) return m.import_report_nothing();
  return [
    m.import_report_added({ count: formatWhole(added) }),
    ...(known > 0 ? [m.import_report_known({ count: formatWhole(known) })] : []),
    ...(notAdded.length > 0 ? [m.import_report_not_added({ count: formatWhole(notAdded.length) })] : []),
  ].join(' · ');
}

export interface SharingNow {
  /** "2 peers" */
  readonly viewers: string;
  /** "1.2 MiB/s" */
  readonly rate: string;
}

/** Of a title that goes out at this moment. */
export function sharingNow(moved: TrafficNow['contents'][number] | undefined): SharingNow | null {
  if (!moved || moved.viewers === 0) return null;
  return { viewers: m.library_viewers({ count: moved.viewers }), rate: rateText(moved.upBytesPerSecond) };
}
