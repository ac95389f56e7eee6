/**
 * The payee's side of a channel: what a provider may send, and which payments it accepts. Pure: state in, state out.
 *
 * Promise: units served to an account never exceed the units it paid by more than the window, over all its channels,
 * restarts and reconnections included. That is the most the provider can lose.
 */

import { sameBytes } from '../bytes.ts';
import { unitsForBytes } from '../economy/units.ts';
import { AceError, invariant } from '../errors.ts';
import { compareBooks } from './books.ts';
import {
  advance,
  isClosed,
  type Lifecycle,
  mayCountersign,
  mayServe,
  mayTakeTick,
  resumed,
} from './lifecycle.ts';
import type { Checkpoint, Sha256 } from './records.ts';
import { leadsTo } from './tick-chain.ts';

/** How far a provider sends ahead of payment, at most, unless configured. */
export const DEFAULT_WINDOW_CAP_UNITS = 8;

export interface PayeeState extends Lifecycle {
  readonly channelId: Uint8Array;
  readonly capacityUnits: number;
  readonly expiresAtMs: number;
  /** Index of the deepest tick held: units paid. */
  readonly paidUnits: number;
  /** The deepest tick held; the anchor while nothing is paid. */
  readonly tick: Uint8Array;
  /** Content bytes handed to the network for this channel. Committed before they are sent. */
  readonly servedBytes: number;
  /** Number, units and bytes of the last checkpoint accepted; number 0 before the first. */
  readonly checkpointNumber: number;
  readonly checkpointUnits: number;
}

/** What a payer's account did on its other channels with this provider: trust and debt outlive a channel. */
export interface PayerHistory {
  /** Units it paid there. */
  readonly paidUnits: number;
  /** Units it was served there and never paid: a new channel, or a reconnection, does not forget them. */
  readonly unpaidUnits: number;
  /** Of those, the ones on channels that have ended, or that no stream uses now: no payment for them is on its way. */
  readonly lostUnits: number;
}

export const STRANGER: PayerHistory = { paidUnits: 0, unpaidUnits: 0, lostUnits: 0 };

/** Units that may be sent ahead of payment: 1 for a stranger, doubling with paid volume. */
export function windowUnits(paidUnits: number, capUnits: number): number {
  return Math.max(1, Math.min(capUnits, 2 ** Math.floor(Math.log2(paidUnits + 1))));
}

/** Why a piece may not be sent right now, or `null` when it may. */
export function servingObstacle(
  state: PayeeState,
  history: PayerHistory,
  lengthBytes: number,
  nowMs: number,
  windowCapUnits: number,
):
  | 'ChannelClosed'
  | 'ChannelExpired'
  | 'ChannelExhausted'
  | 'PaymentOverdue'
  | 'PrepaymentDue'
  | 'StoreFailed'
  | null {
  if (state.status === 'expired' || nowMs >= state.expiresAtMs) return 'ChannelExpired';
  if (state.pausedBy === 'store-failed') return 'StoreFailed';
  // A payment that was overdue is looked at anew: it may have come, or be forgotten.
  if (!mayServe(resumed(state, 'payment-overdue').status)) return 'ChannelClosed';
  const servedUnits = unitsForBytes(state.servedBytes + lengthBytes);
  if (servedUnits > state.capacityUnits) return 'ChannelExhausted';
  const window = windowUnits(state.paidUnits + history.paidUnits, windowCapUnits);
  const aheadUnits = servedUnits - state.paidUnits + history.unpaidUnits;
  if (aheadUnits <= window) return null;
  // Where nothing is owed here, and what was lost elsewhere fills the window, waiting brings nothing: a unit that is paid first does.
  const isPaid = unitsForBytes(state.servedBytes) <= state.paidUnits;
  const helps = history.lostUnits >= window && history.unpaidUnits <= window;
  return isPaid && helps ? 'PrepaymentDue' : 'PaymentOverdue';
}

/** Books bytes that are about to be sent. The caller has asked `servingObstacle`, and commits before it sends. */
export function serve(state: PayeeState, lengthBytes: number): PayeeState {
  const serving = resumed(state, 'payment-overdue');
  invariant(mayServe(serving.status), 'only an open channel serves');
  return { ...serving, servedBytes: serving.servedBytes + lengthBytes };
}

/** Ticks are taken this long after the expiry: a claim has to reach the shard before it releases the lease, an hour after. */
export const TICK_GRACE_MS = 55 * 60_000;

/**
 * Whether a tick can be claimed, or may be forgiven: a shard whose clock is ahead ends a channel while pieces are on the
 * way. Taken otherwise, a tick that is never paid would wipe out a debt, and the next window would be for nothing.
 * `closed`: the payer has signed the end.
 */
export function isTickDue(
  { status, expiresAtMs }: Pick<PayeeState, 'status' | 'expiresAtMs'>,
  closed: boolean,
  nowMs: number,
): boolean {
  const isOver = isClosed(status) || status === 'disputed';
  return isOver ? !closed && nowMs < expiresAtMs : nowMs < expiresAtMs + TICK_GRACE_MS;
}

/** A preimage in the channel's hash chain, and its place there: the units that it pays. */
export interface Tick {
  readonly index: number;
  readonly tick: Uint8Array;
}

export interface TickContext {
  readonly history: PayerHistory;
  readonly windowCapUnits: number;
  readonly sha256: Sha256;
}

/**
 * Accepts a tick: index ascends, stays inside window and capacity, and hashes back to the tick held. The walk is never
 * longer than the window, however large the index that a peer claims.
 * @throws AceError `ChannelClosed`, `TickNotIncreasing` (ignore), `TickBeyondCapacity`, `TickBeyondWindow`, `TickWrong`
 */
export function acceptTick(
  state: PayeeState,
  { index, tick }: Tick,
  { history, windowCapUnits, sha256 }: TickContext,
): PayeeState {
  if (!mayTakeTick(state.status)) throw new AceError('ChannelClosed', 'The channel is closed');
  if (index <= state.paidUnits) {
    throw new AceError('TickNotIncreasing', `Tick ${index} after tick ${state.paidUnits}`, {
      reaction: 'ignore',
    });
  }
  if (index > state.capacityUnits) {
    throw new AceError('TickBeyondCapacity', `Tick ${index} of ${state.capacityUnits}`, {
      reaction: 'drop-peer',
    });
  }
  const steps = index - state.paidUnits;
  if (steps > windowUnits(state.paidUnits + history.paidUnits, windowCapUnits)) {
    throw new AceError('TickBeyondWindow', `Tick ${index} jumps ${steps} units`, { reaction: 'drop-peer' });
  }
  if (!leadsTo(tick, steps, state.tick, sha256)) {
    throw new AceError('TickWrong', `Tick ${index} is not of this channel's chain`, {
      reaction: 'drop-peer',
    });
  }
  return { ...resumed(state, 'payment-overdue'), paidUnits: index, tick };
}

/**
 * Accepts a checkpoint whose signature has been verified: it must say what this side's books say.
 * @throws AceError `ChannelMismatch`, `ChannelClosed`, `CheckpointNotIncreasing` (ignore when older), `CheckpointMismatch`
 */
export function acceptCheckpoint(state: PayeeState, checkpoint: Checkpoint): PayeeState {
  const refuse = (why: string) =>
    new AceError('CheckpointMismatch', `Checkpoint: ${why}`, { reaction: 'drop-peer' });
  if (!sameBytes(checkpoint.channelId, state.channelId)) {
    throw new AceError('ChannelMismatch', 'The checkpoint is of another channel', { reaction: 'drop-peer' });
  }
  if (!mayCountersign(state.status)) throw new AceError('ChannelClosed', 'The channel is closed');
  if (checkpoint.number <= state.checkpointNumber) {
    throw new AceError(
      'CheckpointNotIncreasing',
      `Checkpoint ${checkpoint.number} after ${state.checkpointNumber}`,
      // An old one may be late. Another one with the number of the latest is the payer saying two things at once.
      { reaction: checkpoint.number === state.checkpointNumber ? 'drop-peer' : 'ignore' },
    );
  }
  const books = compareBooks(
    { revealedUnits: checkpoint.units, verifiedBytes: checkpoint.bytes, lostBytes: 0, unused: false },
    state,
    // Its tick has been taken by now, and bytes that are on their way are not its payer's fault.
    { behindUnits: 0, lostUnits: state.capacityUnits },
  );
  if (books.name !== 'agree' && books.name !== 'lost-bytes') {
    const { units, bytes } = checkpoint;
    const [paid, served] = [state.paidUnits, state.servedBytes];
    throw refuse(`${units} units and ${bytes} bytes, held are ${paid} and ${served} (${books.name})`);
  }
  if (!sameBytes(checkpoint.tick, state.tick)) throw refuse('its tick is not the one held');
  if (unitsForBytes(checkpoint.bytes) > checkpoint.units)
    throw refuse('its bytes are worth more units than it pays');
  return {
    ...(checkpoint.final ? advance(state, 'closed') : state),
    checkpointNumber: checkpoint.number,
    checkpointUnits: checkpoint.units,
  };
}
