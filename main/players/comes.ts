/**
 * What a player asked for may never come: its sharer sends nothing for now, or this computer's clock is wrong. That is said
 * in place of a head that nothing follows. What only takes its time, or a top-up, is waited for behind the head.
 */

import { pieceCount } from '../../shared/economy/units.ts';
import { type AceError, isAceError } from '../../shared/errors.ts';
import type { Transfer } from '../transfer/transfer.ts';

/** Why nothing is paid for now, when that is this computer's clock; else `null`. */
export type ClockError = () => AceError | null;

export interface ComesContext {
  readonly clockError: ClockError;
  /** The player has gone. */
  readonly closed: AbortSignal;
  /** The piece that the answer begins with; left out: the last. */
  readonly pieceIndex?: number | undefined;
  /** Somebody watches what is fetched. */
  readonly watches: boolean;
  /** Who asks shows by itself why nothing comes, and waits. */
  readonly waits: boolean;
}

/**
 * What comes at all comes within this time, as a rule: also between devices of one account, for which pieces are free
 * whatever the clock says.
 */
export const COMES_WAIT_MS = 2_000;

/** What keeps the piece wanted, for the reader who takes over. */
export interface Awaited {
  release(): void;
}

const NOTHING_AWAITED: Awaited = { release: () => undefined };

/** Resolves when the piece is here, or may still come. @throws AceError `OwnClockWrong`, `ProviderStopped` */
export async function checkComes(transfer: Transfer, context: ComesContext): Promise<Awaited> {
  const { clockError, closed, watches, pieceIndex = pieceCount(transfer.file.sizeBytes) - 1 } = context;
  const clock = clockError();
  if (transfer.complete || (context.waits && !clock)) return NOTHING_AWAITED;
  const decided = new AbortController();
  const late = AbortSignal.timeout(COMES_WAIT_MS);
  const until = AbortSignal.any([closed, late, decided.signal]);
  const reader = transfer.addReader(pieceIndex, watches);
  const release = () => transfer.removeReader(reader);
  try {
    const outcomes: Promise<AceError | null>[] = [arrival(transfer, pieceIndex, until)];
    if (!clock) outcomes.push(transfer.nextTrouble(until));
    const trouble = await Promise.race(outcomes);
    closed.throwIfAborted();
    if (isAceError(trouble, 'ProviderStopped')) throw trouble;
    if (clock && late.aborted) throw clock;
  } catch (error) {
    release();
    throw error;
  } finally {
    decided.abort();
  }
  return { release };
}

/** Resolves when the piece is here, or nobody waits for it any longer. @throws AceError `PeerClosed` */
async function arrival(transfer: Transfer, pieceIndex: number, until: AbortSignal): Promise<null> {
  try {
    await transfer.piece(pieceIndex, until);
  } catch (error) {
    if (!until.aborted) throw error;
  }
  return null;
}
