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
import { unitsForBytes } from '../../shared/units.ts';
import type { PayeeChannelRow } from '../db/node/payee-channels.ts';
import type { NodeStore } from '../db/node/store.ts';
import type { DeviceIdentity } from '../wallet/device.ts';
import type { SentPieces } from './sent-pieces.ts';
import { sha256 } from './sha256.ts';

/** An unpaid unit narrows its payer's window for this long; then it is forgotten. One window a day is the most lost. */
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
  /** What the other channels say, while none of them is in use and can change it. */
  #quietHistory: PayerHistory | null = null;
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
      const history = this.#history();
      this.#state = acceptTick(this.#state, history, index, tick, this.#context.windowCapUnits, sha256);
    } catch (error) {
      if (!isAceError(error, 'TickNotIncreasing')) throw error;
      return;
    }
    for (const sibling of this.#siblings()) sibling.onSiblingPaid?.();
  }

  /** Whether the piece was booked before a reconnection and may be sent again without being booked. */
  isOwed(key: string): boolean {
    if (!this.#asked) this.#sent.reopened(unitsForBytes(this.#state.servedBytes) - this.#state.paidUnits);
    this.#asked = true;
    return this.#sent.isOwed(key);
  }

  obstacle(lengthBytes: number): ReturnType<typeof servingObstacle> {
    const { windowCapUnits, nowMs } = this.#context;
    return servingObstacle(this.#state, this.#history(), lengthBytes, nowMs(), windowCapUnits);
  }

  /** Books bytes that will be sent after the next commit. The caller has just asked `obstacle`, without a pause. */
  serve(lengthBytes: number, keys: readonly string[]): void {
    for (const key of keys) {
      if (this.#sent.isOwed(key)) this.#sent.take(key);
      else this.#sent.add(key);
    }
    this.#state = serve(this.#state, lengthBytes);
  }

  /** Makes everything durable; `also` is written in the same transaction. @throws AceError `StoreFailed` */
  commit(also?: () => void): void {
    if (this.#detached) throw new AceError('ChannelClosed', 'Another stream has taken the channel');
    if (!this.dirty && !also) return;
    const { store } = this.#context;
    const state = this.#state;
    store.commit(() => {
      store.payeeChannels.save(state);
      also?.();
    });
    this.#committed = state;
  }

  /** Takes over a state that was committed elsewhere (a checkpoint). */
  adopt(state: PayeeState): void {
    this.#state = state;
    this.#committed = state;
  }

  /** Asked anew while siblings are in use: what one of them owes narrows the window of all, at once. */
  #history(): PayerHistory {
    const siblings = this.#siblings();
    if (siblings.length === 0 && this.#quietHistory) return this.#quietHistory;
    for (const sibling of siblings) sibling.commit();
    const history = historyOf(this.#context, this.payer, this.#state.channelId);
    this.#quietHistory = siblings.length === 0 ? history : null;
    return history;
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
