/**
 * Media playlists of HTTP Live Streaming (RFC 8216): the one that is served to players is written here, the one that an
 * encoder pushes is read here. Pure.
 */
import { AceError } from '../errors.ts';
import type { Listed } from './window.ts';

export interface PushedSegment {
  /** Name of its file, never a path. */
  readonly name: string;
  readonly durationMs: number;
  /** The encoder's own number, which begins anew when the encoder does. */
  readonly number: number;
  readonly discontinuity: boolean;
  /** Name of the file that it begins with, for fragmented MP4. */
  readonly initName: string | null;
}

export interface PushedPlaylist {
  readonly segments: readonly PushedSegment[];
  /** The encoder has come to its end. */
  readonly ended: boolean;
}

export const MAX_PLAYLIST_BYTES = 1_048_576;
const MAX_PUSHED_SEGMENTS = 20_000;
/** What an encoder may call its files: no folder, no hidden file, nothing that has to be escaped. */
const FILE_NAME = /^[A-Za-z0-9][\w.-]{0,127}$/;

export function isFileName(name: string): boolean {
  return FILE_NAME.test(name);
}

export interface PlaylistAddresses {
  readonly segment: (sequence: number, isFragment: boolean) => string;
  readonly init: (contentId: string) => string;
}

/** The playlist of what is listed. `segments` is not empty. */
export function writePlaylist({ segments, ended }: Listed, addresses: PlaylistAddresses): string {
  const [first] = segments;
  if (!first) throw new AceError('Internal', 'A playlist lists at least one segment');
  const longestMs = Math.max(...segments.map(({ durationMs }) => durationMs));
  const lines = [
    '#EXTM3U',
    '#EXT-X-VERSION:6',
    `#EXT-X-TARGETDURATION:${Math.max(1, Math.round(longestMs / 1_000))}`,
    `#EXT-X-MEDIA-SEQUENCE:${first.sequence}`,
    `#EXT-X-DISCONTINUITY-SEQUENCE:${first.discontinuities}`,
  ];
  let before = first;
  let initContentId: string | null = null;
  for (const segment of segments) {
    const jumps = segment.discontinuities !== before.discontinuities;
    // A hole that was passed over may hide several jumps: players count one for each tag. There is at most one for each
    // number, whatever a broadcaster says: it must not make the list grow.
    const most = segment.sequence - before.sequence;
    const tags = Math.min(segment.discontinuities - before.discontinuities, most);
    for (let i = 0; i < tags; i++) lines.push('#EXT-X-DISCONTINUITY');
    before = segment;
    if (segment.initContentId !== null && segment.initContentId !== initContentId) {
      ({ initContentId } = segment);
      lines.push(`#EXT-X-MAP:URI="${addresses.init(segment.initContentId)}"`);
    }
    if (jumps || segment === first) {
      lines.push(`#EXT-X-PROGRAM-DATE-TIME:${new Date(segment.startsAtMs).toISOString()}`);
    }
    lines.push(
      `#EXTINF:${(segment.durationMs / 1_000).toFixed(3)},`,
      addresses.segment(segment.sequence, segment.initContentId !== null),
    );
  }
  if (ended) lines.push('#EXT-X-ENDLIST');
  return `${lines.join('\n')}\n`;
}

/**
 * Reads what an encoder wrote. A last line that is not ended is left out: it may be half written.
 * @throws AceError `PlaylistMalformed`
 */
export function readPlaylist(text: string): PushedPlaylist {
  const lines = text.slice(0, text.lastIndexOf('\n') + 1).split(/\r?\n/);
  if (lines[0]?.replace(/^\uFEFF/, '').trim() !== '#EXTM3U')
    throw malformed('it does not begin with #EXTM3U');
  const segments: PushedSegment[] = [];
  let number = 0;
  let durationMs: number | null = null;
  let discontinuity = false;
  let initName: string | null = null;
  let ended = false;
  for (const line of lines.slice(1).map((raw) => raw.trim())) {
    if (line.startsWith('#EXT-X-STREAM-INF')) {
      throw malformed('it lists several qualities: push one media playlist');
    } else if (line.startsWith('#EXT-X-KEY') && !/METHOD=NONE/.test(line)) {
      throw malformed('its segments are encrypted');
    } else if (line.startsWith('#EXT-X-BYTERANGE')) {
      throw malformed('its segments are parts of files: write one file for each');
    } else if (line.startsWith('#EXT-X-MEDIA-SEQUENCE:')) {
      number = wholeNumber(line.slice(22));
    } else if (line.startsWith('#EXTINF:')) {
      durationMs = Math.round(Number.parseFloat(line.slice(8)) * 1_000);
      if (!Number.isFinite(durationMs) || durationMs < 0) throw malformed('a duration cannot be read');
    } else if (line === '#EXT-X-DISCONTINUITY') {
      discontinuity = true;
    } else if (line.startsWith('#EXT-X-MAP:')) {
      initName = fileName(/URI="([^"]*)"/.exec(line)?.[1] ?? '');
    } else if (line === '#EXT-X-ENDLIST') {
      ended = true;
    } else if (line !== '' && !line.startsWith('#')) {
      if (durationMs === null) throw malformed('a segment has no duration');
      segments.push({ name: fileName(line), durationMs, number, discontinuity, initName });
      if (segments.length > MAX_PUSHED_SEGMENTS) throw malformed('it is too long');
      number += 1;
      durationMs = null;
      discontinuity = false;
    }
  }
  return { segments, ended };
}

/** Encoders name a file by itself, or by the whole address that they push it to. */
function fileName(uri: string): string {
  const name = uri.slice(uri.lastIndexOf('/') + 1);
  const isPlain = uri === name || /^https?:\/\/[^?#]+$/.test(uri);
  if (!isPlain || !isFileName(name)) throw malformed('a file in it has no plain name');
  return name;
}

function wholeNumber(text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value)) throw malformed('its numbers cannot be read');
  return value;
}

function malformed(why: string): AceError {
  return new AceError('PlaylistMalformed', `The playlist is refused: ${why}`);
}
