/** One payer's channel while a session pays on it: decisions of `shared/channel/payer.ts`, made durable, then handed out to send. */
import type { SignedLease } from '../../shared/channel/claim.ts';
import { advance, allows, mayPay, resumed } from '../../shared/channel/lifecycle.ts';
import {
  checkpointDue,
  makeCheckpoint,
  type PayerState,
  prepay,
  receive,
  roomBytes,
  WRITE_OFF_PERIOD_MS,
  writeOff,
} from '../../shared/channel/payer.ts';
import { encodeCheckpoint } from '../../shared/channel/records.ts';
import { TickChain } from '../../shared/channel/tick-chain.ts';
import type { NetworkSettings } from '../../shared/economy/settings.ts';
import { AceError } from '../../shared/errors.ts';
import type { PayerChannelRow } from '../db/node/payer-channels.ts';
import type { NodeStore } from '../db/node/store.ts';
import { sha256 } from '../util/sha256.ts';
import type { DeviceIdentity } from '../wallet/device.ts';
import type { ChannelObserver } from './observer.ts';

/** A channel that expires this soon is not used for new requests. */
export const EXPIRY_MARGIN_MS = 10 * 60_000;

/** The payer's home shard, as far as this service needs it. */
export interface LeaseSource {
  readonly shard: number;
  /** @throws AceError `ShardUnavailable` */
  leasableUnits(account: string): Promise<number>;
  /** The shard's signature. @throws AceError `CreditExhausted` with `leasableUnits`, `LeaseRefused`, `ShardUnavailable` */
  lease(terms: Uint8Array, termsSignature: Uint8Array): Promise<Uint8Array>;
}

/** Whether this computer's clock can be believed. */
export interface PayerClock {
  readonly isRight: boolean;
  /** @throws AceError `OwnClockWrong` when it is too far off to open a channel by it */
  check(): Promise<void>;
}

export interface PayerContext {
  readonly store: NodeStore;
  readonly settings: NetworkSettings;
  readonly account: string;
  readonly device: DeviceIdentity;
  readonly leases: LeaseSource;
  readonly nowMs: () => number;
  /** Left out: it is right. */
  readonly clock?: PayerClock;
  readonly observer?: ChannelObserver;
}

/** What goes to the payee after a commit. */
export interface Payment {
  readonly index: number;
  readonly tick: Uint8Array;
}

export interface SentCheckpoint {
  readonly record: Uint8Array;
  readonly signature: Uint8Array;
}

/** Milliseconds that a content was watched and that no checkpoint has reported yet. */
export interface WatchTime {
  readonly unreportedMs: number;
  /** Gives them, once. */
  report(): number;
}

/** One leased channel while a stream pays on it. */
export class PayerChannel {
  readonly terms: SignedLease;
  readonly #context: PayerContext;
  /** Opened for this session: the provider has never seen it. */
  readonly isNew: boolean;
  readonly #chain: TickChain;
  readonly #payee: string;
  #onRelease: () => void;
  #state: PayerState;

  constructor(context: PayerContext, row: PayerChannelRow, isNew: boolean, onRelease: () => void) {
    if (!row.leaseSignature) throw new AceError('ChannelUnleased', 'The channel has no lease');
    this.#context = context;
    this.isNew = isNew;
    this.#onRelease = onRelease;
    this.#payee = row.payee;
    this.#state = row.state;
    this.#chain = TickChain.fromPebbles(row.pebbles, row.state.capacityUnits, sha256);
    this.terms = { terms: row.terms, termsSignature: row.termsSignature, leaseSignature: row.leaseSignature };
  }

  get state(): PayerState {
    return this.#state;
  }

  /** Left for good while in use: what still arrives is not paid, because the payee takes no payment any more. */
  get disputed(): boolean {
    return this.#state.status === 'disputed';
  }

  /** Bytes that the channel can still carry. */
  get roomBytes(): number {
    return mayPay(this.#state.status) ? roomBytes(this.#state) : 0;
  }

  /**
   * Books verified bytes together with `also` (the piece) and gives the tick to send, `null` when they were paid
   * already. @throws AceError `StoreFailed`: then nothing may be sent
   */
  pay(verifiedBytes: number, video: boolean, also: () => void): Payment | null {
    const state = resumed(this.#state, 'store-failed');
    return this.#advance(receive(state, verifiedBytes, video), also);
  }

  /** Bytes that may still be asked for: none when the channel ends soon, so that what is under way is paid and closed in time. */
  get askableBytes(): number {
    return this.#state.expiresAtMs - EXPIRY_MARGIN_MS > this.#context.nowMs() ? this.roomBytes : 0;
  }

  /** Another session may use the channel from now on. */
  release(): void {
    this.#onRelease();
    this.#onRelease = () => undefined;
  }

  /** Pays what the provider sent and the connection lost, within what may be written off to one account and to all. */
  writeOff(servedBytes: number): Payment | null {
    const { store, nowMs } = this.#context;
    const { channelId } = this.#state;
    const lost = store.payerChannels.lostElsewhere(this.#payee, channelId, nowMs() - WRITE_OFF_PERIOD_MS);
    return this.#advance(writeOff(this.#state, servedBytes, lost), () => undefined);
  }

  /**
   * Pays a unit before it comes, as far as a unit may be lost to the provider; `null` when it may not, or one is paid
   * ahead already. @throws AceError `StoreFailed`
   */
  prepay(): Payment | null {
    if (!mayPay(this.#state.status)) return null;
    const { store, nowMs } = this.#context;
    const { channelId } = this.#state;
    const lost = store.payerChannels.lostElsewhere(this.#payee, channelId, nowMs() - WRITE_OFF_PERIOD_MS);
    const next = prepay(this.#state, lost);
    return next && this.#advance(next, () => undefined);
  }

  /** The deepest tick: for a provider whose books lag behind ours. `null` while nothing was paid. */
  lastPayment(): Payment | null {
    const index = this.#state.revealedUnits;
    return index === 0 ? null : { index, tick: this.#chain.tick(index) };
  }

  /** The checkpoint that is due by count or time, or the final one, with new watch time; `null` when none is due. */
  checkpoint(final: boolean, watchTime: WatchTime): SentCheckpoint | null {
    const { store, device, nowMs } = this.#context;
    const due = final || checkpointDue(this.#state, watchTime.unreportedMs, nowMs());
    if (!mayPay(this.#state.status) || !due) return null;
    const watched = { ...this.#state, watchMs: this.#state.watchMs + watchTime.report() };
    const made = makeCheckpoint(watched, this.#chain.tick(this.#state.revealedUnits), final, nowMs());
    const record = encodeCheckpoint(made.checkpoint);
    const signature = device.sign(record);
    this.#commit(made.state, () =>
      store.payerChannels.saveCheckpoint(made.state.channelId, {
        checkpoint: made.checkpoint,
        payerSignature: signature,
        payeeSignature: null,
      }),
    );
    return { record, signature };
  }

  /** Takes over a state that was committed elsewhere (a dispute). */
  adopt(state: PayerState): void {
    this.#state = state;
  }

  #advance(next: PayerState, also: () => void): Payment | null {
    const before = this.#state.revealedUnits;
    this.#commit(next, also);
    return next.revealedUnits > before ? this.lastPayment() : null;
  }

  /** A state that cannot be written is not taken over: the channel pauses with what it had. */
  #commit(next: PayerState, also: () => void): void {
    const { store, nowMs } = this.#context;
    try {
      store.commit(() => {
        store.payerChannels.save(next, nowMs());
        also();
      });
    } catch (error) {
      if (allows(this.#state.status, 'store-failed')) this.#state = advance(this.#state, 'store-failed');
      throw error;
    }
    this.#state = next;
  }
}
