/**
 * Asks the providers that have a stream already for a content of which only its id is known, and the first of them for
 * the piece that a player waits for along with it: one round trip for all, where looking the content up, fetching its
 * transport file and asking for the piece are one each.
 */

import { PIECE_BYTES } from '../../shared/economy/units.ts';
import { isMedia, readAnyTransportFile, type TransportFile } from '../content/transport-file.ts';
import type { DownloadBudget, Permit } from '../limits/download-budget.ts';
import type { ArrivedFrom } from '../pieces/fetching.ts';
import type { PooledProvider, StreamPool } from './stream-pool.ts';

/** The piece that a player waits for. */
export interface Opening {
  readonly pieceIndex: number;
  /** Somebody watches it. */
  readonly watches: boolean;
}

/** A piece that was asked for along with the transport file. */
export interface FirstPiece {
  readonly pooled: PooledProvider;
  readonly pieceIndex: number;
  readonly video: boolean;
  readonly permit: Permit;
  readonly piece: Promise<ArrivedFrom>;
  /** Withdraws it, if its provider has not begun. */
  readonly abort: AbortController;
}

export interface Heard {
  readonly pooled: PooledProvider;
  readonly first: FirstPiece | null;
}

export interface AskingContext {
  readonly pool: Pick<StreamPool, 'ready' | 'ask'>;
  readonly budget: Pick<DownloadBudget, 'mayRequest'>;
  /** Stores a content, unless it is here already. */
  readonly keep: (transport: Uint8Array, file: TransportFile) => void;
}

const MAX_ASKED = 8;
/** Streams that do not answer hold nothing up for longer; the look-up goes on meanwhile. */
const ASK_MS = 1_500;
/** A piece that would have to wait for a limit is not asked for here: the transfer asks for it later. */
const PERMIT_MS = 50;

/** Who has the content, its transport file stored by then; `null` when nobody who has a stream does. */
export async function askStreams(
  { pool, budget, keep }: AskingContext,
  contentId: string,
  opening: Opening | null,
): Promise<Heard | null> {
  const asked = pool.ready().slice(0, MAX_ASKED);
  if (asked.length === 0) return null;
  const permit = opening && (await permitNow(budget, contentId));
  const abort = new AbortController();
  return new Promise((resolve) => {
    let first: Promise<ArrivedFrom> | null = null;
    let video = false;
    let unanswered = asked.length;
    let isDone = false;
    const done = (pooled: PooledProvider | null) => {
      if (isDone) return;
      isDone = true;
      clearTimeout(late);
      if (pooled && pooled === asked[0] && first && permit && opening) {
        const { pieceIndex } = opening;
        resolve({ pooled, first: { pooled, pieceIndex, video, permit, piece: first, abort } });
        return;
      }
      abort.abort();
      if (permit) letGo(first, permit);
      resolve(pooled && { pooled, first: null });
    };
    const late = setTimeout(() => done(null), ASK_MS);
    asked.forEach((pooled, i) => {
      const learned = (transport: Uint8Array | null) => {
        unanswered -= 1;
        // Later: the piece may still have to be noted.
        if (unanswered === 0) queueMicrotask(() => done(null));
        const file = transport && readAnyTransportFile(contentId, transport);
        if (!file || file.kind === 'live') return null;
        keep(transport, file);
        video = opening?.watches === true && isMedia(file);
        done(pooled);
        return { contentId, file, pieceIndex: opening?.pieceIndex ?? 0, video };
      };
      const pieceIndex = i === 0 && opening && permit ? opening.pieceIndex : null;
      const piece = pool.ask(pooled, { contentId, pieceIndex, learned, signal: abort.signal });
      if (i > 0) return;
      first = piece;
      // The stream may end before anybody has decided what becomes of the piece.
      piece?.catch(() => undefined);
    });
  });
}

/** Nobody waits for the piece: it is booked if it comes all the same. */
function letGo(piece: Promise<ArrivedFrom> | null, permit: Permit): void {
  if (!piece) permit.done(0);
  else
    piece.then(
      ({ bytes }) => permit.done(bytes),
      () => permit.done(0), // what it was refused for is of no interest any more
    );
}

/** `null` when there is none at once: the transfer that asks for the piece later gets the reason. */
async function permitNow(budget: AskingContext['budget'], contentId: string): Promise<Permit | null> {
  const signal = AbortSignal.timeout(PERMIT_MS);
  try {
    return await budget.mayRequest({ contentId, bytes: PIECE_BYTES, urgent: true }, signal);
  } catch {
    return null;
  }
}
