/** Playlists for players: `.m3u`, which the system opens in the player that the user has chosen, and HLS. */
import type { TransportFile } from '../content/transport-file.ts';
import { plainName } from './file-name.ts';

export const M3U_TYPE = 'audio/x-mpegurl';
export const HLS_TYPE = 'application/vnd.apple.mpegurl';

/** One entry that plays `url`. The time is -1 where it is not known. */
export function m3uOf({ name, durationMs }: Pick<TransportFile, 'name' | 'durationMs'>, url: string): string {
  const seconds = durationMs === 0 ? -1 : Math.round(durationMs / 1_000);
  return `#EXTM3U\n#EXTINF:${seconds},${plainName(name)}\n${url}\n`;
}

/**
 * The whole file as one segment, which RFC 8216 allows for MPEG-TS. `null` for anything else: an MP4 or MKV is no
 * segment as it is, and a segment of unknown length may not be listed.
 */
export function hlsOf({ mimeType, durationMs }: TransportFile, url: string): string | null {
  if (mimeType !== 'video/mp2t' || durationMs === 0) return null;
  const lines = [
    '#EXTM3U',
    '#EXT-X-VERSION:3',
    `#EXT-X-TARGETDURATION:${Math.ceil(durationMs / 1_000)}`,
    '#EXT-X-MEDIA-SEQUENCE:0',
    '#EXT-X-PLAYLIST-TYPE:VOD',
    `#EXTINF:${(durationMs / 1_000).toFixed(3)},`,
    url,
    '#EXT-X-ENDLIST',
  ];
  return `${lines.join('\n')}\n`;
}
