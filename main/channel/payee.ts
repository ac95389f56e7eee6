/**
 * The payee's service: loads a channel, asks the pure rules of `shared/channel/payee.ts`, commits, and only then lets
 * the caller send. Owns the channels on which this node is paid while a stream uses them.
 */
import { acceptCheckpoint, acceptTick, type PayeeState } from '../../shared/channel/payee.ts';
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
import type { PayeeChannelRow } from '../db/node/payee-channels.ts';
import { devicePublicKey, isSignedBy } from '../wallet/device.ts';
import { historyOf, PayeeChannel, type PayeeContext } from './payee-channel.ts';
import { SentByChannel } from './sent-pieces.ts';
import { sha256 } from './sha256.ts';

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
  readonly #sent = new SentByChannel();
  /** When checkpoints were countersigned last, by channel id in hex, on the clock that nobody sets. */
  readonly #signedAtMs = new Map<string, number>();

  constructor(context: PayeeContext) {
    this.#context = context;
  }

  /**
   * Takes up a channel that a payer wants to pay on; a new one is stored first. A channel that another stream still
   * holds is taken from it: the payer reconnected.
   * @throws AceError `MessageMalformed`, `WrongNetwork`, `ChannelMismatch`, `InvalidSignature`, `ChannelUnleased`,
   * `ChannelExpired`, `StoreFailed`
   */
  open(payer: Counterparty, signed: SignedTerms): PayeeChannel {
    const { store, nowMs } = this.#context;
    const terms = decodeTerms(signed.terms);
    this.#checkTerms(terms, payer, signed);
    const channelId = channelIdOf(terms, sha256);
    const key = Buffer.from(channelId).toString('hex');
    const held = this.#active.get(key);
    held?.commit();
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
    const siblings = (): PayeeChannel[] =>
      [...this.#active.values()].filter((other) => other.payer === payer.account && other !== channel);
    const channel: PayeeChannel = new PayeeChannel(this.#context, row, this.#sent.of(key), siblings, () =>
      this.#active.delete(key),
    );
    this.#active.set(key, channel);
    return channel;
  }

  /**
   * Countersigns a checkpoint of any channel of this payer, open on a stream or not. The same one again gets the same
   * answer.
   * @throws AceError `ChannelUnknown`, `InvalidSignature`, `CheckpointMismatch`, …
   */
  countersign(payer: Counterparty, record: Uint8Array, payerSignature: Uint8Array): Countersigned {
    const checkpoint = decodeCheckpoint(record);
    const key = Buffer.from(checkpoint.channelId).toString('hex');
    const active = this.#active.get(key);
    active?.commit();
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
    const state = acceptCheckpoint(this.#withTick(row, checkpoint), checkpoint);
    this.#checkPace(key, checkpoint, row.state);
    const signature = this.#context.device.sign(bytes);
    const { store, nowMs } = this.#context;
    store.commit(() => {
      store.payeeChannels.save(state, nowMs());
      store.payeeChannels.saveCheckpoint(state.channelId, {
        checkpoint,
        payerSignature,
        payeeSignature: signature,
      });
    });
    active?.adopt(state);
    // The tick it carried may have paid on a channel that no stream uses.
    for (const other of this.#active.values()) if (other.payer === row.payer) other.forgetHistory();
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
    const { store, nowMs } = this.#context;
    const active = this.#active.get(Buffer.from(channelId).toString('hex'));
    active?.commit();
    const row = store.payeeChannels.get(channelId);
    if (!row || row.state.status === 'closed') return;
    const state: PayeeState = { ...row.state, status: 'closed' };
    store.commit(() => store.payeeChannels.save(state, nowMs()));
    active?.adopt(state);
  }

  /** A checkpoint carries its tick: one that we were killed before we stored is booked with it. */
  #withTick({ state, payer }: PayeeChannelRow, { units, tick }: Checkpoint): PayeeState {
    if (units <= state.paidUnits) return state;
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
    status: 'open',
  };
}
