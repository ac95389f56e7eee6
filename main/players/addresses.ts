/** The paths that players know: ours, and those of the Ace Stream API. */
import { AceError } from '../../shared/errors.ts';
import { WAITS_FLAG } from '../../shared/waiting-url.ts';
import { parseContentId } from '../content/transport-file.ts';

/** What a path asks for. `session` is the id of a playback session. */
export type Address =
  | { readonly ask: 'stream' | 'playlist' | 'hls'; readonly contentId: string; readonly session?: string }
  /** Begins a session; `output` is what its playback address should give. */
  | { readonly ask: 'open'; readonly contentId: string; readonly output: 'stream' | 'hls' }
  | { readonly ask: 'stat' | 'command'; readonly contentId: string; readonly session: string }
  | { readonly ask: 'service' };

const DOWNLOAD_FLAG = 'download';
/** Other names of contents in the Ace Stream API. */
const FOREIGN_NAMES = ['infohash', 'url', 'magnet'];

/** `null` for a path that is none of these. @throws AceError `InvalidContentId`, `InvalidInput` */
export function readAddress(url: URL): Address | null {
  const [, first = '', second = '', third = '', ...rest] = url.pathname.replace(/\/$/, '').split('/');
  if (rest.length > 1) return null;
  if (first === 'content' && third === '') return ofContent(second);
  if (first === 'webui' && second === 'api' && third === 'service') return { ask: 'service' };
  if (first !== 'ace') return null;
  if (rest.length === 0) return ofQuery(second, url.searchParams);
  return ofSession(second, third, rest[0] ?? '');
}

/** The address of a content: for a player, or for bytes that are kept. */
export function contentUrl(base: string, contentId: string, download: boolean): string {
  const url = new URL(`content/${contentId}`, base);
  if (download) url.searchParams.set(DOWNLOAD_FLAG, '1');
  return url.href;
}

export function isDownload(url: URL): boolean {
  return url.searchParams.get(DOWNLOAD_FLAG) !== null;
}

/** Who asks knows from elsewhere why nothing comes, shows it, and goes on when it comes. */
export function isWaiting(url: URL): boolean {
  return url.searchParams.get(WAITS_FLAG) !== null;
}

/** Paths of a session, to be put behind the address of the server. */
export function sessionPaths(contentId: string, session: string, output: 'stream' | 'hls') {
  const tail = `${contentId}/${session}`;
  return {
    playback: output === 'hls' ? `/ace/m/${tail}.m3u8` : `/ace/r/${tail}`,
    stat: `/ace/stat/${tail}`,
    command: `/ace/cmd/${tail}`,
  };
}

export function streamPath(contentId: string, session: string | undefined): string {
  return session === undefined
    ? `/content/${contentId}`
    : sessionPaths(contentId, session, 'stream').playback;
}

/** Behind the path of a stream: ffmpeg takes no segment of HLS whose path does not end like one. */
export const SEGMENT_SUFFIX = '.ts';

function ofContent(name: string): Address | null {
  if (name === '') return null;
  const [, id = '', suffix] = /^(.*?)(\.m3u|\.ts)?$/is.exec(decoded(name)) ?? [];
  const ask = suffix?.toLowerCase() === '.m3u' ? 'playlist' : 'stream';
  return { ask, contentId: parseContentId(id) };
}

function ofQuery(name: string, query: URLSearchParams): Address | null {
  if (name !== 'getstream' && name !== 'manifest.m3u8') return null;
  const output = name === 'getstream' ? 'stream' : 'hls';
  const contentId = queriedContent(query);
  return query.get('format') === 'json' ? { ask: 'open', contentId, output } : { ask: output, contentId };
}

function ofSession(kind: string, id: string, last: string): Address | null {
  const session = last.replace({ m: '.m3u8', r: SEGMENT_SUFFIX }[kind] ?? '', '');
  const ask = ({ r: 'stream', m: 'hls', stat: 'stat', cmd: 'command' } as const)[kind];
  if (ask === undefined || !/^[0-9a-f]{32}$/.test(session)) return null;
  return { ask, contentId: parseContentId(decoded(id)), session };
}

function queriedContent(query: URLSearchParams): string {
  const id = query.get('content_id') ?? query.get('id');
  if (id) {
    if (/^[0-9a-f]{40}$/i.test(id))
      throw new AceError(
        'InvalidContentId',
        `"${id}" is an id of another Ace Stream network: the ids of this one begin with baf`,
      );
    return parseContentId(id);
  }
  const foreign = FOREIGN_NAMES.find((name) => query.has(name));
  throw new AceError(
    'InvalidContentId',
    foreign === undefined
      ? 'The address lacks content_id=…'
      : `Contents of this network have no ${foreign}: give content_id=…`,
  );
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch (cause) {
    throw new AceError('InvalidContentId', `"${text}" is not a content id`, { cause });
  }
}
