/**
 * Broadcasts over HTTP on loopback: a live playlist at `/ace/manifest.m3u8?content_id=<id>` (or `id=`), and its segments,
 * whose answers wait for their pieces. `/ace/getstream` and `/content/<id>` of a broadcast lead to its playlist.
 *
 * One hook for the routing: what is no broadcast's is handed on.
 */
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { PIECE_BYTES, pieceCount } from '../../shared/economy/units.ts';
import { AceError, type ErrorCode, isAceError } from '../../shared/errors.ts';
import { writePlaylist } from '../../shared/live/playlist.ts';
import { WAITS_FLAG } from '../../shared/waiting-url.ts';
import type { PieceStore } from '../content/piece-store.ts';
import type { PushInput } from '../live/push-input.ts';
import { PUSH_PATH } from '../live/push-input.ts';
import type { Watch } from '../live/watch.ts';
import type { Log } from '../process/log.ts';
import type { Opening } from '../transfer/asking.ts';
import { readerPiece } from '../transfer/reader-piece.ts';
import type { Transfer } from '../transfer/transfer.ts';
import { isWaiting } from './addresses.ts';
import { type ClockError, checkComes } from './comes.ts';
import { openingOf } from './opening.ts';
import { type AccessCheck, answerPaymentRequired } from './payment-required.ts';

export interface LiveHttpContext {
  readonly pieces: PieceStore;
  readonly log: Log;
  readonly push: PushInput;
  readonly clockError: ClockError;
  readonly accessError: AccessCheck;
  /** The id when it is a broadcast's, `null` when it is another content's. @throws AceError `NoProviders`, … */
  readonly broadcastOf: (link: string, opening?: Opening) => Promise<string | null>;
  readonly watch: (broadcast: string) => Watch;
}

type Handler = (req: IncomingMessage, res: ServerResponse) => void;

const MANIFEST_PATH = '/ace/manifest.m3u8';
const SEGMENT_PATH =
  /^\/ace\/live\/(b[a-z2-7]{20,120})\/(?:(\d{1,13})\.(?:ts|m4s)|init-(b[a-z2-7]{20,120})\.mp4)$/;
/** A broadcast that was joined, or that has just been made, may say nothing for so long. */
const FIRST_SEGMENT_MS = 12_000;
/** A segment that has not come by then is given up: the player goes on with the next one. */
const SEGMENT_MS = 20_000;
const WRITE_BYTES = 262_144;
const IS_SOLD: ReadonlySet<ErrorCode> = new Set(['AccessNeeded', 'AccessExpired']);

const STATUS_OF: Partial<Record<ErrorCode, number>> = {
  InvalidContentId: 400,
  BroadcastUnknown: 404,
  BroadcastEnded: 410,
  SegmentUnknown: 404,
  NoProviders: 404,
  ProviderStopped: 503,
  RequestTimeout: 504,
  ShardUnavailable: 503,
  CreditExhausted: 503,
  OwnClockWrong: 503,
};

/** Answers what is about broadcasts, and hands everything else to `next`. */
export function liveHandler(context: LiveHttpContext, next: Handler): Handler {
  return (req, res) => {
    const path = req.url ?? '/';
    if (path.startsWith(PUSH_PATH)) {
      context.push.handle(req, res);
      return;
    }
    answer(context, req, res, next).catch((error: unknown) => {
      if (isAceError(error) && answerPaymentRequired(req, res, error)) return;
      if (isAceError(error) && !res.headersSent) {
        if (error.code === 'Internal') context.log.error({ err: error }, 'a live request failed');
        res
          .writeHead(STATUS_OF[error.code] ?? 500, {
            'content-type': 'text/plain; charset=utf-8',
            'cache-control': 'no-store',
          })
          .end(`${error.message}\n`);
        return;
      }
      const isAbort = error instanceof Error && error.name === 'AbortError';
      if (!isAbort) context.log.error({ err: error }, 'a live request failed');
      res.destroy();
    });
  };
}

async function answer(
  context: LiveHttpContext,
  req: IncomingMessage,
  res: ServerResponse,
  next: Handler,
): Promise<void> {
  const url = new URL(req.url ?? '/', 'http://localhost');
  const link = linkIn(url);
  const segment = SEGMENT_PATH.exec(url.pathname);
  const isRead = req.method === 'GET' || req.method === 'HEAD';
  // Sessions are the same for broadcasts and files.
  const isSession = url.searchParams.get('format') === 'json';
  if (!isRead || isSession || (link === null && !segment)) {
    next(req, res);
    return;
  }
  const closed = new AbortController();
  res.once('close', () => closed.abort());
  if (segment) {
    const [, broadcast = '', sequence, init = ''] = segment;
    const watch = context.watch(broadcast);
    const transfer =
      sequence === undefined ? await watch.init(init) : (await watch.segment(Number(sequence))).transfer;
    await sendSegment(context, transfer, req, res, closed.signal);
    return;
  }
  const broadcast = await context.broadcastOf(link ?? '', openingOf(req, url));
  if (broadcast === null) {
    next(req, res);
  } else if (url.pathname === MANIFEST_PATH) {
    await sendPlaylist(context, broadcast, req, res, { closed: closed.signal, waits: isWaiting(url) });
  } else {
    res.writeHead(302, { location: manifestPath(broadcast), 'cache-control': 'no-store' }).end();
  }
}

export function manifestPath(broadcast: string): string {
  return `${MANIFEST_PATH}?content_id=${broadcast}`;
}

/** The content that an address is about, when that may be a broadcast. */
function linkIn(url: URL): string | null {
  if (url.pathname === MANIFEST_PATH || url.pathname === '/ace/getstream') {
    return url.searchParams.get('content_id') ?? url.searchParams.get('id');
  }
  return /^\/content\/([a-z2-7]+)\/?$/.exec(url.pathname)?.[1] ?? null;
}

async function sendPlaylist(
  { watch }: LiveHttpContext,
  broadcast: string,
  req: IncomingMessage,
  res: ServerResponse,
  { closed, waits }: { readonly closed: AbortSignal; readonly waits: boolean },
): Promise<void> {
  const listed = await watch(broadcast).listed(FIRST_SEGMENT_MS, closed);
  const suffix = waits ? `?${WAITS_FLAG}=1` : '';
  const text = writePlaylist(listed, {
    segment: (sequence, isFragment) =>
      `/ace/live/${broadcast}/${sequence}.${isFragment ? 'm4s' : 'ts'}${suffix}`,
    init: (contentId) => `/ace/live/${broadcast}/init-${contentId}.mp4${suffix}`,
  });
  res.writeHead(200, {
    'content-type': 'application/vnd.apple.mpegurl',
    'content-length': Buffer.byteLength(text),
    'cache-control': 'no-store',
  });
  res.end(req.method === 'HEAD' ? undefined : text);
}

/** Nothing is said before the first piece is here: a player can still be told that the segment does not come. */
async function sendSegment(
  context: LiveHttpContext,
  transfer: Transfer,
  req: IncomingMessage,
  res: ServerResponse,
  closed: AbortSignal,
): Promise<void> {
  const { file } = transfer;
  const { clockError, accessError } = context;
  // Our own page shows by itself what it costs, and asks again until it is bought.
  const waits = isWaiting(new URL(req.url ?? '/', 'http://localhost'));
  const notBought = transfer.complete || waits ? null : await accessError(transfer.contentId);
  if (notBought) throw notBought;
  const awaited = await checkComes(transfer, {
    ...{ clockError, closed, pieceIndex: 0, watches: true, waits: false },
  });
  const late = AbortSignal.timeout(SEGMENT_MS);
  const signal = AbortSignal.any([closed, late]);
  const reader = transfer.addReader(0);
  awaited.release();
  try {
    await transfer.piece(0, signal).catch((error: unknown) => {
      if (!late.aborted || closed.aborted) throw error;
      const isClosed = waits && transfer.reason !== null && IS_SOLD.has(transfer.reason.code);
      if (transfer.reason && !isClosed) throw transfer.reason;
      throw new AceError('RequestTimeout', 'The segment did not come in time');
    });
    res.writeHead(200, {
      'content-type': file.mimeType === 'video/mp2t' ? 'video/mp2t' : 'video/mp4',
      'content-length': file.sizeBytes,
      'content-security-policy': "sandbox; default-src 'none'; media-src 'self'",
      'cache-control': 'no-store',
    });
    if (req.method === 'HEAD') {
      res.end();
      return;
    }
    for (let index = 0; index < pieceCount(file.sizeBytes); index++) {
      transfer.moveReader(reader, index);
      const piece = await readerPiece(context.pieces, transfer, index, signal);
      for (let offset = 0; offset < piece.byteLength; offset += WRITE_BYTES) {
        const part = piece.subarray(offset, offset + WRITE_BYTES);
        if (!res.write(part)) await once(res, 'drain', { signal: closed });
        transfer.taken(reader, index * PIECE_BYTES + offset, part.byteLength);
      }
    }
    res.end();
  } finally {
    transfer.removeReader(reader);
  }
}
