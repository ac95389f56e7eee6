/**
 * The bytes of a content as one HTTP answer: all of it, a part, or several parts. They leave only from pieces that were
 * paid, and that are right as they are read. A reader holds the transfer's attention while they are sent: what lies ahead
 * of it is fetched first.
 */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { PIECE_BYTES } from '../../shared/economy/units.ts';
import type { PieceStore } from '../content/piece-store.ts';
import { readerPiece } from '../transfer/reader-piece.ts';
import type { Reader, Transfer } from '../transfer/transfer.ts';
import { type ByteRange, isSameContent, requestedRanges } from './byte-ranges.ts';
import { attachmentOf } from './file-name.ts';

export interface Serving {
  readonly pieces: PieceStore;
  readonly transfer: Transfer;
  /** When the content came to this node. It never changes, so any time will do; this one stays the same. */
  readonly addedAtMs: number;
  /** The bytes are kept as a file: nobody watches them. */
  readonly download: boolean;
  /** Called after each write. */
  readonly onSent?: () => void;
}

/** A part of the body: bytes of the content behind a head of its own. */
interface Part {
  readonly head: string;
  readonly range: ByteRange;
}

interface Body {
  readonly parts: readonly Part[];
  readonly tail: string;
  readonly lengthBytes: number;
}

const WRITE_BYTES = 262_144;

/** Resolves when all was handed to the connection. @throws an `AbortError` when the player has gone */
export async function serveContent(
  req: IncomingMessage,
  res: ServerResponse,
  serving: Serving,
): Promise<void> {
  const { contentId, file } = serving.transfer;
  const etag = `"${contentId}"`;
  const lastModified = new Date(serving.addedAtMs).toUTCString();
  // A broadcaster's bytes must never act as a page of ours, whatever they claim to be.
  const playable = /^(video|audio)\//.test(file.mimeType);
  const type = playable ? file.mimeType : 'application/octet-stream';
  if (serving.download) res.setHeader('content-disposition', attachmentOf(file.name));
  else if (!playable) res.setHeader('content-disposition', 'attachment');
  res.setHeader('content-security-policy', "sandbox; default-src 'none'; media-src 'self'");
  res.setHeader('x-content-type-options', 'nosniff');
  res.setHeader('accept-ranges', 'bytes');
  res.setHeader('etag', etag);
  res.setHeader('last-modified', lastModified);
  res.setHeader('cache-control', 'no-store');
  const asked = requestedRanges(req.headers.range, file.sizeBytes);
  const ranges = isSameContent(header(req, 'if-range'), { etag, lastModified }) ? asked : null;
  if (ranges === 'unsatisfiable') {
    res.writeHead(416, { 'content-range': `bytes */${file.sizeBytes}` }).end();
    return;
  }
  const body = bodyOf(ranges, file.sizeBytes, type, res);
  res.setHeader('content-length', body.lengthBytes);
  res.writeHead(ranges ? 206 : 200);
  if (req.method === 'HEAD') {
    res.end();
    return;
  }
  // The first piece may take a while, or wait for a top-up: the player knows what comes already.
  res.flushHeaders();
  await sendBody(res, body, serving);
}

/** Sets the headers that depend on the number of parts. */
function bodyOf(
  ranges: readonly ByteRange[] | null,
  sizeBytes: number,
  type: string,
  res: ServerResponse,
): Body {
  const [first, ...others] = ranges ?? [{ start: 0, end: sizeBytes - 1 }];
  if (first === undefined || others.length === 0) {
    const range = first ?? { start: 0, end: sizeBytes - 1 };
    res.setHeader('content-type', type);
    if (ranges) res.setHeader('content-range', contentRange(range, sizeBytes));
    return { parts: [{ head: '', range }], tail: '', lengthBytes: range.end - range.start + 1 };
  }
  const boundary = randomBytes(18).toString('base64url');
  res.setHeader('content-type', `multipart/byteranges; boundary=${boundary}`);
  const parts = [first, ...others].map((range, i) => ({
    head:
      `${i === 0 ? '' : '\r\n'}--${boundary}\r\nContent-Type: ${type}\r\n` +
      `Content-Range: ${contentRange(range, sizeBytes)}\r\n\r\n`,
    range,
  }));
  const tail = `\r\n--${boundary}--\r\n`;
  const lengthBytes = parts.reduce(
    (sum, { head, range }) => sum + head.length + range.end - range.start + 1,
    tail.length,
  );
  return { parts, tail, lengthBytes };
}

function contentRange({ start, end }: ByteRange, sizeBytes: number): string {
  return `bytes ${start}-${end}/${sizeBytes}`;
}

async function sendBody(res: ServerResponse, { parts, tail }: Body, serving: Serving): Promise<void> {
  const { transfer } = serving;
  const closed = new AbortController();
  res.once('close', () => closed.abort());
  const firstPiece = Math.floor((parts[0]?.range.start ?? 0) / PIECE_BYTES);
  const release = serving.pieces.cache.hold(transfer.contentId);
  // Bytes that are kept are taken as fast as they come, to the end: all of them are fetched from everybody at once. When
  // the player is gone, however that ended, the reader is, and nothing more of it is bought.
  const takesAll =
    serving.download && toTheEnd(parts, transfer) && serving.pieces.cache.fits(transfer.contentId);
  const reader = transfer.addReader(firstPiece, !serving.download, takesAll);
  try {
    for (const { head, range } of parts) {
      if (head !== '') res.write(head);
      await sendRange(res, range, serving, reader, closed.signal);
    }
    res.end(tail);
  } finally {
    transfer.removeReader(reader);
    release();
  }
}

function toTheEnd(parts: readonly Part[], { file }: Transfer): boolean {
  return parts.length === 1 && parts[0]?.range.end === file.sizeBytes - 1;
}

async function sendRange(
  res: ServerResponse,
  { start, end }: ByteRange,
  serving: Serving,
  reader: Reader,
  signal: AbortSignal,
): Promise<void> {
  const { pieces, transfer } = serving;
  for (let position = start; position <= end; ) {
    const pieceIndex = Math.floor(position / PIECE_BYTES);
    transfer.moveReader(reader, pieceIndex);
    const piece = await readerPiece(pieces, transfer, pieceIndex, signal);
    const first = pieceIndex * PIECE_BYTES;
    const last = Math.min(end, first + piece.byteLength - 1);
    while (position <= last) {
      const from = position - first;
      const bytes = piece.subarray(from, Math.min(from + WRITE_BYTES, last - first + 1));
      signal.throwIfAborted();
      if (!res.write(bytes)) await once(res, 'drain', { signal });
      transfer.taken(reader, position, bytes.byteLength);
      serving.onSent?.();
      position += bytes.byteLength;
    }
  }
}

function header(req: IncomingMessage, name: string): string | undefined {
  const value = req.headers[name];
  return Array.isArray(value) ? value[0] : value;
}
