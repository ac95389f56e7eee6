/**
 * The payee's service: loads a channel, asks the pure rules of `shared/channel/payee.ts`, commits, and only then lets
 * the caller send. Owns the channels on which this node is paid while a stream uses them.
 */
import { checkpointProof } from '../../shared/channel/equivocation.ts';
import {
  advance,
  allows,
  type ChannelEvent,
  eventOfWord,
  OPENING,
  type ShardWord,
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
import { sameBytes } from '../../shared/channel/tuple.ts';
import { AceError } from '../../shared/errors.ts';
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

export interface SignedTerms {
  /** Canonical bytes. */
  readonly terms: Uint8Array;
  readonly termsSignature: Uint8Array;
  readonly leaseSignature: Uint8Array;
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
  /** When checkpoints were countersigned last, by channel id in hex, on the clock that nobody sets. */
  readonly #signedAtMs = new Map<string, number>();

  constructor(context: PayeeContext) {
    this.#context = context;
    const { store, nowMs } = context;
    this.#group = new GroupCommit((fill) =>
      store.commit(() => store.payeeChannels.progress.saveAll(nowMs(), fill)),
    );
  }

  /**
   * Takes up a channel that a payer wants to pay on; a new one is stored first. A channel that another stream still
   * holds is taken from it: the payer reconnected.
   * @throws AceError `MessageMalformed`, `WrongNetwork`, `ChannelMismatch`, `InvalidSignature`, `ChannelUnleased`,
   * `ChannelExpired`, `StoreFailed`
   */
  open(payer: Counterparty, signed: SignedTerms): PayeeChannel {
    const { store, nowMs } = this.#context;
    this.expire();
    const terms = decodeTerms(signed.terms);
    this.#checkTerms(terms, payer, signed);
    const channelId = channelIdOf(terms, sha256);
    const key = Buffer.from(channelId).toString('hex');
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
    return this.#use(key, row);
  }

  #use(key: string, row: PayeeChannelRow): PayeeChannel {
    const { payer } = row;
    const ofPayer = this.#ofPayer.get(payer) ?? new Set();
    this.#ofPayer.set(payer, ofPayer);
    const release = () => {
      this.#active.delete(key);
      ofPayer.delete(channel);
      if (ofPayer.size === 0 && this.#ofPayer.get(payer) === ofPayer) this.#ofPayer.delete(payer);
    };
    const channel = new PayeeChannel(this.#context, this.#group, row, this.#sent.of(key), ofPayer, release);
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
    const key = Buffer.from(checkpoint.channelId).toString('hex');
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
    const bytes = encodeCheckpoint(checkpoint);
    if (!isSignedBy(devicePublicKey(row.payerDevice), bytes, payerSignature)) {
      throw new AceError('InvalidSignature', 'The checkpoint is not signed by the payer', {
        reaction: 'drop-peer',
      });
    }
    const last = row.lastCheckpoint;
    if (last?.payeeSignature && sameBytes(encodeCheckpoint(last.checkpoint), bytes)) {
      return { channelId: row.state.channelId, number: checkpoint.number, signature: last.payeeSignature };
    }
    const said = { record: bytes, signature: payerSignature };
    if (last?.checkpoint.number === checkpoint.number) {
      const earlier = { record: encodeCheckpoint(last.checkpoint), signature: last.payerSignature };
      this.#context.observer?.contradicted(checkpointProof(row.terms, earlier, said));
    }
    const before = active?.state ?? row.state;
    const state = acceptCheckpoint(this.#withTick(row.payer, before, checkpoint), checkpoint);
    this.#checkPace(key, checkpoint, before);
    const signature = this.#context.device.sign(bytes);
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
    this.#context.observer?.agreed({ terms, termsSignature, leaseSignature, record: bytes, payerSignature });
    // The tick it carried may have paid on a channel that no stream uses.
    for (const other of this.#ofPayer.get(row.payer) ?? []) other.forgetHistory();
    return { channelId: state.channelId, number: checkpoint.number, signature };
  }

  /** Signing and storing costs: a checkpoint that pays for nothing new has to wait for its time. */
  #checkPace(key: string, { final, units }: Checkpoint, before: PayeeState): void {
    const nowMs = performance.now();
    const last = this.#signedAtMs.get(key);
    if (!final && units <= before.checkpointUnits && last !== undefined && nowMs - last < MIN_CHECKPOINT_MS) {
      throw new AceError('TooManyRequests', 'Checkpoints that pay for nothing come too often', {
        reaction: 'drop-peer',
      });
    }
    this.#signedAtMs.delete(key);
    this.#signedAtMs.set(key, nowMs);
    const oldest = this.#signedAtMs.keys().next();
    if (this.#signedAtMs.size > REMEMBERED_CHANNELS && !oldest.done) this.#signedAtMs.delete(oldest.value);
  }

  /** The shard will never pay for this channel: nothing more is served on it. @throws AceError `StoreFailed` */
  refused(channelId: Uint8Array): void {
    this.#apply(channelId, () => 'disputed');
  }

  /** Channels whose time is over get no further. @throws AceError `StoreFailed` */
  expire(): void {
    const { store, nowMs } = this.#context;
    for (const channelId of store.payeeChannels.expired(nowMs())) this.#apply(channelId, () => 'expired');
  }

  /**
   * What the shard has on a channel, by its own word, which counts no further than our ticks. The answer is whether it
   * knows less than it confirmed. @throws AceError `StoreFailed`
   */
  told(channelId: Uint8Array, word: ShardWord): boolean {
    const { payeeChannels } = this.#context.store;
    const row = payeeChannels.get(channelId);
    if (!row) return false;
    const knowsLess = word.claimedUnits < row.claimedUnits || isTakenBack(row.state, word);
    this.#apply(
      channelId,
      ({ status, paidUnits }) => eventOfWord(status, word, paidUnits),
      ({ paidUnits }) => payeeChannels.setClaimed(channelId, Math.min(word.claimedUnits, paidUnits)),
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
    const active = this.#active.get(Buffer.from(channelId).toString('hex'));
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
    if (!isTickDue(state, false, this.#context.nowMs())) {
      throw new AceError('ChannelExpired', 'The checkpoint pays when nobody can claim it any more', {
        reaction: 'ignore',
      });
    }
    const history = historyOf(this.#context, payer, state.channelId);
    return acceptTick(state, history, units, tick, this.#context.windowCapUnits, sha256);
  }

  #checkTerms(terms: ChannelTerms, payer: Counterparty, signed: SignedTerms): void {
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
    this.#context.observer?.sawTerms(terms, signed.terms, signed.termsSignature);
    const validatorKey = settings.validatorKeys[terms.shard];
    const { capacityUnits, expiresAtMs, shard } = terms;
    const lease = encodeLease({ channelId: channelIdOf(terms, sha256), shard, capacityUnits, expiresAtMs });
    if (
      validatorKey === undefined ||
      !isSignedBy(devicePublicKey(Buffer.from(validatorKey, 'hex')), lease, signed.leaseSignature)
    ) {
      throw new AceError('ChannelUnleased', 'The payer’s shard did not lease this channel', {
        reaction: 'drop-peer',
      });
    }
    if (terms.expiresAtMs <= nowMs()) throw new AceError('ChannelExpired', 'The channel has expired');
  }
}

function isTakenBack({ status, paidUnits }: PayeeState, word: ShardWord): boolean {
  return eventOfWord(status, word, paidUnits) === 'unclaimed';
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
