/** Which segments of a broadcast a player is told of, and which are kept. Pure. */
import type { LiveRecord } from './records.ts';

export interface HeardRecord extends LiveRecord {
  /** When this node heard of it. */
  readonly heardAtMs: number;
}

/** Told to players: who falls further behind jumps forward. */
export const PLAYLIST_MS = 120_000;
const PLAYLIST_MIN_SEGMENTS = 3;
/** A record that is missing is waited for this long, after a later one was heard; then its segment is passed over. */
export const GAP_WAIT_MS = 4_000;
/** Kept on the disk for players and for other viewers. */
export const WINDOW_MS = 10 * 60_000;
export const WINDOW_RECORDS = 600;
export const WINDOW_BYTES = 2 * 1_024 ** 3;

export interface Listed {
  /** Ascending, each number one more than that before it. */
  readonly segments: readonly HeardRecord[];
  /** Nothing comes after the last of them. */
  readonly ended: boolean;
}

/**
 * What a playlist lists: the newest segments without a hole between them. It never begins before `firstSequence`, so
 * that a playlist does not go back when a missing record arrives late.
 * @param records ascending
 */
export function listed(records: readonly HeardRecord[], firstSequence: number, nowMs: number): Listed {
  const runs = runsOf(records.filter(({ sequence }) => sequence >= firstSequence));
  let run = runs.at(-1) ?? [];
  const before = runs.at(-2);
  const [first] = run;
  if (before && first && nowMs - first.heardAtMs < GAP_WAIT_MS) run = before;
  const ended = run.at(-1)?.contentId === null;
  const segments = run.filter(({ contentId }) => contentId !== null);
  // An end that is told alone says no more than that: what is before the hole is still to be seen.
  if (ended && segments.length === 0 && before) return { segments: latest(before), ended: true };
  return { segments: latest(segments), ended };
}

/** The records, ascending, that have left the window. */
export function outdated<T extends LiveRecord>(records: readonly T[]): T[] {
  let [playMs, bytes, count] = [0, 0, 0];
  for (let i = records.length - 1; i >= 0; i--) {
    const record = records[i] as T;
    if (count > 0 && (playMs >= WINDOW_MS || bytes + record.sizeBytes > WINDOW_BYTES)) {
      return records.slice(0, i + 1);
    }
    if (count >= WINDOW_RECORDS) return records.slice(0, i + 1);
    playMs += record.durationMs;
    bytes += record.sizeBytes;
    count += 1;
  }
  return [];
}

/** The first number from `from` on that is missing among the records, which ascend. */
export function firstMissing(records: readonly LiveRecord[], from: number): number {
  let next = from;
  for (const { sequence } of records) {
    if (sequence < next) continue;
    if (sequence > next) return next;
    next += 1;
  }
  return next;
}

function runsOf(records: readonly HeardRecord[]): HeardRecord[][] {
  const runs: HeardRecord[][] = [];
  for (const record of records) {
    const run = runs.at(-1);
    if (run && run.at(-1)?.sequence === record.sequence - 1) run.push(record);
    else runs.push([record]);
  }
  return runs;
}

function latest(segments: readonly HeardRecord[]): HeardRecord[] {
  let playMs = 0;
  let start = segments.length;
  while (start > 0 && (playMs < PLAYLIST_MS || segments.length - start < PLAYLIST_MIN_SEGMENTS)) {
    start -= 1;
    playMs += segments[start]?.durationMs ?? 0;
  }
  return segments.slice(start);
}
