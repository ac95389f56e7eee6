/**
 * What a player asked for may never come: its sharer sends nothing for now, nobody has it, or this computer's clock is wrong.
 * That is said in place of a head that nothing follows. What only takes its time, or a top-up, is waited for behind the head.
 */

import { once } from 'node:events';
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
  /** How long somebody who has it may stay away before that is said; left out: it is not said here. */
  readonly nobodyWaitMs?: number | undefined;
}

/**
 * What comes at all comes within this time, as a rule: also between devices of one account, for which pieces are free
 * whatever the clock says.
 */
export const COMES_WAIT_MS = 2_000;
/** A provider that is started again is back within this time; players wait for a head at least as long. */
export const NOBODY_WAIT_MS = 20_000;

/** What keeps the piece wanted, for the reader who takes over. */
export interface Awaited {
  release(): void;
}

const NOTHING_AWAITED: Awaited = { release: () => undefined };

export interface AwaitedTransfer
  extends Pick<Transfer, 'complete' | 'addReader' | 'removeReader' | 'piece' | 'nextTrouble'> {
  readonly file: Pick<Transfer['file'], 'sizeBytes'>;
  readonly providers: readonly Pick<Transfer['providers'][number], 'state'>[];
}

/** Resolves when the piece is here, or may still come. @throws AceError `OwnClockWrong`, `ProviderStopped`, `NoProviders` */
export async function checkComes(transfer: AwaitedTransfer, context: ComesContext): Promise<Awaited> {
  const { clockError, closed, watches, pieceIndex = pieceCount(transfer.file.sizeBytes) - 1 } = context;
  const clock = clockError();
  if (transfer.complete || (context.waits && !clock)) return NOTHING_AWAITED;
  const { nobodyWaitMs = COMES_WAIT_MS } = context;
  const decided = new AbortController();
  const ended = AbortSignal.any([closed, decided.signal]);
  const late = AbortSignal.timeout(COMES_WAIT_MS);
  const soon = AbortSignal.any([ended, late]);
  const patience = AbortSignal.any([ended, AbortSignal.timeout(nobodyWaitMs)]);
  const reader = transfer.addReader(pieceIndex, watches);
  const release = () => transfer.removeReader(reader);
  try {
    const arrived = arrival(transfer, pieceIndex, ended);
    const trouble = clock
      ? await Promise.race([arrived, elapsed(soon)])
      : await lastTrouble(transfer, arrived, soon, patience);
    closed.throwIfAborted();
    if (clock && late.aborted) throw clock;
    if (trouble === ARRIVED) return { release };
    if (isAceError(trouble, 'ProviderStopped')) throw trouble;
    if (isAceError(trouble, 'NoProviders') && context.nobodyWaitMs !== undefined) throw trouble;
  } catch (error) {
    release();
    throw error;
  } finally {
    decided.abort();
  }
  return { release };
}

const ARRIVED = 'arrived';

/** Why nothing comes. While nobody has it, somebody may come back: that is waited for, as long as `patience` lasts. */
async function lastTrouble(
  transfer: AwaitedTransfer,
  arrived: Promise<typeof ARRIVED | null>,
  soon: AbortSignal,
  patience: AbortSignal,
): Promise<AceError | typeof ARRIVED | null> {
  let nobody: AceError | null = null;
  let until = soon;
  for (;;) {
    const news = await Promise.race([arrived, transfer.nextTrouble(until)]);
    if (news !== null && !isAceError(news, 'NoProviders')) return news;
    nobody = news ?? nobody;
    if (news === null && transfer.providers.some(({ state }) => state !== 'gone')) return null;
    if (patience.aborted) return nobody;
    until = patience;
  }
}

/** Resolves when the piece is here, or nobody waits for it any longer. @throws AceError `PeerClosed` */
async function arrival(
  transfer: AwaitedTransfer,
  pieceIndex: number,
  until: AbortSignal,
): Promise<typeof ARRIVED | null> {
  try {
    await transfer.piece(pieceIndex, until);
    return ARRIVED;
  } catch (error) {
    if (!until.aborted) throw error;
  }
  return null;
}

async function elapsed(signal: AbortSignal): Promise<null> {
  if (!signal.aborted) await once(signal, 'abort');
  return null;
}
