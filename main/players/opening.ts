/** What a player's request needs first. */
import type { IncomingMessage } from 'node:http';
import { PIECE_BYTES } from '../../shared/economy/units.ts';
import type { Opening } from '../transfer/asking.ts';
import { isDownload } from './addresses.ts';

/** The piece that the answer begins with; none when it has no body. */
export function openingOf(req: IncomingMessage, url: URL): Opening | undefined {
  if (req.method !== 'GET') return undefined;
  // What counts from the end begins nobody knows where.
  const start = /^bytes=(\d{1,15})-/.exec(req.headers.range ?? 'bytes=0-')?.[1];
  if (start === undefined) return undefined;
  return { pieceIndex: Math.floor(Number(start) / PIECE_BYTES), watches: !isDownload(url) };
}
