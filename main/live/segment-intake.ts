/**
 * From an encoder's playlist to segments: which files that it names are new, in which order, and where its clock jumps.
 * The same for files that were pushed and files in a folder.
 */
import { AceError, isAceError } from '../../shared/errors.ts';
import type { PushedPlaylist, PushedSegment } from '../../shared/live/playlist.ts';
import { MIN_SEGMENT_MS } from '../../shared/live/records.ts';
import type { Log } from '../process/log.ts';
import type { Broadcaster } from './broadcaster.ts';

export interface SegmentFile {
  readonly bytes: Uint8Array;
  /** Where the encoder's folder stands once this file is a segment. */
  readonly mark?: string;
}

export interface SegmentInput {
  /** A file that the playlist names and that is no segment yet; `null` for any other. */
  take(entry: PushedSegment): Promise<SegmentFile | null>;
  /** A file that segments begin with; `null` while it is not there. */
  init(name: string): Promise<Uint8Array | null>;
}

export class SegmentIntake {
  readonly #broadcast: string;
  readonly #broadcaster: Broadcaster;
  readonly #log: Log;
  /** The encoder's own number of the segment that was taken last. */
  #lastNumber: number | null = null;

  constructor(broadcast: string, broadcaster: Broadcaster, log: Log) {
    this.#broadcast = broadcast;
    this.#broadcaster = broadcaster;
    this.#log = log;
  }

  /** Makes segments of what is new in the playlist. @throws AceError `BroadcastEnded`, `StoreFailed` */
  async take(playlist: PushedPlaylist, input: SegmentInput): Promise<number> {
    let published = 0;
    for (const entry of playlist.segments) {
      const file = await input.take(entry).catch((error: unknown) => {
        if (!isAceError(error, 'ContentTooLarge')) throw error;
        this.#log.warn({ err: error, name: entry.name }, 'a segment was left out');
        return null;
      });
      if (!file) continue;
      if (await this.#publish(entry, file, input)) published += 1;
    }
    return published;
  }

  async #publish(entry: PushedSegment, file: SegmentFile, input: SegmentInput): Promise<boolean> {
    // An encoder that outlived a restart of the node does not push its init segment again.
    const init =
      entry.initName === null
        ? null
        : ((await input.init(entry.initName)) ?? (await this.#broadcaster.lastInit(this.#broadcast)));
    if (entry.initName !== null && !init) {
      this.#log.warn({ name: entry.name }, 'a segment was left out: its init segment is missing');
      return false;
    }
    const follows = this.#lastNumber !== null && entry.number === this.#lastNumber + 1;
    try {
      await this.#broadcaster.publish(this.#broadcast, {
        bytes: file.bytes,
        // The very last one of an encoder may be shorter than anything that is worth a record.
        durationMs: Math.max(MIN_SEGMENT_MS, entry.durationMs),
        init,
        discontinuity: entry.discontinuity || !follows,
        ...(file.mark !== undefined && { mark: file.mark }),
      });
    } catch (error) {
      if (!isAceError(error, 'RecordInvalid')) throw error;
      // One segment that cannot be published must not end the broadcast: the next one is marked as a jump.
      this.#log.warn({ err: error, name: entry.name }, 'a segment was left out');
      return false;
    }
    this.#lastNumber = entry.number;
    return true;
  }
}

/** For a file that cannot be a segment. */
export function fileTooLarge(name: string, maxBytes: number): AceError {
  return new AceError('ContentTooLarge', `${name} is larger than ${maxBytes} bytes: use shorter segments`);
}
