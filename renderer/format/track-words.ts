/** What a browser will not show or play of a video, in words, before anybody wonders about the silence. */

import { m } from '../../shared/i18n/compiled/messages.js';
import type { TrackView } from '../../shared/rpc/content.ts';
import type { ErrorWords } from './error-words.ts';

/**
 * A browser says nothing when it leaves out a sound that it cannot decode; so it is asked. It takes the first track of
 * a kind that it can play, so a kind is missing only where it plays none. `null`: nothing is missing, or not known.
 *
 * @param plays whether the browser plays a MIME type with `codecs`
 */
export function missingTracks(
  tracks: readonly TrackView[] | null,
  plays: (type: string) => boolean,
): ErrorWords | null {
  const picture = unplayable(tracks ?? [], 'video', plays);
  const sound = unplayable(tracks ?? [], 'audio', plays);
  if (picture === null && sound === null) return null;
  return { what: whatIsMissing(picture, sound, tracks ?? []), next: m.player_open_external_next() };
}

/** Names of the codecs of this kind, when none of its tracks can be played. */
function unplayable(
  tracks: readonly TrackView[],
  kind: TrackView['kind'],
  plays: (type: string) => boolean,
): string | null {
  const ofKind = tracks.filter((track) => track.kind === kind);
  // A browser cannot be asked about a codec without a name.
  if (ofKind.length === 0 || ofKind.some(({ type }) => type === null || plays(type))) return null;
  return [...new Set(ofKind.map(({ name }) => name ?? m.player_unknown_codec()))].join(', ');
}

function whatIsMissing(picture: string | null, sound: string | null, tracks: readonly TrackView[]): string {
  if (picture !== null && sound !== null) return m.player_no_picture_no_sound({ picture, sound });
  if (sound !== null) return m.player_no_sound({ sound });
  // Only the picture is missing.
  const named = { picture: picture ?? '' };
  return tracks.some(({ kind }) => kind === 'audio')
    ? m.player_no_picture(named)
    : m.player_no_picture_at_all(named);
}

/** The playlist that the system's own player opens, for a playback address of a file or of a broadcast. */
export function playlistUrl(playbackUrl: string): string {
  const { origin, pathname, searchParams } = new URL(playbackUrl);
  const broadcast = searchParams.get('content_id');
  return `${origin}${broadcast === null ? pathname : `/content/${broadcast}`}.m3u`;
}
