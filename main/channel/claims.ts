/**
 * Hands this node's claims to the shard: what payers have revealed and the shard has not confirmed yet. Kept up by
 * itself, so that an earning never depends on the payer coming back. Channels on which this node paid and that both
 * sides have closed are handed in as well, so that their rest comes back even when the payee stays away.
 */

import type { Claim, ClaimAnswer, SignedLease } from '../../shared/channel/claim.ts';
import { mayClaim, type ShardProgress } from '../../shared/channel/lifecycle.ts';
import { CHECKPOINT_EVERY_UNITS } from '../../shared/channel/payer.ts';
import { decodeTerms, encodeCheckpoint, type SignedCheckpoint } from '../../shared/channel/records.ts';
import { tickBefore } from '../../shared/channel/tick-chain.ts';
import { AceError, type ErrorCode, invariant, isAceError } from '../../shared/errors.ts';
import { toHex } from '../../shared/hex.ts';
import type { PayeeChannelRow } from '../db/node/payee-channels.ts';
import type { PayerChannelRow } from '../db/node/payer-channels.ts';
import type { NodeStore } from '../db/node/store.ts';
import type { Log } from '../process/log.ts';
import { sha256 } from '../util/sha256.ts';

export interface ClaimTaker {
  /**
   * `shard` leased the channel, as `lease` shows one that has forgotten it.
   * @throws AceError `ShardUnavailable`, or why the claim is refused
   */
  claim(claim: Claim, shard: number, lease?: SignedLease): Promise<ClaimAnswer>;
}

/** One side's channels: hears what the shard says of each. */
export interface ClaimingSide {
  /** Ends what has expired. */
  expire(): void;
  /** The answer is whether the shard knows less than it confirmed: the claim has to be handed in again. */
  receiveProgress(channelId: Uint8Array, progress: ShardProgress): boolean;
  /** The shard refused the claim: what is served on the channel from now on would never be paid. */
  claimRefused(channelId: Uint8Array): void;
}

const CLAIM_EVERY_MS = 1_000;
/** The shard hashes no further than this in one claim; what a payer left without checkpoints is handed in by steps. */
const CLAIM_STEP_UNITS = CHECKPOINT_EVERY_UNITS;
/** Answers that will not change by asking again. */
const REFUSALS: readonly ErrorCode[] = [
  'ChannelUnleased',
  'ClaimInvalid',
  'InvalidSignature',
  'MessageMalformed',
];

export class Claims {
  readonly #store: NodeStore;
  readonly #taker: ClaimTaker;
  readonly #log: Log;
  readonly #payee: ClaimingSide;
  readonly #payer: ClaimingSide;
  #timer: NodeJS.Timeout | null = null;
  #running: Promise<number> | null = null;
  #stopped = false;
  /** Channels, in hex, whose claim the shard refused: not asked again before the next start. */
  readonly #refused = new Set<string>();

  constructor(
    store: NodeStore,
    taker: ClaimTaker,
    log: Log,
    sides: { readonly payee: ClaimingSide; readonly payer: ClaimingSide },
  ) {
    this.#store = store;
    this.#taker = taker;
    this.#log = log;
    this.#payee = sides.payee;
    this.#payer = sides.payer;
  }

  /** Something was earned: claims go out within a second. */
  soon(): void {
    if (this.#stopped) return;
    this.#timer ??= setTimeout(() => {
      this.#timer = null;
      this.now().catch((error: unknown) => {
        this.#log.warn({ err: error }, 'claims could not be handed in; they will be, later');
        this.soon();
      });
    }, CLAIM_EVERY_MS);
  }

  /** Hands in everything open. The answer is the number of units newly confirmed. @throws AceError `ShardUnavailable` */
  async now(): Promise<number> {
    while (this.#running) await this.#running.catch(() => 0);
    this.#running = this.#run();
    try {
      return await this.#running;
    } finally {
      this.#running = null;
    }
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    if (this.#timer) clearTimeout(this.#timer);
    await this.#running?.catch(() => 0);
  }

  async #run(): Promise<number> {
    const { payeeChannels, payerChannels } = this.#store;
    this.#payee.expire();
    this.#payer.expire();
    let confirmedUnits = 0;
    /** Shards that do not answer, and why: their claims wait, and hold up no other shard's. */
    const away = new Map<number, unknown>();
    for (const row of payeeChannels.toClaim()) {
      if (!mayClaim(row.state.status)) continue;
      await this.#handIn(row, this.#payee, away, async (shard) => {
        confirmedUnits += await this.#claim(row, shard);
      });
    }
    for (const row of payerChannels.toRelease()) {
      const { lastCheckpoint } = row;
      if (!lastCheckpoint) continue;
      await this.#handIn(row, this.#payer, away, (shard) => this.#release(row, lastCheckpoint, shard));
    }
    for (const error of away.values()) throw error;
    return confirmedUnits;
  }

  /** A claim that is refused does not hold up the others. */
  async #handIn(
    { state, terms }: PayeeChannelRow | PayerChannelRow,
    side: ClaimingSide,
    away: Map<number, unknown>,
    claim: (shard: number) => Promise<void>,
  ): Promise<void> {
    const { channelId } = state;
    const key = toHex(channelId);
    if (this.#refused.has(key)) return;
    const { shard } = decodeTerms(terms);
    if (away.has(shard)) return;
    try {
      await claim(shard);
    } catch (error) {
      // Our own store's failures come as they are; whatever else ails a shard holds up its own claims only.
      if (!isAceError(error) || error.code === 'StoreFailed') throw error;
      if (!REFUSALS.includes(error.code)) {
        away.set(shard, error);
        return;
      }
      side.claimRefused(channelId);
      this.#refused.add(key);
      this.#log.warn({ err: error, channel: key }, 'the shard refused a claim');
    }
  }

  /** A shard whose own store fails is away for us; the same error of this node's store is another thing. */
  async #take(row: Leased, claim: Claim, shard: number): Promise<ClaimAnswer> {
    try {
      return await this.#taker.claim(claim, shard);
    } catch (error) {
      // It leased the channel and knows it no more: it is shown its own signature.
      if (isAceError(error, 'ChannelUnleased')) return this.#taker.claim(claim, shard, leaseOf(row));
      if (!isAceError(error, 'StoreFailed')) throw error;
      throw new AceError('ShardUnavailable', 'The shard cannot store anything now', { cause: error });
    }
  }

  /** The answer is the number of units newly confirmed. */
  async #claim(row: PayeeChannelRow, shard: number): Promise<number> {
    const { channelId, paidUnits } = row.state;
    const agreedUnits = row.lastCheckpoint?.checkpoint.units ?? 0;
    let doneUnits = row.claimedUnits;
    const next = () => claimOf(row, Math.min(paidUnits, Math.max(doneUnits, agreedUnits) + CLAIM_STEP_UNITS));
    for (;;) {
      const { claimedUnits, released, ended } = await this.#take(row, next(), shard).catch(
        (error: unknown) => {
          // Restored from an older copy, the shard does not know what this claim builds on: on from what it knows.
          const provenUnits = isAceError(error, 'ClaimInvalid') ? error.details.provenUnits : undefined;
          if (typeof provenUnits !== 'number' || provenUnits >= doneUnits) throw error;
          doneUnits = provenUnits;
          return this.#take(row, next(), shard);
        },
      );
      this.#payee.receiveProgress(channelId, { claimedUnits, appliedUnits: 0, released, ended });
      // The shard's word counts no further than our own ticks.
      const units = Math.min(claimedUnits, paidUnits);
      if (units <= doneUnits || units === paidUnits) return Math.max(0, units - row.claimedUnits);
      doneUnits = units;
    }
  }

  async #release(row: PayerChannelRow, signed: SignedCheckpoint, shard: number): Promise<void> {
    const { channelId } = row.state;
    const { units, tick } = signed.checkpoint;
    const { claimedUnits, released } = await this.#take(
      row,
      { channelId, units, tick, checkpoint: recordOf(signed) },
      shard,
    );
    this.#payer.receiveProgress(channelId, { claimedUnits, appliedUnits: 0, released });
  }
}

type Leased = Pick<PayeeChannelRow | PayerChannelRow, 'terms' | 'termsSignature' | 'leaseSignature'>;

function leaseOf({ terms, termsSignature, leaseSignature }: Leased): SignedLease {
  invariant(leaseSignature !== null, 'a claim is of a leased channel');
  return { terms, termsSignature, leaseSignature };
}

function claimOf(row: PayeeChannelRow, units: number): Claim {
  const { state, lastCheckpoint } = row;
  return {
    channelId: state.channelId,
    units,
    tick: tickBefore(state.tick, state.paidUnits - units, sha256),
    checkpoint: lastCheckpoint && recordOf(lastCheckpoint),
  };
}

function recordOf({ checkpoint, payerSignature, payeeSignature }: SignedCheckpoint) {
  return { record: encodeCheckpoint(checkpoint), payerSignature, payeeSignature };
}
