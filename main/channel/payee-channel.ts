/** One payee's channel while a stream uses it: decisions of `shared/channel/payee.ts`, made durable before they are acted on. */
import { advance, allows, isClosed, type ShardProgress } from '../../shared/channel/lifecycle.ts';
import {
  acceptTick,
  isTickDue,
  type PayeeState,
  type PayerHistory,
  STRANGER,
  serve,
  servingObstacle,
} from '../../shared/channel/payee.ts';
import type { NetworkSettings } from '../../shared/economy/settings.ts';
import { TRAFFIC_UNIT_BYTES, unitsForBytes } from '../../shared/economy/units.ts';
import { AceError, isAceError } from '../../shared/errors.ts';
import type { PayeeChannelRow } from '../db/node/payee-channels.ts';
import type { ProgressWriter } from '../db/node/payee-progress.ts';
import type { NodeStore } from '../db/node/store.ts';
import { sha256 } from '../util/sha256.ts';
import type { DeviceIdentity } from '../wallet/device.ts';
import type { GroupCommit, GroupMember } from './group-commit.ts';
import type { ChannelObserver } from './observer.ts';
import type { AccountFigures, ProviderRisk, RiskObstacle } from './provider-risk.ts';
import type { SentPiece, SentPieces } from './sent-pieces.ts';

/**
 * An unpaid unit narrows its payer's window for this long after the channel served last; then it is forgotten. One
 * window a day is the most lost.
 */
const DEBT_MEMORY_MS = 24 * 3_600_000;

/** A shard that has not said by then whether a lease still stands has it honoured, as ever. */
const LEASE_ANSWER_MS = 5_000;

export interface PayeeContext {
  readonly store: NodeStore;
  readonly settings: NetworkSettings;
  readonly account: string;
  readonly device: DeviceIdentity;
  readonly windowCapUnits: number;
  readonly nowMs: () => number;
  /** While it is wrong no channel is ended by time, and no tick comes too late. Left out: it is right. */
  readonly clock?: { readonly isRight: boolean };
  /** Whether the main chain refused what the account was served, and it still has neither funds nor credit. */
  readonly isRefused: (payer: string) => boolean;
  /** What may be lost to payers that have not paid yet. */
  readonly risk?: ProviderRisk;
  /**
   * What the shard says of a lease that is taken up: it may have ended before its time. `null` when it knows none.
   * @throws AceError `ShardUnavailable`, `RequestTimeout`
   */
  readonly askLease?: (shard: number, channelId: Uint8Array) => Promise<ShardProgress | null>;
  readonly observer?: ChannelObserver;
  /** Nothing is served on the word of a shard that is not trusted. @throws AceError `ShardDiverged` */
  readonly checkShard?: (shard: number) => void;
}

export interface PayeeChannelOptions {
  readonly group: GroupCommit<ProgressWriter>;
  readonly sent: SentPieces;
  /** The same account's channels that are in use now, this one among them. */
  readonly ofPayer: ReadonlySet<PayeeChannel>;
  /** Where the payer comes from, as the provider's risk counts it; `null`: it is no stranger. */
  readonly origin: string | null;
  readonly onRelease: () => void;
}

/**
 * One channel in use by one stream. Changes gather in memory; nothing of them may be acted on before `commit` or
 * `commitSoon`. When the store fails it goes back to what is durable and is paused: every use throws, until a
 * stream opens it anew.
 */
export class PayeeChannel implements GroupMember<ProgressWriter> {
  readonly payer: string;
  readonly #context: PayeeContext;
  readonly #group: GroupCommit<ProgressWriter>;
  readonly #sent: SentPieces;
  /** Whether this stream has asked for a piece. The ticks that a payer says again come before that. */
  #asked = false;
  readonly rowId: number;
  readonly #ofPayer: ReadonlySet<PayeeChannel>;
  /** What the other channels say, until one of them commits something. */
  #history: PayerHistory | null = null;
  /** Pieces that the next commit books. */
  #unsaid: SentPiece[] = [];
  readonly #origin: string | null;
  readonly #onRelease: () => void;
  /** The payer has signed the end, whatever the shard made of it since. */
  #ended: boolean;
  #state: PayeeState;
  #committed: PayeeState;
  /** What `write` has written, until it is known whether that lasts. */
  #written: PayeeState | null = null;
  #detached = false;
  /** Why the store did not take what had changed. */
  #paused: { readonly cause: unknown } | null = null;
  /** The most that is served while the shard has not said whether the lease still stands; `null` once it has. */
  #unconfirmedBytes: number | null = null;
  /** Called when another stream takes the channel. */
  onTaken: (() => void) | null = null;
  /** Called when the payer has paid on another of its channels, or left it: the answer to what waits may be another now. */
  onLookAgain: (() => void) | null = null;

  constructor(context: PayeeContext, row: PayeeChannelRow, use: PayeeChannelOptions) {
    this.#context = context;
    this.#group = use.group;
    this.#sent = use.sent;
    this.#ofPayer = use.ofPayer;
    this.#origin = use.origin;
    this.#onRelease = use.onRelease;
    this.rowId = row.rowId;
    this.#ended = row.lastCheckpoint?.checkpoint.final === true;
    this.#state = row.state;
    this.#committed = row.state;
    this.payer = row.payer;
  }

  get channelId(): Uint8Array {
    return this.#committed.channelId;
  }

  /** Units paid, bytes served and checkpoints signed, as committed. */
  get books(): Pick<PayeeState, 'paidUnits' | 'servedBytes' | 'checkpointNumber'> {
    return this.#committed;
  }

  /** Nothing more is paid on it: a final checkpoint was countersigned. */
  get closed(): boolean {
    return isClosed(this.#committed.status);
  }

  get dirty(): boolean {
    return this.#state !== this.#committed;
  }

  /**
   * A late or repeated tick changes nothing, also on a channel that has ended meanwhile. One that is right waits for the
   * next commit.
   * @throws AceError `ChannelClosed`, `TickWrong`, `TickBeyondWindow`, `TickBeyondCapacity`, `StoreFailed`, …
   */
  receiveTick(index: number, tick: Uint8Array): void {
    const { windowCapUnits } = this.#context;
    const { nowMs, clock } = this.#context;
    const isDue = isTickDue(this.#state, this.#ended, nowMs()) || (clock?.isRight === false && !this.#ended);
    if (index > this.#state.paidUnits && !isDue) {
      throw new AceError('ChannelClosed', 'Nobody would pay for this tick any more');
    }
    try {
      const history = this.#askHistory();
      this.#change(acceptTick(this.#state, { index, tick }, { history, windowCapUnits, sha256 }));
      this.#noteRisk(history);
    } catch (error) {
      if (!isAceError(error) || error.reaction !== 'ignore') throw error;
      return;
    }
    this.#forSiblings((sibling) => sibling.onLookAgain?.());
  }

  /** Whether the piece was booked before a reconnection and may be sent again without being booked. */
  isOwed(key: string): boolean {
    const { servedBytes, paidUnits } = this.#state;
    if (!this.#asked) this.#sent.reopened(servedBytes - paidUnits * TRAFFIC_UNIT_BYTES);
    this.#asked = true;
    if (!this.#sent.isOwed(key)) return false;
    const { risk } = this.#context;
    return !risk || this.#origin === null || risk.mayResend(this.payer, this.#origin);
  }

  /** Why so many bytes may not be sent now, or `null`: of what may not be durable yet, and is committed with it. */
  obstacle(lengthBytes: number): ReturnType<typeof servingObstacle> | RiskObstacle | 'CreditExhausted' {
    const { windowCapUnits, nowMs, isRefused } = this.#context;
    if (isRefused(this.payer)) return 'CreditExhausted';
    const history = this.#askHistory();
    return (
      servingObstacle(this.#state, history, lengthBytes, nowMs(), windowCapUnits) ??
      this.#riskOf(history, lengthBytes)
    );
  }

  #riskOf(history: PayerHistory, lengthBytes: number): RiskObstacle | null {
    const { risk } = this.#context;
    const { servedBytes: sentBytes } = this.#state;
    if (this.#unconfirmedBytes !== null && sentBytes + lengthBytes > this.#unconfirmedBytes)
      return 'CoverUnknown';
    // What is sent again was counted when it was sent first.
    if (!risk || this.#origin === null || lengthBytes === 0) return null;
    const { paidUnits, servedBytes } = this.#state;
    const servedAheadUnits = unitsForBytes(servedBytes) - paidUnits;
    const servedUnits = unitsForBytes(servedBytes + lengthBytes);
    return risk.obstacle(this.payer, this.#origin, {
      ...figuresOf(history, servedUnits, paidUnits),
      isPrepaid: servedUnits <= paidUnits,
      servedAheadUnits: Math.max(0, servedAheadUnits),
    });
  }

  /** Serves no more than a window until `answered`, which has booked what the shard says; a shard that is slow is not waited for. */
  async awaitLease(answered: Promise<unknown>): Promise<void> {
    const windowBytes = this.#context.windowCapUnits * TRAFFIC_UNIT_BYTES;
    this.#unconfirmedBytes = this.#state.servedBytes + windowBytes;
    const late = Promise.withResolvers<void>();
    const timer = setTimeout(late.resolve, LEASE_ANSWER_MS);
    timer.unref();
    await Promise.race([answered, late.promise]);
    clearTimeout(timer);
    this.#unconfirmedBytes = null;
    this.onLookAgain?.();
  }

  #noteRisk(history: PayerHistory): void {
    const { paidUnits, servedBytes } = this.#state;
    if (this.#origin === null) return;
    this.#context.risk?.note(
      this.payer,
      this.#origin,
      figuresOf(history, unitsForBytes(servedBytes), paidUnits),
    );
  }

  /** Books bytes that will be sent after the next commit. The caller has just asked `obstacle`, without a pause. */
  serve(lengthBytes: number, pieces: readonly SentPiece[]): void {
    // Asked before the change: asking may commit what siblings changed.
    const history = this.#context.risk ? this.#askHistory() : STRANGER;
    this.#unsaid.push(...pieces);
    this.#change(serve(this.#state, lengthBytes));
    this.#noteRisk(history);
  }

  /** The payer did not pay in time: until it does, the channel is paused. @throws AceError `StoreFailed` */
  overdue(): void {
    if (!allows(this.#state.status, 'payment-overdue')) return;
    this.#change(advance(this.#state, 'payment-overdue'));
    this.commit();
  }

  /** Makes everything durable at once; `also` is written in the same transaction. @throws AceError `StoreFailed` */
  commit(also?: () => void): void {
    if (!this.#join(also)) return;
    this.#group.now();
    this.#checkPaused();
  }

  /**
   * Makes everything durable by the end of this turn, in one transaction with what other channels have changed. What
   * happens on the channel until then goes in as well. @throws AceError `StoreFailed`
   */
  async commitSoon(also?: () => void): Promise<void> {
    if (!this.#join(also)) return;
    await this.#group.soon();
    this.#checkPaused();
  }

  /** Whether there is something to commit. */
  #join(also?: () => void): boolean {
    if (this.#detached) throw new AceError('ChannelClosed', 'Another stream has taken the channel');
    if (!this.dirty && !also) return false;
    this.#checkPaused();
    this.#group.add(this, also);
    return true;
  }

  write(writer: ProgressWriter): void {
    const [state, durable] = [this.#state, this.#committed];
    this.#written = state;
    writer.save(this.rowId, state);
    const stands =
      state.status === durable.status &&
      state.pausedBy === durable.pausedBy &&
      state.checkpointNumber === durable.checkpointNumber &&
      state.checkpointUnits === durable.checkpointUnits;
    if (!stands) this.#context.store.payeeChannels.saveStanding(this.rowId, state);
  }

  committed(): void {
    this.#committed = this.#written ?? this.#committed;
    this.#written = null;
    // Only now: what was never booked is never owed.
    if (this.#unsaid.length > 0) for (const piece of this.#unsaid.splice(0)) this.#noteSent(piece);
    this.#forSiblings((sibling) => sibling.forgetHistory());
  }

  #noteSent(piece: SentPiece): void {
    this.#sent.add(piece);
    if (piece.resend && this.#origin !== null) this.#context.risk?.noteResend(this.payer, this.#origin);
  }

  failed(error: unknown): void {
    const durable = this.#committed;
    this.#state = allows(durable.status, 'store-failed') ? advance(durable, 'store-failed') : durable;
    this.#written = null;
    this.#unsaid = [];
    this.#paused = { cause: error };
  }

  /** The store failed, and every use throws. The channel has gone back to what is durable, and loses nothing more. */
  get paused(): boolean {
    return this.#paused !== null;
  }

  #checkPaused(): void {
    if (this.#paused) throw this.#paused.cause;
  }

  #change(state: PayeeState): void {
    this.#state = state;
    if (!this.#detached) this.#group.add(this);
  }

  /** Another channel of the payer has changed, was taken up or left. */
  forgetHistory(): void {
    this.#history = null;
  }

  /** Everything up to now, durable or not. */
  get state(): PayeeState {
    return this.#state;
  }

  /** Takes over what a checkpoint says; `book` is written with it. @throws AceError `StoreFailed` */
  checkpointed(state: PayeeState, book: () => void): Promise<void> {
    this.#checkPaused();
    this.#ended ||= isClosed(state.status);
    this.#change(state);
    return this.commitSoon(book);
  }

  /** Takes over a state that was committed elsewhere. */
  adopt(state: PayeeState): void {
    this.#state = state;
    this.#committed = state;
  }

  /** What a sibling owes narrows the window of all, at once: whatever it commits has the others ask again. */
  #askHistory(): PayerHistory {
    this.#forSiblings((sibling) => {
      if (sibling.dirty) this.#group.now();
    });
    this.#checkPaused();
    if (!this.#history) {
      const inUse: number[] = [];
      this.#forSiblings(({ rowId }) => inUse.push(rowId));
      this.#history = historyOf(this.#context, this.payer, this.#state.channelId, inUse);
    }
    return this.#history;
  }

  /** Most payers have no other channel: then this costs nothing. */
  #forSiblings(each: (sibling: PayeeChannel) => void): void {
    if (this.#ofPayer.size > 1) for (const other of this.#ofPayer) if (other !== this) each(other);
  }

  detach(): void {
    if (this.#detached) return;
    this.#detached = true;
    this.#group.drop(this);
    this.#onRelease();
  }

  /** Another stream takes the channel: its holder is notified. */
  giveUp(): void {
    this.detach();
    this.onTaken?.();
  }
}

function figuresOf(history: PayerHistory, servedUnits: number, paidUnits: number): AccountFigures {
  return {
    paidUnits: paidUnits + history.paidUnits,
    aheadUnits: Math.max(0, servedUnits - paidUnits) + history.unpaidUnits,
  };
}

/** What the payer's account did on all its channels but this one, as far as it is committed; see `PayeeChannelTable.historyOf`. */
export function historyOf(
  { store, nowMs }: PayeeContext,
  payer: string,
  channelId: Uint8Array,
  inUse?: readonly number[],
): PayerHistory {
  const debtSinceMs = nowMs() - DEBT_MEMORY_MS;
  return store.payeeChannels.historyOf({ payer, channelId, debtSinceMs }, inUse);
}
