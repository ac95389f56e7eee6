/**
 * A folder that an encoder writes a playlist and its segments to. It is looked at again and again: notices of the system
 * are lost on network drives, and do not show whether a file is finished.
 *
 * A segment is taken when the playlist names it and its size has not changed since the last look. Which file was taken
 * last stands in the database, so a restart takes up what came meanwhile and nothing twice.
 */
import { constants } from 'node:fs';
import { lstat, open, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { AceError, isAceError } from '../../shared/errors.ts';
import {
  isFileName,
  MAX_PLAYLIST_BYTES,
  type PushedPlaylist,
  type PushedSegment,
  readPlaylist,
} from '../../shared/live/playlist.ts';
import { MAX_SEGMENT_BYTES } from '../../shared/live/records.ts';
import type { Log } from '../process/log.ts';
import { type Broadcaster, MAX_INIT_BYTES } from './broadcaster.ts';
import { fileTooLarge, type SegmentFile, type SegmentInput, SegmentIntake } from './segment-intake.ts';

const LOOK_EVERY_MS = 400;
/** Of a folder that was written to before: this many segments are taken, as a player would. */
const FIRST_SEGMENTS = 3;

interface Seen {
  readonly sizeBytes: number;
  readonly modifiedMs: number;
}

export class FolderInput implements SegmentInput {
  readonly #broadcast: string;
  readonly #folder: string;
  readonly #broadcaster: Broadcaster;
  readonly #log: Log;
  readonly #intake: SegmentIntake;
  /** What each new file was like at the last look. */
  #seen = new Map<string, Seen>();
  #lastTrouble: string | null = null;
  #timer: NodeJS.Timeout | undefined;
  #looking: Promise<void> = Promise.resolve();
  #stopped = false;

  constructor(broadcast: string, folder: string, broadcaster: Broadcaster, log: Log) {
    this.#broadcast = broadcast;
    this.#folder = folder;
    this.#broadcaster = broadcaster;
    this.#log = log;
    this.#intake = new SegmentIntake(broadcast, broadcaster, log);
    this.#again(0);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#looking;
  }

  /** The file, when it is new and whole. */
  async take({ name }: PushedSegment): Promise<SegmentFile | null> {
    const before = this.#seen.get(name);
    if (!before) return null;
    const bytes = await this.#read(name, MAX_SEGMENT_BYTES);
    this.#seen.delete(name);
    return bytes && { bytes, mark: markOf(name, before) };
  }

  init(name: string): Promise<Uint8Array | null> {
    return this.#read(name, MAX_INIT_BYTES);
  }

  #again(afterMs: number): void {
    if (this.#stopped) return;
    this.#timer = setTimeout(() => {
      this.#looking = this.#look().then(
        () => {
          this.#lastTrouble = null;
          this.#again(LOOK_EVERY_MS);
        },
        (error: unknown) => this.#onTrouble(error),
      );
    }, afterMs);
  }

  #onTrouble(error: unknown): void {
    const { message } = error as Error;
    // The same trouble at every look is logged once.
    if (message !== this.#lastTrouble) {
      this.#log.warn({ err: error, folder: this.#folder }, 'the folder of a broadcast cannot be read now');
    }
    this.#lastTrouble = message;
    if (!isAceError(error, 'BroadcastEnded')) this.#again(LOOK_EVERY_MS);
  }

  async #look(): Promise<void> {
    const playlist = await this.#playlist();
    if (!playlist) return;
    const fresh = await this.#freshOf(playlist);
    const seen = new Map<string, Seen>();
    let whole = 0;
    for (const { name, is } of fresh) {
      const before = this.#seen.get(name);
      seen.set(name, is);
      // One that still grows holds up those after it: they are published in their order.
      const still = before?.sizeBytes === is.sizeBytes && before.modifiedMs === is.modifiedMs;
      if (still && whole === seen.size - 1) whole += 1;
    }
    this.#seen = seen;
    const ready = new Set(fresh.slice(0, whole).map(({ name }) => name));
    const segments = playlist.segments.filter(({ name }) => ready.has(name));
    if (segments.length > 0) await this.#intake.take({ ...playlist, segments }, this);
  }

  /** The one that was written last; `null` while there is none, or it is being written. */
  async #playlist(): Promise<PushedPlaylist | null> {
    const names = (await readdir(this.#folder)).filter((name) => isFileName(name) && name.endsWith('.m3u8'));
    let newest: { name: string; modifiedMs: number } | null = null;
    for (const name of names) {
      const is = await this.#stat(name);
      if (is && (!newest || is.modifiedMs > newest.modifiedMs)) newest = { name, ...is };
    }
    const bytes = newest && (await this.#read(newest.name, MAX_PLAYLIST_BYTES));
    return bytes && bytes.byteLength > 0 ? readPlaylist(Buffer.from(bytes).toString('utf8')) : null;
  }

  /** Files that the playlist names and that came after the last one that was taken. */
  async #freshOf({ segments }: PushedPlaylist): Promise<{ name: string; is: Seen }[]> {
    const { sourceMark } = this.#broadcaster.ownRow(this.#broadcast);
    const files: { name: string; is: Seen }[] = [];
    for (const { name } of segments) {
      const is = await this.#stat(name);
      if (is) files.push({ name, is });
    }
    if (sourceMark === null) return files.slice(-FIRST_SEGMENTS);
    const last = files.findLastIndex(({ name, is }) => markOf(name, is) === sourceMark);
    if (last >= 0) return files.slice(last + 1);
    const markMs = Number(sourceMark.split(' ', 1)[0]);
    return files.filter(({ is }) => is.modifiedMs > markMs);
  }

  /** Only plain files: a link could lead anywhere. */
  async #stat(name: string): Promise<Seen | null> {
    const info = await lstat(join(this.#folder, name)).catch(orNull);
    return info?.isFile() ? { sizeBytes: info.size, modifiedMs: Math.floor(info.mtimeMs) } : null;
  }

  async #read(name: string, maxBytes: number): Promise<Buffer | null> {
    const path = join(this.#folder, name);
    // Windows has no O_NOFOLLOW; making links is a privilege there.
    const flags = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0);
    const file = await open(path, flags).catch(orNull);
    if (!file) return null;
    try {
      const { size } = await file.stat();
      if (size > maxBytes) throw fileTooLarge(name, maxBytes);
      const bytes = Buffer.alloc(size);
      const { bytesRead } = await file.read(bytes, 0, size, 0);
      return bytes.subarray(0, bytesRead);
    } finally {
      await file.close();
    }
  }
}

/** @throws AceError `InvalidInput` */
export async function checkFolder(folder: string): Promise<void> {
  const info = await stat(folder).catch(() => null);
  if (!info?.isDirectory()) {
    throw new AceError(
      'InvalidInput',
      `There is no folder ${folder}: make it, and have the encoder write there`,
      { details: { field: 'folder', reason: 'folder-missing' } },
    );
  }
}

function markOf(name: string, { modifiedMs, sizeBytes }: Seen): string {
  return `${modifiedMs} ${sizeBytes} ${name}`;
}

/** An encoder removes and renames files at any time; a link is none of its own. */
function orNull(error: NodeJS.ErrnoException): null {
  if (error.code === 'ENOENT' || error.code === 'ELOOP') return null;
  throw error;
}
