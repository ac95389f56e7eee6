/**
 * The payer's service: opens leased channels, books verified bytes, reveals ticks, makes checkpoints. Loads a channel,
 * asks the pure rules of `shared/channel/payer.ts`, commits, and only then hands out what may be sent.
 */
import { randomBytes } from 'node:crypto';
import {
  checkpointDue,
  makeCheckpoint,
  type PayerState,
  receive,
  roomBytes,
  writeOff,
} from '../../shared/channel/payer.ts';
import {
  channelIdOf,
  encodeCheckpoint,
  encodeTerms,
  HASH_BYTES,
  MAX_CAPACITY_UNITS,
} from '../../shared/channel/records.ts';
import { TickChain } from '../../shared/channel/tick-chain.ts';
import { AceError, isAceError } from '../../shared/errors.ts';
import type { NetworkSettings } from '../../shared/settings.ts';
import type { PayerChannelRow } from '../db/node/payer-channels.ts';
import type { NodeStore } from '../db/node/store.ts';
import { type DeviceIdentity, devicePublicKey, isSignedBy } from '../wallet/device.ts';
import type { Counterparty, SignedTerms } from './payee.ts';
import { sha256 } from './sha256.ts';

/** Life of a channel: long enough for any evening, short enough that an abandoned lease comes back the same day. */
const CHANNEL_LIFE_MS = 12 * 3_600_000;
/** A channel that expires this soon is not used for new requests. */
const EXPIRY_MARGIN_MS = 10 * 60_000;
const LEASE_ATTEMPTS = 3;

/** The payer's home shard, as far as this service needs it. */
export interface LeaseSource {
  readonly shard: number;
  /** @throws AceError `ShardUnavailable` */
  leasableUnits(account: string): Promise<number>;
  /** The shard's signature. @throws AceError `CreditExhausted` with `leasableUnits`, `LeaseRefused`, `ShardUnavailable` */
  lease(terms: Uint8Array, termsSignature: Uint8Array): Promise<Uint8Array>;
}

export interface PayerContext {
  readonly store: NodeStore;
  readonly settings: NetworkSettings;
  readonly account: string;
  readonly device: DeviceIdentity;
  readonly leases: LeaseSource;
  readonly nowMs: () => number;
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

export class PayerService {
  readonly #context: PayerContext;

  constructor(context: PayerContext) {
    this.#context = context;
  }

  /**
   * The open channel to this provider, or a new one for up to `wantedUnits`, as many as the shard can lease.
   * @throws AceError `CreditExhausted` (nothing can be leased), `LeaseRefused`, `ShardUnavailable`, `StoreFailed`
   */
  async channelTo(payee: Counterparty, wantedUnits: number): Promise<PayerChannel> {
    const { store, nowMs } = this.#context;
    const open = store.payerChannels.usable(payee.device, nowMs() + EXPIRY_MARGIN_MS);
    if (open && roomBytes(open.state) > 0) return new PayerChannel(this.#context, open);
    return this.#openNew(payee, wantedUnits);
  }

  /** Final checkpoints that this provider has not countersigned yet: said again when we meet. */
  unansweredCheckpoints(payeeDevice: Uint8Array): SentCheckpoint[] {
    return this.#context.store.payerChannels
      .unfinished()
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
    const { store, leases, account } = this.#context;
    let leasableUnits = await leases.leasableUnits(account);
    for (let attempt = 1; ; attempt++) {
      const capacityUnits = Math.min(wantedUnits, leasableUnits, MAX_CAPACITY_UNITS);
      if (capacityUnits < 1) {
        throw new AceError(
          'CreditExhausted',
          'The credit is used up and there are no funds: top up to go on',
          {
            reaction: 'pause-channel',
          },
        );
      }
      const channelId = this.#storeNew(payee, capacityUnits);
      const row = store.payerChannels.get(channelId);
      if (!row) throw new AceError('ChannelUnknown', 'The new channel is gone from the store');
      try {
        const signature = await leases.lease(row.terms, row.termsSignature);
        store.commit(() => store.payerChannels.setLease(channelId, signature));
        return new PayerChannel(this.#context, { ...row, leaseSignature: signature });
      } catch (error) {
        // An answer that got lost may still have reserved the units: then the row stays, and its lease expires.
        if (!isAceError(error, 'CreditExhausted')) throw error;
        store.commit(() => store.payerChannels.deleteUnleased(channelId));
        if (attempt === LEASE_ATTEMPTS) throw error;
        leasableUnits = Number(error.details.leasableUnits ?? 0);
      }
    }
  }

  /** Makes and stores a channel, hash chain included, before its terms leave this node. */
  #storeNew(payee: Counterparty, capacityUnits: number): Uint8Array {
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
    return channelId;
  }
}

/** One leased channel while a stream pays on it. */
export class PayerChannel {
  readonly terms: SignedTerms;
  readonly #context: PayerContext;
  readonly #chain: TickChain;
  #state: PayerState;

  constructor(context: PayerContext, row: PayerChannelRow) {
    if (!row.leaseSignature) throw new AceError('ChannelUnleased', 'The channel has no lease');
    this.#context = context;
    this.#state = row.state;
    this.#chain = TickChain.fromPebbles(row.pebbles, row.state.capacityUnits, sha256);
    this.terms = { terms: row.terms, termsSignature: row.termsSignature, leaseSignature: row.leaseSignature };
  }

  get state(): PayerState {
    return this.#state;
  }

  /** Bytes that the channel can still carry. */
  get roomBytes(): number {
    return this.#state.status === 'open' ? roomBytes(this.#state) : 0;
  }

  /**
   * Books verified bytes together with `also` (the piece) and gives the tick to send, `null` when they were paid
   * already. @throws AceError `StoreFailed`: then nothing may be sent
   */
  pay(verifiedBytes: number, video: boolean, also: () => void): Payment | null {
    return this.#advance(receive(this.#state, verifiedBytes, video), also);
  }

  /** Pays what the provider sent and the connection lost, within the one unit allowed. */
  writeOff(servedBytes: number): Payment | null {
    return this.#advance(writeOff(this.#state, servedBytes), () => undefined);
  }

  /** The deepest tick: for a provider whose books lag behind ours. `null` while nothing was paid. */
  lastPayment(): Payment | null {
    const index = this.#state.revealedUnits;
    return index === 0 ? null : { index, tick: this.#chain.tick(index) };
  }

  /** The checkpoint that is due by count or time, or the final one, with new watch time; `null` when none is due. */
  checkpoint(final: boolean, takeWatchMs: () => number): SentCheckpoint | null {
    const { store, device, nowMs } = this.#context;
    if (this.#state.status !== 'open' || (!final && !checkpointDue(this.#state, nowMs()))) return null;
    const watched = { ...this.#state, watchMs: this.#state.watchMs + takeWatchMs() };
    const made = makeCheckpoint(watched, this.#chain.tick(this.#state.revealedUnits), final, nowMs());
    const record = encodeCheckpoint(made.checkpoint);
    const signature = device.sign(record);
    store.commit(() => {
      store.payerChannels.save(made.state);
      store.payerChannels.saveCheckpoint(made.state.channelId, {
        checkpoint: made.checkpoint,
        payerSignature: signature,
        payeeSignature: null,
      });
    });
    this.#state = made.state;
    return { record, signature };
  }

  #advance(next: PayerState, also: () => void): Payment | null {
    const { store } = this.#context;
    store.commit(() => {
      store.payerChannels.save(next);
      also();
    });
    const grew = next.revealedUnits > this.#state.revealedUnits;
    this.#state = next;
    return grew ? this.lastPayment() : null;
  }
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
