/** One payee's channel while a stream uses it: decisions of `shared/channel/payee.ts`, made durable before they are acted on. */
import {
  acceptTick,
  type PayeeState,
  type PayerHistory,
  serve,
  servingObstacle,
} from '../../shared/channel/payee.ts';
import { AceError, isAceError } from '../../shared/errors.ts';
import type { NetworkSettings } from '../../shared/settings.ts';
import { TRAFFIC_UNIT_BYTES } from '../../shared/units.ts';
import type { PayeeChannelRow } from '../db/node/payee-channels.ts';
import type { NodeStore } from '../db/node/store.ts';
import type { DeviceIdentity } from '../wallet/device.ts';
import type { SentPiece, SentPieces } from './sent-pieces.ts';
import { sha256 } from './sha256.ts';

/**
 * An unpaid unit narrows its payer's window for this long after the channel served last; then it is forgotten. One
 * window a day is the most lost.
 */
const DEBT_MEMORY_MS = 24 * 3_600_000;

export interface PayeeContext {
  readonly store: NodeStore;
  readonly settings: NetworkSettings;
  readonly account: string;
  readonly device: DeviceIdentity;
  readonly windowCapUnits: number;
  readonly nowMs: () => number;
}

/** One channel in use by one stream. Changes gather in memory; nothing of them may be acted on before `commit`. */
export class PayeeChannel {
  readonly payer: string;
  readonly #context: PayeeContext;
  readonly #sent: SentPieces;
  /** Whether this stream has asked for a piece. The ticks that a payer says again come before that. */
  #asked = false;
  /** The same account's other channels that are in use now. */
  readonly #siblings: () => readonly PayeeChannel[];
  /** What the other channels say, until one of them commits something. */
  #history: PayerHistory | null = null;
  /** Pieces that the next commit books. */
  #unsaid: SentPiece[] = [];
  readonly #onRelease: () => void;
  #state: PayeeState;
  #committed: PayeeState;
  #detached = false;
  /** Called when another stream takes the channel. */
  onTaken: (() => void) | null = null;
  /** Called when the payer has paid on another of its channels: the window may be wider. */
  onSiblingPaid: (() => void) | null = null;

  constructor(
    context: PayeeContext,
    row: PayeeChannelRow,
    sent: SentPieces,
    siblings: () => readonly PayeeChannel[],
    onRelease: () => void,
  ) {
    this.#context = context;
    this.#sent = sent;
    this.#siblings = siblings;
    this.#onRelease = onRelease;
    this.#state = row.state;
    this.#committed = row.state;
    this.payer = row.payer;
  }

  /** Units paid and bytes served, as committed. */
  get books(): { readonly paidUnits: number; readonly servedBytes: number } {
    return this.#committed;
  }

  /** A final checkpoint was countersigned. */
  get closed(): boolean {
    return this.#committed.status === 'closed';
  }

  get dirty(): boolean {
    return this.#state !== this.#committed;
  }

  /** A late or repeated tick changes nothing. @throws AceError `TickWrong`, `TickBeyondWindow`, `TickBeyondCapacity`, … */
  tick(index: number, tick: Uint8Array): void {
    try {
      const history = this.#askHistory();
      this.#state = acceptTick(this.#state, history, index, tick, this.#context.windowCapUnits, sha256);
    } catch (error) {
      if (!isAceError(error, 'TickNotIncreasing')) throw error;
      return;
    }
    for (const sibling of this.#siblings()) sibling.onSiblingPaid?.();
  }

  /** Whether the piece was booked before a reconnection and may be sent again without being booked. */
  isOwed(key: string): boolean {
    const { servedBytes, paidUnits } = this.#state;
    if (!this.#asked) this.#sent.reopened(servedBytes - paidUnits * TRAFFIC_UNIT_BYTES);
    this.#asked = true;
    return this.#sent.isOwed(key);
  }

  obstacle(lengthBytes: number): ReturnType<typeof servingObstacle> {
    const { windowCapUnits, nowMs } = this.#context;
    return servingObstacle(this.#state, this.#askHistory(), lengthBytes, nowMs(), windowCapUnits);
  }

  /** Books bytes that will be sent after the next commit. The caller has just asked `obstacle`, without a pause. */
  serve(lengthBytes: number, pieces: readonly SentPiece[]): void {
    this.#unsaid.push(...pieces);
    this.#state = serve(this.#state, lengthBytes);
  }

  /** Makes everything durable; `also` is written in the same transaction. @throws AceError `StoreFailed` */
  commit(also?: () => void): void {
    if (this.#detached) throw new AceError('ChannelClosed', 'Another stream has taken the channel');
    if (!this.dirty && !also) return;
    const { store, nowMs } = this.#context;
    const state = this.#state;
    store.commit(() => {
      store.payeeChannels.save(state, nowMs());
      also?.();
    });
    this.#committed = state;
    // Only now: what was never booked is never owed.
    for (const piece of this.#unsaid.splice(0)) this.#sent.add(piece);
    for (const sibling of this.#siblings()) sibling.forgetHistory();
  }

  /** Another channel of the payer has changed. */
  forgetHistory(): void {
    this.#history = null;
  }

  /** Takes over a state that was committed elsewhere (a checkpoint). */
  adopt(state: PayeeState): void {
    this.#state = state;
    this.#committed = state;
  }

  /** What a sibling owes narrows the window of all, at once: whatever it commits has the others ask again. */
  #askHistory(): PayerHistory {
    for (const sibling of this.#siblings()) sibling.commit();
    this.#history ??= historyOf(this.#context, this.payer, this.#state.channelId);
    return this.#history;
  }

  detach(): void {
    if (this.#detached) return;
    this.#detached = true;
    this.#onRelease();
  }

  /** Another stream takes the channel: whoever holds it is told. */
  giveUp(): void {
    this.detach();
    this.onTaken?.();
  }
}

/** What the payer's account did on all its channels but this one, as far as it is committed. */
export function historyOf(
  { store, nowMs }: PayeeContext,
  payer: string,
  channelId: Uint8Array,
): PayerHistory {
  return store.payeeChannels.historyOf(payer, channelId, nowMs() - DEBT_MEMORY_MS);
}
