/**
 * The life of a channel, for both of its sides: one table says which event leads from which state to which. Pure: it has
 * no clock and makes no requests; time, the shard's answers and the store's failures come as events.
 *
 * Each side keeps its own state. They differ while a message is on its way, and may end differently: a payee whose
 * claim came too late has a dispute over a channel that is settled for its payer.
 */
import { AceError } from '../errors.ts';

export type ChannelStatus =
  /** The payer has stored its terms and hash chain, and holds no lease yet. The lease may be asked for, again and again. */
  | 'opening'
  /** Leased. Pieces are served, ticks revealed, checkpoints signed, claims handed in. */
  | 'open'
  /** Nothing is served or paid until its reason (`PauseReason`) is gone. All that was promised stands and can be claimed. */
  | 'paused'
  /** The final checkpoint is made. Out are the payee's signature, or the shard's word that it released the lease. */
  | 'closing'
  /** The shard holds proof of every unit and has released the rest. Out is the main chain's answer. */
  | 'claimed'
  /** The main chain has answered for every unit. The end. */
  | 'settled'
  /**
   * Ended by time. Nothing more is served. What was served before may still be paid, closed and claimed, until the shard
   * releases the lease a grace time later.
   */
  | 'expired'
  /**
   * The shard refused a claim, the sides' books cannot be brought together, or a proof of cheating names the channel.
   * Nothing more is served or paid; what is proven may be handed in again, in case the shard comes round.
   */
  | 'disputed';

/** Why a channel is paused. The event that pauses it has the same name. */
export type PauseReason =
  /** Payee: the payer did not pay in time for what its window let it have. Gone with the next tick, or with the debt. */
  | 'payment-overdue'
  /** Either side: the last change could not be made durable. Gone with the next commit that succeeds. */
  | 'store-failed';

export type ChannelEvent =
  /** The shard's lease is here, and verified. */
  | 'leased'
  | PauseReason
  /** The reason of the pause is gone. */
  | 'resumed'
  /** The payer made, or the payee countersigned, the final checkpoint. */
  | 'closed'
  /** The shard's word: it holds proof of every unit and has released the rest. */
  | 'claimed'
  /** The shard's word: besides, the main chain has answered for every unit. */
  | 'settled'
  /** The shard's word: it knows less than it said. It was restored from an older copy, and is handed the proof again. */
  | 'unclaimed'
  /** `expiresAtMs` of the terms is past, or the shard's word: the payer's device was unlinked. */
  | 'expired'
  /** So is the grace time after it: no claim or countersignature is taken any more. */
  | 'grace-over'
  /** See the state. */
  | 'disputed';

const PAUSE_REASONS: readonly PauseReason[] = ['payment-overdue', 'store-failed'];

const LIVE = {
  'payment-overdue': 'paused',
  'store-failed': 'paused',
  closed: 'closing',
  // The shard's clock may be ahead of ours: it then releases what we still hold for open.
  claimed: 'claimed',
  settled: 'settled',
  expired: 'expired',
  disputed: 'disputed',
} as const satisfies Partial<Record<ChannelEvent, ChannelStatus>>;

/** What is not listed cannot happen in that state. */
const TRANSITIONS: Readonly<Record<ChannelStatus, Partial<Record<ChannelEvent, ChannelStatus>>>> = {
  opening: { leased: 'open', expired: 'expired' },
  open: LIVE,
  paused: { ...LIVE, resumed: 'open' },
  // Expiry alone changes nothing: the final checkpoint can be countersigned and claimed until the grace is over.
  closing: { claimed: 'claimed', settled: 'settled', 'grace-over': 'expired', disputed: 'disputed' },
  claimed: { settled: 'settled', unclaimed: 'closing' },
  settled: {},
  expired: { closed: 'closing', claimed: 'claimed', settled: 'settled', disputed: 'disputed' },
  disputed: { claimed: 'claimed', settled: 'settled' },
};

/** The part of a side's books that this table rules. */
export interface Lifecycle {
  readonly status: ChannelStatus;
  /** `null` unless the channel is paused. */
  readonly pausedBy: PauseReason | null;
}

/** A channel before anything happened to it. */
export const OPENING: Lifecycle = { status: 'opening', pausedBy: null };

/** @throws AceError `ChannelStateWrong` when the event cannot happen in this state */
export function transition(status: ChannelStatus, event: ChannelEvent): ChannelStatus {
  const next = TRANSITIONS[status][event];
  if (next === undefined) {
    throw new AceError('ChannelStateWrong', `"${event}" cannot happen to a channel that is ${status}`, {
      details: { status, event },
    });
  }
  return next;
}

export function allows(status: ChannelStatus, event: ChannelEvent): boolean {
  return TRANSITIONS[status][event] !== undefined;
}

/** A side's books after the event. @throws AceError `ChannelStateWrong` */
export function advance<S extends Lifecycle>(state: S, event: ChannelEvent): S {
  const reason = PAUSE_REASONS.find((name) => name === event) ?? null;
  return { ...state, status: transition(state.status, event), pausedBy: reason };
}

/** A paused channel whose reason is gone; any other is left as it is. */
export function resumed<S extends Lifecycle>(state: S, reason: PauseReason): S {
  return state.pausedBy === reason ? advance(state, 'resumed') : state;
}

/** The payee may send a piece, as far as window, capacity and time allow. */
export function mayServe(status: ChannelStatus): boolean {
  return status === 'open';
}

/** The payer may reveal a tick or make a checkpoint. */
export function mayPay(status: ChannelStatus): boolean {
  return status === 'open';
}

/** The payee may countersign a checkpoint, for what it has served. */
export function mayCountersign(status: ChannelStatus): boolean {
  return status === 'open' || status === 'paused' || status === 'expired';
}

/**
 * The payee may take a tick. Where the shard pays for no more it is worth nothing, but a payer whose pieces were on the
 * way when the shard ended the channel owes no more than it did not pay.
 */
export function mayTakeTick(status: ChannelStatus): boolean {
  return status !== 'opening' && status !== 'closing';
}

/** Both sides have signed the end, or the shard has made it: no stream has any use for the channel. */
export function isClosed(status: ChannelStatus): boolean {
  return status === 'closing' || status === 'claimed' || status === 'settled';
}

/** Handing a proof to the shard can still change something. */
export function mayClaim(status: ChannelStatus): boolean {
  return status !== 'opening' && status !== 'claimed' && status !== 'settled';
}

/** What the shard says it has on a channel. */
export interface ShardProgress {
  /** Units that it holds proof for. */
  readonly claimedUnits: number;
  /** Of these, units that the main chain has answered for. */
  readonly appliedUnits: number;
  /** The rest went back to the payer: nothing more can be claimed. */
  readonly released: boolean;
  /** The lease ended before its time, because the payer's device was unlinked. */
  readonly ended?: boolean | undefined;
}

/**
 * What the shard's progress does to a channel of which `units` have to be proven; `null` while it changes nothing. A payee
 * asks with the units it holds ticks for. A payer has nothing to prove and asks with `progress.claimedUnits`: what is claimed
 * when the lease is released is all it will be charged.
 */
export function eventOfProgress(
  status: ChannelStatus,
  progress: ShardProgress,
  units: number,
): 'claimed' | 'settled' | 'unclaimed' | 'expired' | null {
  if (!progress.released) {
    if (allows(status, 'unclaimed')) return 'unclaimed';
    return progress.ended && allows(status, 'expired') ? 'expired' : null;
  }
  if (progress.claimedUnits < units) return null;
  const event = progress.appliedUnits >= progress.claimedUnits ? 'settled' : 'claimed';
  return allows(status, event) ? event : null;
}
