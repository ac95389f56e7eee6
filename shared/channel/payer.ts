/**
 * The payer's side of a channel: what is owed for verified bytes, and what to reveal for it. Pure: state in, state out.
 *
 * Promise: a tick is revealed only for bytes that were verified and stored, or for the one unit that may be lost to each
 * account. So a payer that is cheated loses at most the one unit it has revealed and not been served for.
 */

import { TRAFFIC_UNIT_BYTES, unitsForBytes } from '../economy/units.ts';
import { invariant } from '../errors.ts';
import { advance, type Lifecycle, mayPay, OPENING } from './lifecycle.ts';
import type { Checkpoint } from './records.ts';

export const CHECKPOINT_EVERY_UNITS = 64;
export const CHECKPOINT_EVERY_MS = 30_000;
/**
 * A checkpoint that only reports watch time. A payee signs one without new units every 30 s at most, by its own clock
 * and by when they arrive: twice that is never too early.
 */
export const WATCH_CHECKPOINT_EVERY_MS = 2 * CHECKPOINT_EVERY_MS;

/** Accounts are free, so what is written off is bounded over all of them too: so many units in each period. */
export const WRITE_OFF_LIMIT_UNITS = 8;
export const WRITE_OFF_PERIOD_MS = 24 * 3_600_000;

export interface PayerState extends Lifecycle {
  readonly channelId: Uint8Array;
  readonly capacityUnits: number;
  readonly expiresAtMs: number;
  /**
   * Index of the deepest tick that may have left this node. Committed before it is sent. One more than is owed while a
   * unit is paid that has not come yet.
   */
  readonly revealedUnits: number;
  /** Bytes received over this channel and found right. */
  readonly verifiedBytes: number;
  /** Of these, bytes that were viewed as video. */
  readonly videoBytes: number;
  /** Bytes paid though they were lost on the way; one unit at most for each payee account. */
  readonly lostBytes: number;
  readonly watchMs: number;
  readonly checkpointNumber: number;
  readonly checkpointUnits: number;
  readonly checkpointAtMs: number;
}

/** Of a channel that nobody has leased yet. */
export function newPayerState(
  channelId: Uint8Array,
  { capacityUnits, expiresAtMs }: Pick<PayerState, 'capacityUnits' | 'expiresAtMs'>,
  nowMs: number,
): PayerState {
  return {
    ...{ channelId, capacityUnits, expiresAtMs },
    revealedUnits: 0,
    verifiedBytes: 0,
    videoBytes: 0,
    lostBytes: 0,
    watchMs: 0,
    checkpointNumber: 0,
    checkpointUnits: 0,
    checkpointAtMs: nowMs,
    ...OPENING,
  };
}

/** Books verified bytes and reveals what they owe. The caller commits, then sends tick `revealedUnits`. */
export function receive(state: PayerState, verifiedBytes: number, video: boolean): PayerState {
  invariant(mayPay(state.status), 'only an open channel pays');
  return reveal({
    ...state,
    verifiedBytes: state.verifiedBytes + verifiedBytes,
    videoBytes: state.videoBytes + (video ? verifiedBytes : 0),
  });
}

/**
 * Units written off on other channels, and those paid ahead there that have not come yet. One byte of a unit counts as
 * the unit that it reveals.
 */
export interface LostElsewhere {
  /** To the same payee account, on any of its devices, ever. */
  readonly toPayeeUnits: number;
  /** To anyone, in the last `WRITE_OFF_PERIOD_MS`. */
  readonly latelyUnits: number;
}

/**
 * Pays for bytes that the provider says it sent and a broken connection lost, so that it goes on: at most one unit for
 * each account, over all its devices and channels, and `WRITE_OFF_LIMIT_UNITS` for all accounts in a day, because
 * that they were sent cannot be proven. What is lost beyond that stays a debt that narrows the provider's window.
 */
export function writeOff(state: PayerState, servedBytes: number, elsewhere: LostElsewhere): PayerState {
  invariant(mayPay(state.status), 'only an open channel pays');
  const missingBytes = Math.max(0, servedBytes - state.verifiedBytes - state.lostBytes);
  const refused = elsewhere.toPayeeUnits > 0 || elsewhere.latelyUnits >= WRITE_OFF_LIMIT_UNITS;
  const leftBytes = refused ? 0 : Math.max(0, TRAFFIC_UNIT_BYTES - state.lostBytes);
  const allowedBytes = Math.min(leftBytes, roomBytes(state));
  return reveal({ ...state, lostBytes: state.lostBytes + Math.min(missingBytes, allowedBytes) });
}

/** Units paid that nothing has come for yet. */
export function prepaidUnits(state: PayerState): number {
  return state.revealedUnits - owedUnitsOf(state);
}

/**
 * Pays a unit before it comes, for a provider that serves strangers no other way. One at a time, and only where that
 * unit may be lost: never to an account that one was written off to, and no more than `WRITE_OFF_LIMIT_UNITS` to all
 * accounts in a day. `null` when it may not.
 */
export function prepay(state: PayerState, elsewhere: LostElsewhere): PayerState | null {
  invariant(mayPay(state.status), 'only an open channel pays');
  const isRisked = state.lostBytes > 0 || prepaidUnits(state) > 0 || elsewhere.toPayeeUnits > 0;
  if (isRisked || elsewhere.latelyUnits >= WRITE_OFF_LIMIT_UNITS) return null;
  if (state.revealedUnits >= state.capacityUnits) return null;
  return { ...state, revealedUnits: state.revealedUnits + 1 };
}

/** Bytes that the channel can still carry. */
export function roomBytes(state: PayerState): number {
  return state.capacityUnits * TRAFFIC_UNIT_BYTES - state.verifiedBytes - state.lostBytes;
}

/** `unreportedMs`: watched since the last checkpoint. */
export function checkpointDue(state: PayerState, unreportedMs: number, nowMs: number): boolean {
  const newUnits = state.revealedUnits - state.checkpointUnits;
  const sinceMs = nowMs - state.checkpointAtMs;
  if (newUnits > 0) return newUnits >= CHECKPOINT_EVERY_UNITS || sinceMs >= CHECKPOINT_EVERY_MS;
  // No time counts on a channel that has carried no video.
  return unreportedMs > 0 && state.videoBytes > 0 && sinceMs >= WATCH_CHECKPOINT_EVERY_MS;
}

/**
 * The next checkpoint and the state that has made it. The caller signs, commits, sends.
 *
 * Its number follows the clock: books restored from an old copy do not know which numbers were used since, and a number
 * used twice is a proof of cheating (see `equivocation.ts`).
 */
export function makeCheckpoint(
  state: PayerState,
  tick: Uint8Array,
  final: boolean,
  nowMs: number,
): { state: PayerState; checkpoint: Checkpoint } {
  const number = Math.max(state.checkpointNumber + 1, nowMs);
  return {
    state: {
      ...(final ? advance(state, 'closed') : state),
      checkpointNumber: number,
      checkpointUnits: state.revealedUnits,
      checkpointAtMs: nowMs,
    },
    checkpoint: {
      channelId: state.channelId,
      number,
      units: state.revealedUnits,
      bytes: state.verifiedBytes,
      videoBytes: state.videoBytes,
      watchMs: state.watchMs,
      final,
      tick,
    },
  };
}

/** A unit that was paid ahead is revealed already. */
function reveal(state: PayerState): PayerState {
  const owedUnits = owedUnitsOf(state);
  invariant(owedUnits <= state.capacityUnits, 'a channel owes no more than its capacity');
  invariant(owedUnits >= state.revealedUnits - 1, 'no more than one unit is paid ahead');
  return { ...state, revealedUnits: Math.max(owedUnits, state.revealedUnits) };
}

function owedUnitsOf({ verifiedBytes, lostBytes }: PayerState): number {
  return unitsForBytes(verifiedBytes + lostBytes);
}
