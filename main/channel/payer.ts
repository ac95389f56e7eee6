/**
 * The payer's service: opens leased channels, books verified bytes, reveals ticks, makes checkpoints. Loads a channel,
 * asks the pure rules of `shared/channel/payer.ts`, commits, and only then hands out what may be sent.
 */
import { randomBytes } from 'node:crypto';
import { type PayerState, roomBytes } from '../../shared/channel/payer.ts';
import {
  channelIdOf,
  encodeCheckpoint,
  encodeTerms,
  HASH_BYTES,
  MAX_CAPACITY_UNITS,
} from '../../shared/channel/records.ts';
import { TickChain } from '../../shared/channel/tick-chain.ts';
import { AceError, isAceError } from '../../shared/errors.ts';
import type { PayerChannelRow } from '../db/node/payer-channels.ts';
import { devicePublicKey, isSignedBy } from '../wallet/device.ts';
import type { Counterparty } from './payee.ts';
import { PayerChannel, type PayerContext, type SentCheckpoint } from './payer-channel.ts';
import { sha256 } from './sha256.ts';

export { PayerChannel, type WatchTime } from './payer-channel.ts';

/** Life of a channel: long enough for any evening, short enough that an abandoned lease comes back the same day. */
const CHANNEL_LIFE_MS = 12 * 3_600_000;
/** A channel that expires this soon is not used for new requests. */
const EXPIRY_MARGIN_MS = 10 * 60_000;
const LEASE_ATTEMPTS = 3;
/** After its expiry and this long nobody can claim on a channel any more: its last checkpoint is not said again. */
const GRACE_MS = 3_600_000;

export class PayerService {
  readonly #context: PayerContext;
  /** Channels that a session pays on, by channel id in hex: one session each, so that none pays on stale state. */
  readonly #inUse = new Set<string>();
  /** Accounts whose books were ahead of ours once since the start. */
  readonly #abandoned = new Set<string>();

  constructor(context: PayerContext) {
    this.#context = context;
  }

  /**
   * The open channel to this provider that no other session uses, or a new one for up to `wantedUnits`, as many as the
   * shard can lease. The caller releases it.
   * @throws AceError `CreditExhausted` (nothing can be leased), `LeaseRefused`, `ShardUnavailable`, `StoreFailed`
   */
  async channelTo(payee: Counterparty, wantedUnits: number): Promise<PayerChannel> {
    const { store, nowMs } = this.#context;
    const open = store.payerChannels
      .usable(payee.device, nowMs() + EXPIRY_MARGIN_MS)
      .find((row) => roomBytes(row.state) > 0 && !this.#inUse.has(hex(row.state.channelId)));
    if (open) return this.#use(open, false);
    return this.#openNew(payee, wantedUnits);
  }

  #use(row: PayerChannelRow, isNew: boolean): PayerChannel {
    const key = hex(row.state.channelId);
    this.#inUse.add(key);
    return new PayerChannel(this.#context, row, isNew, () => this.#inUse.delete(key));
  }

  /**
   * The payee holds ticks that our books do not know: they are an old copy. What is open to it is never paid on again.
   * Only once for each account until the next start, because a lie about it costs us a lease; then the answer is false.
   */
  abandonChannels(payee: Counterparty): boolean {
    if (this.#abandoned.has(payee.account)) return false;
    this.#abandoned.add(payee.account);
    const { store } = this.#context;
    store.commit(() => store.payerChannels.abandon(payee.account, payee.device));
    return true;
  }

  /** Final checkpoints that this provider has not countersigned yet: said again when we meet. */
  unansweredCheckpoints(payeeDevice: Uint8Array): SentCheckpoint[] {
    return this.#context.store.payerChannels
      .unfinished()
      .filter((row) => row.state.expiresAtMs + GRACE_MS > this.#context.nowMs())
      .filter((row) => row.state.status === 'closing' && Buffer.compare(row.payeeDevice, payeeDevice) === 0)
      .flatMap(({ lastCheckpoint }) =>
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
    if (!row || !last || Buffer.compare(row.payeeDevice, payeeDevice) !== 0) {
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
    store.commit(() => {
      store.payerChannels.setCountersignature(channelId, signature);
      if (last.checkpoint.final) store.payerChannels.setStatus(channelId, 'closed');
    });
  }

  async #openNew(payee: Counterparty, wantedUnits: number): Promise<PayerChannel> {
    const { store, leases, account, nowMs } = this.#context;
    const unanswered = store.payerChannels.unanswered(payee.device, nowMs() + EXPIRY_MARGIN_MS);
    if (unanswered && !this.#inUse.has(hex(unanswered.state.channelId))) {
      const answer = await this.#ask(unanswered);
      if (answer instanceof PayerChannel) return answer;
    }
    let leasableUnits = await leases.leasableUnits(account);
    for (let attempt = 1; attempt <= LEASE_ATTEMPTS; attempt++) {
      const capacityUnits = Math.min(wantedUnits, leasableUnits, MAX_CAPACITY_UNITS);
      if (capacityUnits < 1) break;
      const answer = await this.#ask(this.#storeNew(payee, capacityUnits));
      if (answer instanceof PayerChannel) return answer;
      leasableUnits = answer.leasableUnits;
    }
    throw new AceError('CreditExhausted', 'The credit is used up and there are no funds: top up to go on', {
      reaction: 'pause-channel',
    });
  }

  /**
   * Asks the shard to lease a stored channel. A refusal for want of credit forgets the channel; an answer that gets
   * lost may have reserved the units, so the channel stays and is asked for again.
   */
  async #ask(row: PayerChannelRow): Promise<PayerChannel | { readonly leasableUnits: number }> {
    const { store, leases } = this.#context;
    const { channelId } = row.state;
    const key = hex(channelId);
    this.#inUse.add(key);
    try {
      const signature = await leases.lease(row.terms, row.termsSignature);
      store.commit(() => store.payerChannels.setLease(channelId, signature));
      return this.#use({ ...row, leaseSignature: signature }, true);
    } catch (error) {
      this.#inUse.delete(key);
      if (!isAceError(error, 'CreditExhausted')) throw error;
      store.commit(() => store.payerChannels.deleteUnleased(channelId));
      return { leasableUnits: Number(error.details.leasableUnits ?? 0) };
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
    const channelId = channelIdOf(terms, sha256);
    store.commit(() =>
      store.payerChannels.insert({
        state: freshState(channelId, capacityUnits, terms.expiresAtMs, openedAtMs),
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

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

function freshState(
  channelId: Uint8Array,
  capacityUnits: number,
  expiresAtMs: number,
  nowMs: number,
): PayerState {
  return {
    channelId,
    capacityUnits,
    expiresAtMs,
    revealedUnits: 0,
    verifiedBytes: 0,
    videoBytes: 0,
    lostBytes: 0,
    watchMs: 0,
    checkpointNumber: 0,
    checkpointUnits: 0,
    checkpointAtMs: nowMs,
    status: 'open',
  };
}
