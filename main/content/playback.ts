/**
 * Content over HTTP on loopback, for the page's player and for every player that takes a URL.
 *
 * A reader holds the transfer's attention: what lies ahead of it is fetched first. Bytes leave here only from pieces
 * that were verified and paid. Paths follow what Ace Stream clients speak; `/content/<id>` is ours. Whoever takes the
 * bytes to keep them says `?download=1`: what nobody watches must not count for the network's traffic rate.
 */
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import parseRange from 'range-parser';
import { AceError, type ErrorCode, isAceError } from '../../shared/errors.ts';
import { PIECE_BYTES } from '../../shared/units.ts';
import type { Log } from '../log.ts';
import type { PieceStore } from './piece-store.ts';
import type { Transfer } from './transfer.ts';
import { parseContentId } from './transport-file.ts';

export interface PlaybackContext {
  readonly pieces: PieceStore;
  /** @throws AceError `InvalidContentId`, `NoProviders`, … */
  readonly transferOf: (contentId: string) => Promise<Transfer>;
  readonly log: Log;
}

const WRITE_BYTES = 262_144;
const DOWNLOAD_FLAG = 'download';

const STATUS_OF: Partial<Record<ErrorCode, number>> = {
  InvalidContentId: 400,
  ContentUnknown: 404,
  NoProviders: 404,
  ShardUnavailable: 503,
};

export function playbackHandler(
  context: PlaybackContext,
): (req: IncomingMessage, res: ServerResponse) => void {
  return (req, res) => {
    answer(context, req, res).catch((error: unknown) => {
      if (isAceError(error) && !res.headersSent) {
        res
          .writeHead(STATUS_OF[error.code] ?? 500, { 'content-type': 'text/plain; charset=utf-8' })
          .end(`${error.message}\n`);
        return;
      }
      if (!isAbort(error)) context.log.error({ err: error }, 'playback failed');
      res.destroy();
    });
  };
}

async function answer(context: PlaybackContext, req: IncomingMessage, res: ServerResponse): Promise<void> {
  if (req.method !== 'GET' && req.method !== 'HEAD') {
    res.writeHead(405, { allow: 'GET, HEAD' }).end();
    return;
  }
  const url = new URL(req.url ?? '/', 'http://localhost');
  const contentId = requestedContent(url);
  if (contentId === null) {
    res
      .writeHead(404, { 'content-type': 'text/plain; charset=utf-8' })
      .end('There is nothing at this path\n');
    return;
  }
  const transfer = await context.transferOf(contentId);
  const { file } = transfer;
  const range = requestedRange(req, file.sizeBytes, transfer.contentId);
  // A broadcaster's bytes must never act as a page of ours, whatever they claim to be.
  const playable = /^(video|audio)\//.test(file.mimeType);
  res.setHeader('content-type', playable ? file.mimeType : 'application/octet-stream');
  if (!playable) res.setHeader('content-disposition', 'attachment');
  res.setHeader('content-security-policy', "sandbox; default-src 'none'; media-src 'self'");
  res.setHeader('x-content-type-options', 'nosniff');
  res.setHeader('accept-ranges', 'bytes');
  res.setHeader('etag', `"${transfer.contentId}"`);
  res.setHeader('cache-control', 'no-store');
  if (range === 'unsatisfiable') {
    res.writeHead(416, { 'content-range': `bytes */${file.sizeBytes}` }).end();
    return;
  }
  const { start, end } = range ?? { start: 0, end: file.sizeBytes - 1 };
  res.setHeader('content-length', end - start + 1);
  if (range) res.setHeader('content-range', `bytes ${start}-${end}/${file.sizeBytes}`);
  res.writeHead(range ? 206 : 200);
  if (req.method === 'HEAD') {
    res.end();
    return;
  }
  // The first piece may take a while, or wait for a top-up: the player knows what comes already.
  res.flushHeaders();
  const watches = url.searchParams.get(DOWNLOAD_FLAG) === null;
  await send(context, transfer, res, { start, end, watches });
}

/** The address of a content: for a player, or for bytes that are kept. */
export function contentUrl(base: string, contentId: string, download: boolean): string {
  const url = new URL(`content/${contentId}`, base);
  if (download) url.searchParams.set(DOWNLOAD_FLAG, '1');
  return url.href;
}

/** `/content/<id>`, or `/ace/getstream?content_id=<id>` (or `id=`). `null` for any other path. */
function requestedContent(url: URL): string | null {
  const ours = /^\/content\/([^/]+)\/?$/.exec(url.pathname);
  if (ours?.[1]) return parseContentId(decoded(ours[1]));
  if (url.pathname === '/ace/getstream') {
    const id = url.searchParams.get('content_id') ?? url.searchParams.get('id');
    if (!id) throw new AceError('InvalidContentId', 'The address lacks content_id=…');
    return parseContentId(id);
  }
  return null;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch (cause) {
    throw new AceError('InvalidContentId', `"${text}" is not a content id`, { cause });
  }
}

/** One range; several at once are answered with the whole content, as RFC 9110 allows. */
function requestedRange(
  req: IncomingMessage,
  sizeBytes: number,
  contentId: string,
): { start: number; end: number } | 'unsatisfiable' | null {
  const header = req.headers.range;
  if (header === undefined) return null;
  const ifRange = req.headers['if-range'];
  if (ifRange !== undefined && ifRange !== `"${contentId}"`) return null;
  // range-parser refuses a suffix that is longer than the whole, which RFC 9110 gives the whole.
  const suffix = /^bytes=-(\d+)$/.exec(header.trim());
  if (suffix && Number(suffix[1]) > sizeBytes) return { start: 0, end: sizeBytes - 1 };
  const ranges = parseRange(sizeBytes, header);
  if (ranges === -1) return 'unsatisfiable';
  if (ranges === -2 || ranges.type !== 'bytes' || ranges.length !== 1) return null;
  return ranges[0] ?? null;
}

async function send(
  context: PlaybackContext,
  transfer: Transfer,
  res: ServerResponse,
  { start, end, watches }: { readonly start: number; readonly end: number; readonly watches: boolean },
): Promise<void> {
  const { contentId } = transfer;
  const closed = new AbortController();
  res.once('close', () => closed.abort());
  const reader = transfer.addReader(Math.floor(start / PIECE_BYTES), watches);
  try {
    for (let position = start; position <= end; ) {
      const pieceIndex = Math.floor(position / PIECE_BYTES);
      transfer.moveReader(reader, pieceIndex);
      await transfer.piece(pieceIndex, closed.signal);
      const offset = position - pieceIndex * PIECE_BYTES;
      const length = Math.min(PIECE_BYTES - offset, WRITE_BYTES, end - position + 1);
      const bytes = await readStored(context.pieces, transfer, pieceIndex, offset, length);
      if (!bytes) continue;
      if (!res.write(bytes)) await once(res, 'drain', { signal: closed.signal });
      transfer.taken(reader, position, length);
      position += length;
    }
    res.end();
  } finally {
    transfer.removeReader(reader);
  }
  context.log.debug({ contentId, start, end }, 'a player was served');
}

/** `null` when the disk has lost the piece: the transfer fetches it again. */
async function readStored(
  pieces: PieceStore,
  transfer: Transfer,
  pieceIndex: number,
  offset: number,
  length: number,
): Promise<Uint8Array | null> {
  try {
    return await pieces.readRange(transfer.contentId, pieceIndex, offset, length);
  } catch (error) {
    if (!isAceError(error, 'PieceUnknown')) throw error;
    transfer.forget(pieceIndex);
    return null;
  }
}

function isAbort(error: unknown): boolean {
  return error instanceof Error && error.name === 'AbortError';
}
