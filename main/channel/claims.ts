/**
 * Hands this node's claims to the shard: what payers have revealed and the shard has not confirmed yet. Kept up by
 * itself, so that an earning never depends on the payer coming back.
 */
import { encodeCheckpoint } from '../../shared/channel/records.ts';
import type { PayeeChannelRow } from '../db/node/payee-channels.ts';
import type { NodeStore } from '../db/node/store.ts';
import type { Log } from '../log.ts';

export interface ClaimTaker {
  /** @throws AceError `ShardUnavailable`, or why the claim is refused */
  claim(claim: {
    readonly channelId: Uint8Array;
    readonly units: number;
    readonly tick: Uint8Array;
    readonly checkpoint: {
      readonly record: Uint8Array;
      readonly payerSignature: Uint8Array;
      readonly payeeSignature: Uint8Array | null;
    } | null;
  }): Promise<{ readonly claimedUnits: number; readonly released: boolean }>;
}

const CLAIM_EVERY_MS = 1_000;

export class Claims {
  readonly #store: NodeStore;
  readonly #taker: ClaimTaker;
  readonly #log: Log;
  #timer: NodeJS.Timeout | null = null;
  #running: Promise<number> | null = null;
  #stopped = false;

  constructor(store: NodeStore, taker: ClaimTaker, log: Log) {
    this.#store = store;
    this.#taker = taker;
    this.#log = log;
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
      const { claimedUnits, released } = await this.#taker.claim(claimOf(row));
      // The shard's word counts no further than our own ticks.
      const units = Math.min(claimedUnits, row.state.paidUnits);
      this.#store.commit(() => this.#store.payeeChannels.setClaimed(row.state.channelId, units, released));
      confirmedUnits += Math.max(0, units - row.claimedUnits);
    }
    return confirmedUnits;
  }
}

function claimOf(row: PayeeChannelRow): Parameters<ClaimTaker['claim']>[0] {
  const { state, lastCheckpoint } = row;
  return {
    channelId: state.channelId,
    units: state.paidUnits,
    tick: state.tick,
    checkpoint: lastCheckpoint && {
      record: encodeCheckpoint(lastCheckpoint.checkpoint),
      payerSignature: lastCheckpoint.payerSignature,
      payeeSignature: lastCheckpoint.payeeSignature,
    },
  };
}
