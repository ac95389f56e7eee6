/**
 * What pictures and sounds a video has, and how long it plays, read from the file itself. Strangers make such files: a
 * few hundred bytes can claim billions of samples. So this runs in a thread of its own (`media-thread.ts`).
 */
import {
  CustomSource,
  FilePathSource,
  Input,
  type InputTrack,
  MATROSKA,
  MP4,
  MPEG_TS,
  QTFF,
  type Source,
  WEBM,
} from 'mediabunny';
import { parseFile } from 'music-metadata';
import { PIECE_BYTES } from '../../shared/economy/units.ts';
import { AceError } from '../../shared/errors.ts';
import type { TrackView } from '../../shared/rpc/content.ts';

/** Files that describe their tracks; none of them names other files or addresses. */
const FORMATS = [MP4, QTFF, MATROSKA, WEBM, MPEG_TS];
/** The description of a video of many hours is a few MiB. */
const MAX_READ_BYTES = 32 * 1_048_576;
const MAX_TRACKS = 32;

/** As people know them; `type` is what a browser is asked about. */
const CODECS: Readonly<Record<string, { readonly name: string; readonly type: string }>> = {
  avc: { name: 'H.264', type: 'video/mp4' },
  hevc: { name: 'HEVC', type: 'video/mp4' },
  av1: { name: 'AV1', type: 'video/mp4' },
  vp8: { name: 'VP8', type: 'video/webm' },
  vp9: { name: 'VP9', type: 'video/webm' },
  aac: { name: 'AAC', type: 'audio/mp4' },
  mp3: { name: 'MP3', type: 'audio/mp4' },
  opus: { name: 'Opus', type: 'audio/webm' },
  vorbis: { name: 'Vorbis', type: 'audio/webm' },
  flac: { name: 'FLAC', type: 'audio/mp4' },
  ac3: { name: 'AC-3', type: 'audio/mp4' },
  eac3: { name: 'E-AC-3', type: 'audio/mp4' },
  dts: { name: 'DTS', type: 'audio/mp4' },
};

export type ReadBytes = (start: number, end: number) => Promise<Uint8Array>;

/**
 * The tracks of a file of this size. Its head is enough where the description is in front; only then is the rest
 * looked at. `null` when nothing there can be understood.
 */
export async function tracksOf(read: ReadBytes, sizeBytes: number): Promise<readonly TrackView[] | null> {
  const headBytes = Math.min(PIECE_BYTES, sizeBytes);
  const tracks = await understood(boundedSource(read, headBytes));
  if (tracks !== null || headBytes === sizeBytes) return tracks;
  return understood(boundedSource(read, sizeBytes));
}

/** Milliseconds that a file of audio or video plays; 0 where it does not say. */
export async function durationMsOf(path: string, mimeType: string): Promise<number> {
  try {
    const { format } = await parseFile(path, { duration: false, skipCovers: true });
    return format.duration === undefined ? 0 : Math.round(format.duration * 1_000);
  } catch {
    // A format that it does not read, such as MPEG-TS, or a name that says video on bytes that are none.
    return mimeType.startsWith('video/') ? videoDurationMsOf(path) : 0;
  }
}

async function videoDurationMsOf(path: string): Promise<number> {
  const input = new Input({ formats: FORMATS, source: new FilePathSource(path) });
  try {
    const seconds = (await input.computeDuration()) - (await input.getFirstTimestamp());
    return Number.isFinite(seconds) ? Math.max(0, Math.round(seconds * 1_000)) : 0;
  } catch {
    return 0; // a name that says video on bytes that are none
  } finally {
    input.dispose();
  }
}

function boundedSource(read: ReadBytes, sizeBytes: number): Source {
  let leftBytes = MAX_READ_BYTES;
  return new CustomSource({
    getSize: () => sizeBytes,
    read: (start, end) => {
      leftBytes -= end - start;
      if (leftBytes < 0) throw new AceError('InvalidInput', 'The description of the video is too long');
      return read(start, end);
    },
    handleUnhandledError: () => undefined, // the read that failed rejects as well
  });
}

async function understood(source: Source): Promise<readonly TrackView[] | null> {
  const input = new Input({ formats: FORMATS, source });
  try {
    const tracks = (await input.getTracks()).slice(0, MAX_TRACKS);
    const views = await Promise.all(tracks.map(trackView));
    const known = views.filter((view) => view !== null);
    return known.length > 0 ? known : null;
  } catch {
    return null; // not a format that describes itself, a broken one, or not here in time
  } finally {
    input.dispose();
  }
}

async function trackView(track: InputTrack): Promise<TrackView | null> {
  const { type: kind, codec } = track;
  if (kind !== 'video' && kind !== 'audio') return null;
  const known = codec === null ? undefined : CODECS[codec];
  // It is made from the file's own bytes, which are a stranger's.
  const parameters = await track.getCodecParameterString();
  if (!known || parameters === null || !/^[\w.-]{1,80}$/.test(parameters)) {
    return { kind, name: known?.name ?? null, type: null };
  }
  return { kind, name: known.name, type: `${known.type}; codecs="${parameters}"` };
}
