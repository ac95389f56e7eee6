/**
 * The payer's service: opens leased channels, books verified bytes, reveals ticks, makes checkpoints. Loads a channel,
 * asks the pure rules of `shared/channel/payer.ts`, commits, and only then hands out what may be sent.
 */

import { randomBytes } from 'node:crypto';
import { sameBytes } from '../../shared/bytes.ts';
import { type BooksName, compareBooks, type PayeeFigures } from '../../shared/channel/books.ts';
import {
  advance,
  allows,
  type ChannelEvent,
  eventOfProgress,
  type ShardProgress,
} from '../../shared/channel/lifecycle.ts';
import { DEFAULT_WINDOW_CAP_UNITS } from '../../shared/channel/payee.ts';
import { newPayerState, roomBytes } from '../../shared/channel/payer.ts';
import {
  channelIdOf,
  encodeCheckpoint,
  encodeTerms,
  HASH_BYTES,
  MAX_CAPACITY_UNITS,
} from '../../shared/channel/records.ts';
import { TickChain } from '../../shared/channel/tick-chain.ts';
import { isCount } from '../../shared/count.ts';
import { AceError, type ErrorCode, isAceError } from '../../shared/errors.ts';
import { toHex } from '../../shared/hex.ts';
import type { PayerChannelRow } from '../db/node/payer-channels.ts';
import { KeyedRateLimiter } from '../util/rate-limiter.ts';
import { sha256 } from '../util/sha256.ts';
import { devicePublicKey, isSignedBy } from '../wallet/device.ts';
import type { Counterparty } from './payee.ts';
import {
  EXPIRY_MARGIN_MS,
  PayerChannel,
  type PayerContext,
  type Payment,
  type SentCheckpoint,
} from './payer-channel.ts';

export { PayerChannel, type WatchTime } from './payer-channel.ts';

/** Life of a channel: long enough for any evening, short enough that an abandoned lease comes back the same day. */
const CHANNEL_LIFE_MS = 12 * 3_600_000;
const LEASE_ATTEMPTS = 3;
/** What a shard will not lease on these terms: they are forgotten, and others may do. */
const REFUSED: ReadonlySet<ErrorCode> = new Set(['CreditExhausted', 'LeaseRefused', 'DeviceDisputed']);
/** Channels left on a payee's word: a clock set wrong twice or a disk restored is forgiven, a habit is not. */
const ABANDON_RATE = { perSecond: 1 / 3_600, burst: 2 };
/** This long after its expiry no claim on a channel is taken any more: its last checkpoint is not sent again. */
const GRACE_MS = 3_600_000;

/** What a provider can have sent and we not got is more than any window and what is on the wire. */
const BOOK_LIMITS = { behindUnits: DEFAULT_WINDOW_CAP_UNITS, lostUnits: 16 };

export interface Reconciled {
  /** The deepest tick, which the payee lacks. */
  readonly payment: Payment | null;
  /** Bytes that the payee booked and we never got nor paid: they use up its side of the capacity. */
  readonly lostBytes: number;
}

export class PayerService {
  readonly #context: PayerContext;
  /**
   * Channels that a session pays on, by channel id in hex: one session each, so that none pays on stale state. `null`
   * while the lease is asked for.
   */
  readonly #inUse = new Map<string, PayerChannel | null>();
  /** The last lease that was asked for was refused for want of credit. */
  #exhausted = false;
  /** How often each payee's word may cost us a lease. */
  readonly #abandoned: KeyedRateLimiter;

  constructor(context: PayerContext) {
    this.#context = context;
    this.#abandoned = new KeyedRateLimiter(ABANDON_RATE, () => performance.now());
  }

  /** Who pays. */
  get account(): string {
    return this.#context.account;
  }

  /**
   * The open channel to this provider that no other session uses, or a new one for up to `wantedUnits`, as many as the
   * shard can lease. The caller releases it.
   * @throws AceError `CreditExhausted` (nothing can be leased), `LeaseRefused`, `OwnClockWrong`, `ShardUnavailable`,
   * `StoreFailed`
   */
  async channelTo(payee: Counterparty, wantedUnits: number): Promise<PayerChannel> {
    const { store, nowMs } = this.#context;
    this.expire();
    const open = store.payerChannels
      .usable(payee.device, nowMs() + EXPIRY_MARGIN_MS)
      .find((row) => roomBytes(row.state) > 0 && !this.#inUse.has(toHex(row.state.channelId)));
    if (open) return this.#use(open, false);
    return this.#openNew(payee, wantedUnits);
  }

  #use(row: PayerChannelRow, isNew: boolean): PayerChannel {
    const key = toHex(row.state.channelId);
    const channel = new PayerChannel(this.#context, row, isNew, () => this.#inUse.delete(key));
    this.#inUse.set(key, channel);
    return channel;
  }

  /**
   * The books of a channel are apart, or the payee has ended it: neither it nor what else is open to the payee and in no
   * other session's use is ever paid on again. Not more often for an account than `ABANDON_RATE`, because a lie about it
   * costs us a lease: then nothing is left and the answer is false. @throws AceError `StoreFailed`
   */
  abandonChannels(payee: Counterparty, channelId: Uint8Array): boolean {
    if (this.#abandoned.take(payee.account).retryAfterMs > 0) return false;
    const left = this.#context.store.payerChannels
      .usable(payee.device, 0)
      .filter(
        ({ state }) => sameBytes(state.channelId, channelId) || !this.#inUse.has(toHex(state.channelId)),
      );
    this.#apply(left, 'disputed');
    return true;
  }

  /**
   * Brings the payee's books and ours together when it has taken the channel up. The answer is the tick to say again and
   * the bytes that stay lost, or that the channel was left: another one does not need it.
   * @throws AceError `CheckpointMismatch` when the payee's books are false, `StoreFailed`
   */
  reconcile(payee: Counterparty, channel: PayerChannel, books: PayeeFigures): Reconciled | 'left' {
    const { name } = compareBooks({ ...channel.state, unused: channel.isNew }, books, BOOK_LIMITS);
    switch (name) {
      case 'agree':
      case 'payee-behind':
      case 'lost-bytes':
        break;
      case 'payee-ahead':
      case 'apart':
        // One side's books are an old copy: either ticks would be sent again, or none of ours leads back to its own.
        if (this.abandonChannels(payee, channel.state.channelId)) return 'left';
        if (name === 'payee-ahead') throw falseBooks(name);
        break;
      case 'false':
        throw falseBooks(name);
    }
    const last = channel.writeOff(books.servedBytes) ?? channel.lastPayment();
    const { verifiedBytes, lostBytes } = channel.state;
    return {
      payment: last && last.index > books.paidUnits ? last : null,
      lostBytes: Math.max(0, books.servedBytes - verifiedBytes - lostBytes),
    };
  }

  /**
   * Channels whose time is over get no further; one in use is looked at when it is free. A clock that is wrong ends none.
   * @throws AceError `StoreFailed`
   */
  expire(): void {
    const { store, nowMs, clock } = this.#context;
    if (clock && !clock.isRight) return;
    const free = (row: PayerChannelRow) => !this.#inUse.has(toHex(row.state.channelId));
    // Made while the clock was ahead: the shard would not lease them for so long, and nobody may ask for them again.
    const ahead = store.payerChannels
      .openingsBeyond(nowMs() + CHANNEL_LIFE_MS + EXPIRY_MARGIN_MS)
      .filter(free);
    if (ahead.length > 0) {
      store.commit(() => {
        for (const { state } of ahead) store.payerChannels.deleteUnleased(state.channelId);
      });
    }
    this.#apply(store.payerChannels.expired(nowMs()).filter(free), 'expired');
    // No claim on them is taken any more: the final checkpoint is not sent again.
    this.#apply(store.payerChannels.unsignable(nowMs() - GRACE_MS), 'grace-over');
  }

  /**
   * What the shard says it has on a channel. The answer is whether it knows less than it confirmed.
   * @throws AceError `StoreFailed`
   */
  receiveProgress(channelId: Uint8Array, progress: ShardProgress): boolean {
    const row = this.#context.store.payerChannels.get(channelId);
    if (!row || this.#inUse.has(toHex(channelId))) return false;
    const event = eventOfProgress(row.state.status, progress, progress.claimedUnits);
    if (event) this.#apply([row], event);
    return event === 'unclaimed';
  }

  /** The shard refuses the final checkpoint. @throws AceError `StoreFailed` */
  claimRefused(channelId: Uint8Array): void {
    const row = this.#context.store.payerChannels.get(channelId);
    if (row && allows(row.state.status, 'disputed')) this.#apply([row], 'disputed');
  }

  #apply(rows: readonly PayerChannelRow[], event: ChannelEvent): void {
    if (rows.length === 0) return;
    const { store, nowMs } = this.#context;
    const states = rows.map(({ state }) => advance(state, event));
    store.commit(() => {
      for (const state of states) store.payerChannels.save(state, nowMs());
    });
    for (const state of states) this.#inUse.get(toHex(state.channelId))?.adopt(state);
  }

  /** Final checkpoints that this provider has not countersigned yet: sent again at the next meeting. @throws AceError `StoreFailed` */
  unansweredCheckpoints(payeeDevice: Uint8Array): SentCheckpoint[] {
    this.expire();
    return this.#context.store.payerChannels.uncountersigned(payeeDevice).flatMap(({ lastCheckpoint }) =>
      lastCheckpoint
        ? [
            {
              record: encodeCheckpoint(lastCheckpoint.checkpoint),
              signature: lastCheckpoint.payerSignature,
            },
          ]
        : [],
    );
  }

  /** Books the payee's countersignature of the latest checkpoint. @throws AceError `InvalidSignature`, `ChannelUnknown` */
  countersigned(payeeDevice: Uint8Array, channelId: Uint8Array, number: number, signature: Uint8Array): void {
    const { store } = this.#context;
    const row = store.payerChannels.get(channelId);
    const last = row?.lastCheckpoint;
    if (!row || !last || !sameBytes(row.payeeDevice, payeeDevice)) {
      throw new AceError('ChannelUnknown', 'A countersignature for no checkpoint of ours', {
        reaction: 'drop-peer',
      });
    }
    if (last.checkpoint.number !== number) return; // a newer one is on its way
    if (!isSignedBy(devicePublicKey(payeeDevice), encodeCheckpoint(last.checkpoint), signature)) {
      throw new AceError('InvalidSignature', 'The checkpoint is not countersigned by the payee', {
        reaction: 'drop-peer',
      });
    }
    store.commit(() => store.payerChannels.setCountersignature(channelId, signature));
    const { terms, termsSignature, leaseSignature } = row;
    const { payerSignature } = last;
    const record = encodeCheckpoint(last.checkpoint);
    if (leaseSignature)
      this.#context.observer?.countersigned({
        terms,
        termsSignature,
        leaseSignature,
        record,
        payerSignature,
      });
  }

  async #openNew(payee: Counterparty, wantedUnits: number): Promise<PayerChannel> {
    const { store, leases, account, nowMs, clock } = this.#context;
    await clock?.check();
    const unanswered = store.payerChannels.unanswered(payee.device, nowMs() + EXPIRY_MARGIN_MS);
    if (unanswered && !this.#inUse.has(toHex(unanswered.state.channelId))) {
      const answer = await this.#ask(unanswered).catch((error: unknown) => {
        // It is forgotten by now: made at another time, or by a clock that was wrong.
        if (!isAceError(error, 'LeaseRefused')) throw error;
      });
      if (answer instanceof PayerChannel) return answer;
    }
    // A shard that refused last time is asked for the figure first; else the lease itself is asked for, a round trip less.
    let leasableUnits = this.#exhausted ? await leases.leasableUnits(account) : wantedUnits;
    for (let attempt = 1; attempt <= LEASE_ATTEMPTS; attempt++) {
      const capacityUnits = Math.min(wantedUnits, leasableUnits, MAX_CAPACITY_UNITS);
      if (capacityUnits < 1) break;
      const answer = await this.#ask(this.#storeNew(payee, capacityUnits));
      this.#exhausted = !(answer instanceof PayerChannel);
      if (answer instanceof PayerChannel) return answer;
      leasableUnits = answer.leasableUnits;
    }
    throw new AceError('CreditExhausted', 'The credit is used up and there are no funds: top up to go on', {
      reaction: 'pause-channel',
    });
  }

  /**
   * Asks the shard to lease a stored channel. A refusal forgets the channel; an answer that gets lost may have reserved
   * the units, so the channel stays and is asked for again. The answer to a want of credit is what can be leased.
   */
  async #ask(row: PayerChannelRow): Promise<PayerChannel | { readonly leasableUnits: number }> {
    const { store, leases, nowMs } = this.#context;
    const { channelId } = row.state;
    const key = toHex(channelId);
    this.#inUse.set(key, null);
    try {
      const signature = await leases.lease(row.terms, row.termsSignature);
      const state = advance(row.state, 'leased');
      store.commit(() => {
        store.payerChannels.setLease(channelId, signature);
        store.payerChannels.save(state, nowMs());
      });
      return this.#use({ ...row, state, leaseSignature: signature }, true);
    } catch (error) {
      this.#inUse.delete(key);
      if (!isAceError(error) || !REFUSED.has(error.code)) throw error;
      store.commit(() => store.payerChannels.deleteUnleased(channelId));
      if (error.code !== 'CreditExhausted') throw error;
      const units = Number(error.details.leasableUnits ?? 0);
      return { leasableUnits: isCount(units) ? units : 0 };
    }
  }

  /** Makes and stores a channel, hash chain included, before its terms leave this node. */
  #storeNew(payee: Counterparty, capacityUnits: number): PayerChannelRow {
    const { store, settings, account, device, leases, nowMs } = this.#context;
    const chain = TickChain.fromSeed(randomBytes(HASH_BYTES), capacityUnits, sha256);
    const openedAtMs = nowMs();
    const terms = {
      networkId: settings.networkId,
      shard: leases.shard,
      payer: account,
      payee: payee.account,
      payerDevice: device.publicKey,
      payeeDevice: payee.device,
      capacityUnits,
      anchor: chain.anchor,
      expiresAtMs: openedAtMs + CHANNEL_LIFE_MS,
      nonce: new Uint8Array(randomBytes(16)),
    };
    const bytes = encodeTerms(terms);
    const channelId = channelIdOf(bytes, sha256);
    store.commit(() =>
      store.payerChannels.insert({
        state: newPayerState(channelId, terms, openedAtMs),
        payee: payee.account,
        payeeDevice: payee.device,
        terms: bytes,
        termsSignature: device.sign(bytes),
        pebbles: chain.pebbles,
        openedAtMs,
      }),
    );
    const row = store.payerChannels.get(channelId);
    if (!row) throw new AceError('ChannelUnknown', 'The new channel is gone from the store');
    return row;
  }
}

function falseBooks(name: BooksName): AceError {
  return new AceError('CheckpointMismatch', 'The provider claims what was never revealed or asked for', {
    reaction: 'drop-peer',
    details: { books: name },
  });
}
