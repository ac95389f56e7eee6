/**
 * The payee's service: loads a channel, asks the pure rules of `shared/channel/payee.ts`, commits, and only then lets
 * the caller send. Owns the channels on which this node is paid while a stream uses them.
 */

import { LRUCache } from 'lru-cache';
import { sameBytes } from '../../shared/bytes.ts';
import type { SignedLease } from '../../shared/channel/claim.ts';
import { checkpointProof } from '../../shared/channel/equivocation.ts';
import {
  advance,
  allows,
  type ChannelEvent,
  eventOfProgress,
  OPENING,
  type ShardProgress,
} from '../../shared/channel/lifecycle.ts';
import { acceptCheckpoint, acceptTick, isTickDue, type PayeeState } from '../../shared/channel/payee.ts';
import {
  type ChannelTerms,
  type Checkpoint,
  channelIdOf,
  decodeCheckpoint,
  decodeTerms,
  encodeCheckpoint,
  encodeLease,
} from '../../shared/channel/records.ts';
import { AceError } from '../../shared/errors.ts';
import { fromHex, toHex } from '../../shared/hex.ts';
import { homeShard } from '../../shared/home-shard.ts';
import type { PayeeChannelRow } from '../db/node/payee-channels.ts';
import type { ProgressWriter } from '../db/node/payee-progress.ts';
import { sha256 } from '../util/sha256.ts';
import { devicePublicKey, isSignedBy } from '../wallet/device.ts';
import { GroupCommit } from './group-commit.ts';
import { historyOf, PayeeChannel, type PayeeContext } from './payee-channel.ts';
import { SentByChannel } from './sent-pieces.ts';

export type { PayeeChannel, PayeeContext } from './payee-channel.ts';

/** The peer on the other side of a stream, as its certificate proved. */
export interface Counterparty {
  readonly account: string;
  readonly device: Uint8Array;
}

/** Least time between two checkpoints without a payment: a payer says one every 30 s. */
const MIN_CHECKPOINT_MS = 20_000;
const REMEMBERED_CHANNELS = 1_000;

export class PayeeService {
  readonly #context: PayeeContext;
  /** Channels in use, by channel id in hex: one stream each. */
  readonly #active = new Map<string, PayeeChannel>();
  /** The same, by the payer's account. */
  readonly #ofPayer = new Map<string, Set<PayeeChannel>>();
  readonly #group: GroupCommit<ProgressWriter>;
  readonly #sent = new SentByChannel();
  /**
   * Channels, by id in hex, with a checkpoint that was countersigned lately, on a clock that cannot be set; of too many,
   * the one signed longest ago is forgotten.
   */
  readonly #signedLately = new LRUCache<string, true>({ max: REMEMBERED_CHANNELS, ttl: MIN_CHECKPOINT_MS });

  constructor(context: PayeeContext) {
    this.#context = context;
    const { store, nowMs } = context;
    this.#group = new GroupCommit((fill) =>
      store.commit(() => store.payeeChannels.progress.saveAll(nowMs(), fill)),
    );
    const { risk } = context;
    if (!risk) return;
    // What waits for its shard's word looks again.
    risk.onCover = (account) => {
      for (const channel of this.#ofPayer.get(account) ?? []) channel.onLookAgain?.();
    };
  }

  /**
   * Takes up a channel that a payer wants to pay on; a new one is stored first. A channel that another stream still
   * holds is taken from it: the payer reconnected. `origin` is where it comes from, as the provider's risk counts it;
   * `null`: it is no stranger.
   * @throws AceError `MessageMalformed`, `WrongNetwork`, `ChannelMismatch`, `InvalidSignature`, `ChannelUnleased`,
   * `ChannelExpired`, `StoreFailed`
   */
  open(payer: Counterparty, signed: SignedLease, origin: string | null = null): PayeeChannel {
    const { store, nowMs } = this.#context;
    this.expire();
    const terms = decodeTerms(signed.terms);
    const channelId = channelIdOf(signed.terms, sha256);
    this.#checkTerms(channelId, terms, payer, signed);
    const key = toHex(channelId);
    const held = this.#active.get(key);
    if (held && !held.paused) held.commit();
    held?.giveUp();
    if (!store.payeeChannels.get(channelId)) {
      store.commit(() =>
        store.payeeChannels.insert({
          state: freshState(channelId, terms),
          payer: payer.account,
          payerDevice: payer.device,
          ...signed,
          openedAtMs: nowMs(),
        }),
      );
    }
    const row = store.payeeChannels.get(channelId);
    if (!row)
      throw new AceError('ChannelUnknown', 'The channel is gone from the store', {
        reaction: 'pause-channel',
      });
    const channel = this.#use(key, row, origin);
    const { askLease } = this.#context;
    if (askLease) void channel.awaitLease(this.#bookAnswer(channelId, askLease(terms.shard, channelId)));
    return channel;
  }

  /**
   * A payer's device may have been unlinked since the lease was granted: then nothing is served on it. Never rejects: a
   * shard that does not answer has its leases honoured, as ever.
   */
  async #bookAnswer(channelId: Uint8Array, answer: Promise<ShardProgress | null>): Promise<void> {
    try {
      const progress = await answer;
      if (progress) this.receiveProgress(channelId, progress);
    } catch {
      // What is wrong with our own store shows with the next piece.
    }
  }

  #use(key: string, row: PayeeChannelRow, origin: string | null): PayeeChannel {
    const { payer } = row;
    const ofPayer = this.#ofPayer.get(payer) ?? new Set();
    this.#ofPayer.set(payer, ofPayer);
    const onRelease = () => {
      this.#active.delete(key);
      ofPayer.delete(channel);
      // What it owes is not on its way any more: the channels that wait for it are told.
      for (const sibling of ofPayer) {
        sibling.forgetHistory();
        sibling.onLookAgain?.();
      }
      if (ofPayer.size === 0 && this.#ofPayer.get(payer) === ofPayer) this.#ofPayer.delete(payer);
    };
    const channel = new PayeeChannel(this.#context, row, {
      group: this.#group,
      sent: this.#sent.of(key),
      ofPayer,
      origin,
      onRelease,
    });
    for (const sibling of ofPayer) sibling.forgetHistory();
    ofPayer.add(channel);
    this.#active.set(key, channel);
    return channel;
  }

  /**
   * Countersigns a checkpoint of any channel of this payer, open on a stream or not. The same one again gets the same
   * answer.
   * @throws AceError `ChannelUnknown`, `InvalidSignature`, `CheckpointMismatch`, …
   */
  async countersign(
    payer: Counterparty,
    record: Uint8Array,
    payerSignature: Uint8Array,
  ): Promise<Countersigned> {
    const checkpoint = decodeCheckpoint(record);
    const key = toHex(checkpoint.channelId);
    const active = this.#active.get(key);
    // One that is being stored is the last by now: the same again finds it, another one is compared with it.
    if (active && active.state.checkpointNumber !== active.books.checkpointNumber) active.commit();
    const row = this.#context.store.payeeChannels.get(checkpoint.channelId);
    if (!row || !sameBytes(row.payerDevice, payer.device)) {
      // Books restored from an old copy do not know it; the payer does nothing wrong by saying it.
      throw new AceError('ChannelUnknown', 'The checkpoint is of no channel of this payer', {
        reaction: 'ignore',
      });
    }
    if (!isSignedBy(devicePublicKey(row.payerDevice), record, payerSignature)) {
      throw new AceError('InvalidSignature', 'The checkpoint is not signed by the payer', {
        reaction: 'drop-peer',
      });
    }
    const last = row.lastCheckpoint;
    if (last?.checkpoint.number === checkpoint.number) {
      const earlier = { record: encodeCheckpoint(last.checkpoint), signature: last.payerSignature };
      if (last.payeeSignature && sameBytes(earlier.record, record)) {
        return { channelId: row.state.channelId, number: checkpoint.number, signature: last.payeeSignature };
      }
      const later = { record, signature: payerSignature };
      this.#context.observer?.contradicted(checkpointProof(row.terms, earlier, later));
    }
    const before = active?.state ?? row.state;
    const state = acceptCheckpoint(this.#withTick(row.payer, before, checkpoint), checkpoint);
    this.#checkInterval(key, checkpoint, before);
    const signature = this.#context.device.sign(record);
    const { store, nowMs } = this.#context;
    const book = () =>
      store.payeeChannels.saveCheckpoint(state.channelId, {
        checkpoint,
        payerSignature,
        payeeSignature: signature,
      });
    if (active) await active.checkpointed(state, book);
    else {
      store.commit(() => {
        store.payeeChannels.save(state, nowMs());
        book();
      });
    }
    const { terms, termsSignature, leaseSignature } = row;
    this.#context.observer?.countersigned({ terms, termsSignature, leaseSignature, record, payerSignature });
    // The tick it carried may have paid on a channel that no stream uses.
    for (const other of this.#ofPayer.get(row.payer) ?? []) other.forgetHistory();
    return { channelId: state.channelId, number: checkpoint.number, signature };
  }

  /** Signing and storing costs: a checkpoint that pays for nothing new has to wait for its time. */
  #checkInterval(key: string, { final, units }: Checkpoint, before: PayeeState): void {
    if (!final && units <= before.checkpointUnits && this.#signedLately.has(key)) {
      throw new AceError('TooManyRequests', 'Checkpoints that pay for nothing come too often', {
        reaction: 'drop-peer',
      });
    }
    this.#signedLately.set(key, true);
  }

  /** The shard will never pay for this channel: nothing more is served on it. @throws AceError `StoreFailed` */
  claimRefused(channelId: Uint8Array): void {
    this.#apply(channelId, () => 'disputed');
  }

  /** Channels whose time is over get no further. @throws AceError `StoreFailed` */
  expire(): void {
    const { store, nowMs, clock } = this.#context;
    if (clock?.isRight === false) return;
    for (const channelId of store.payeeChannels.expired(nowMs())) this.#apply(channelId, () => 'expired');
  }

  /**
   * What the shard says it has on a channel; it counts no further than our ticks. The answer is whether the shard knows
   * less than it confirmed. @throws AceError `StoreFailed`
   */
  receiveProgress(channelId: Uint8Array, progress: ShardProgress): boolean {
    const { payeeChannels } = this.#context.store;
    const row = payeeChannels.get(channelId);
    if (!row) return false;
    const knowsLess = progress.claimedUnits < row.claimedUnits || isTakenBack(row.state, progress);
    this.#apply(
      channelId,
      ({ status, paidUnits }) => eventOfProgress(status, progress, paidUnits),
      ({ paidUnits }) => payeeChannels.setClaimed(channelId, Math.min(progress.claimedUnits, paidUnits)),
    );
    return knowsLess;
  }

  /** Books an event that no message of the payer brought, and `also` with it; one that cannot happen any more is passed over. */
  #apply(
    channelId: Uint8Array,
    eventFor: (state: PayeeState) => ChannelEvent | null,
    also: (state: PayeeState) => void = () => undefined,
  ): void {
    const { store, nowMs } = this.#context;
    const active = this.#active.get(toHex(channelId));
    if (active && !active.paused) active.commit();
    const before = store.payeeChannels.get(channelId)?.state;
    if (!before) return;
    const event = eventFor(before);
    const state = event && allows(before.status, event) ? advance(before, event) : before;
    store.commit(() => {
      if (state !== before) store.payeeChannels.save(state, nowMs());
      also(state);
    });
    if (state !== before) active?.adopt(state);
  }

  /** A checkpoint carries its tick: one that we were killed before we stored is booked with it. */
  #withTick(payer: string, state: PayeeState, { units, tick }: Checkpoint): PayeeState {
    if (units <= state.paidUnits) return state;
    const { nowMs, clock } = this.#context;
    if (!isTickDue(state, false, nowMs()) && clock?.isRight !== false) {
      throw new AceError('ChannelExpired', 'The checkpoint pays when nobody can claim it any more', {
        reaction: 'ignore',
      });
    }
    const { windowCapUnits } = this.#context;
    const history = historyOf(this.#context, payer, state.channelId);
    return acceptTick(state, { index: units, tick }, { history, windowCapUnits, sha256 });
  }

  #checkTerms(channelId: Uint8Array, terms: ChannelTerms, payer: Counterparty, signed: SignedLease): void {
    const { settings, account, device, nowMs } = this.#context;
    if (terms.networkId !== settings.networkId) {
      throw new AceError('WrongNetwork', `Terms of network ${terms.networkId}`, { reaction: 'drop-peer' });
    }
    const mine = terms.payee === account && sameBytes(terms.payeeDevice, device.publicKey);
    const theirs = terms.payer === payer.account && sameBytes(terms.payerDevice, payer.device);
    if (!mine || !theirs) {
      throw new AceError('ChannelMismatch', 'The terms are between other parties', { reaction: 'drop-peer' });
    }
    if (!isSignedBy(devicePublicKey(terms.payerDevice), signed.terms, signed.termsSignature)) {
      throw new AceError('InvalidSignature', 'The terms are not signed by the payer', {
        reaction: 'drop-peer',
      });
    }
    // Another shard's word is worth nothing: the main chain would not have this payer pay.
    if (terms.shard !== homeShard(terms.payer, settings.validatorKeys.length, sha256)) {
      throw new AceError('ChannelUnleased', 'The terms are not of the payer’s home shard', {
        reaction: 'drop-peer',
      });
    }
    this.#context.checkShard?.(terms.shard);
    this.#context.observer?.termsShown(terms, signed.terms, signed.termsSignature);
    const validatorKey = settings.validatorKeys[terms.shard];
    const { capacityUnits, expiresAtMs, shard } = terms;
    const lease = encodeLease({ channelId, shard, capacityUnits, expiresAtMs });
    if (
      validatorKey === undefined ||
      !isSignedBy(devicePublicKey(fromHex(validatorKey)), lease, signed.leaseSignature)
    ) {
      throw new AceError('ChannelUnleased', 'The payer’s shard did not lease this channel', {
        reaction: 'drop-peer',
      });
    }
    if (terms.expiresAtMs <= nowMs()) throw new AceError('ChannelExpired', 'The channel has expired');
  }
}

function isTakenBack({ status, paidUnits }: PayeeState, progress: ShardProgress): boolean {
  return eventOfProgress(status, progress, paidUnits) === 'unclaimed';
}

export interface Countersigned {
  readonly channelId: Uint8Array;
  readonly number: number;
  readonly signature: Uint8Array;
}

function freshState(channelId: Uint8Array, terms: ChannelTerms): PayeeState {
  return {
    channelId,
    capacityUnits: terms.capacityUnits,
    expiresAtMs: terms.expiresAtMs,
    paidUnits: 0,
    tick: terms.anchor,
    servedBytes: 0,
    checkpointNumber: 0,
    checkpointUnits: 0,
    // A payee hears of a channel with its lease.
    ...advance(OPENING, 'leased'),
  };
}
