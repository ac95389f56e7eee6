/**
 * Hands this node's claims to the shard: what payers have revealed and the shard has not confirmed yet. Kept up by
 * itself, so that an earning never depends on the payer coming back.
 */
import { CHECKPOINT_EVERY_UNITS } from '../../shared/channel/payer.ts';
import { encodeCheckpoint } from '../../shared/channel/records.ts';
import { tickBefore } from '../../shared/channel/tick-chain.ts';
import { type ErrorCode, isAceError } from '../../shared/errors.ts';
import type { PayeeChannelRow } from '../db/node/payee-channels.ts';
import type { NodeStore } from '../db/node/store.ts';
import type { Log } from '../log.ts';
import type { Claim, ClaimAnswer } from '../shard/intake.ts';
import { sha256 } from './sha256.ts';

export interface ClaimTaker {
  /** @throws AceError `ShardUnavailable`, or why the claim is refused */
  claim(claim: Claim): Promise<ClaimAnswer>;
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
  readonly #onRefused: (channelId: Uint8Array) => void;
  #timer: NodeJS.Timeout | null = null;
  #running: Promise<number> | null = null;
  #stopped = false;
  /** Channels, in hex, whose claim the shard refused: not asked again before the next start. */
  readonly #refused = new Set<string>();

  /** `onRefused`: what is served on the channel from now on would never be paid. */
  constructor(store: NodeStore, taker: ClaimTaker, log: Log, onRefused: (channelId: Uint8Array) => void) {
    this.#store = store;
    this.#taker = taker;
    this.#log = log;
    this.#onRefused = onRefused;
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
    let confirmedUnits = 0;
    for (const row of this.#store.payeeChannels.toClaim()) {
      const key = Buffer.from(row.state.channelId).toString('hex');
      if (this.#refused.has(key)) continue;
      try {
        confirmedUnits += await this.#claim(row);
      } catch (error) {
        // One that is refused does not hold up the others.
        if (!isAceError(error) || !REFUSALS.includes(error.code)) throw error;
        this.#refused.add(key);
        this.#onRefused(row.state.channelId);
        this.#log.warn({ err: error, channel: key }, 'the shard refused a claim');
      }
    }
    return confirmedUnits;
  }

  /** The answer is the number of units newly confirmed. */
  async #claim(row: PayeeChannelRow): Promise<number> {
    const { channelId, paidUnits } = row.state;
    let doneUnits = row.claimedUnits;
    for (;;) {
      const provenUnits = Math.max(doneUnits, row.lastCheckpoint?.checkpoint.units ?? 0);
      const { claimedUnits, released } = await this.#taker.claim(
        claimOf(row, Math.min(paidUnits, provenUnits + CLAIM_STEP_UNITS)),
      );
      // The shard's word counts no further than our own ticks.
      const units = Math.min(claimedUnits, paidUnits);
      this.#store.commit(() => this.#store.payeeChannels.setClaimed(channelId, units, released));
      if (units <= doneUnits || units === paidUnits) return Math.max(doneUnits, units) - row.claimedUnits;
      doneUnits = units;
    }
  }
}

function claimOf(row: PayeeChannelRow, units: number): Claim {
  const { state, lastCheckpoint } = row;
  return {
    channelId: state.channelId,
    units,
    tick: tickBefore(state.tick, state.paidUnits - units, sha256),
    checkpoint: lastCheckpoint && {
      record: encodeCheckpoint(lastCheckpoint.checkpoint),
      payerSignature: lastCheckpoint.payerSignature,
      payeeSignature: lastCheckpoint.payeeSignature,
    },
  };
}
