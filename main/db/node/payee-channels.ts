import { type PayeeState, type PayerHistory, STRANGER } from '../../../shared/channel/payee.ts';
import type { SignedCheckpoint } from '../../../shared/channel/records.ts';
import { encodeCheckpoint } from '../../../shared/channel/records.ts';
import { invariant } from '../../../shared/errors.ts';
import type { Database } from '../open.ts';
import { type CheckpointColumns, lastCheckpointOf } from './checkpoint-columns.ts';

export interface NewPayeeChannel {
  readonly state: PayeeState;
  readonly payer: string;
  readonly payerDevice: Uint8Array;
  readonly terms: Uint8Array;
  readonly termsSignature: Uint8Array;
  readonly leaseSignature: Uint8Array;
  readonly openedAtMs: number;
}

export interface PayeeChannelRow extends NewPayeeChannel {
  readonly lastCheckpoint: SignedCheckpoint | null;
  readonly claimedUnits: number;
  readonly finalClaimed: boolean;
}

interface RawRow extends CheckpointColumns {
  channel_id: Uint8Array;
  payer: string;
  payer_device: Uint8Array;
  terms: Uint8Array;
  terms_signature: Uint8Array;
  lease_signature: Uint8Array;
  capacity_units: number;
  expires_at_ms: number;
  paid_units: number;
  tick: Uint8Array;
  served_bytes: number;
  checkpoint_number: number;
  checkpoint_units: number;
  claimed_units: number;
  final_claimed: number;
  status: PayeeState['status'];
  opened_at_ms: number;
}

/** Channels on which this node is paid. */
export class PayeeChannelTable {
  readonly #insert;
  readonly #save;
  readonly #saveCheckpoint;
  readonly #get;
  readonly #all;
  readonly #toClaim;
  readonly #setClaimed;
  readonly #paid;
  readonly #history;

  constructor(db: Database) {
    this.#insert = db.prepare(
      `INSERT INTO payee_channels (channel_id, payer, payer_device, terms, terms_signature, lease_signature,
         capacity_units, expires_at_ms, paid_units, tick, served_bytes, checkpoint_number, checkpoint_units, status,
         opened_at_ms, served_at_ms)
       VALUES (@channelId, @payer, @payerDevice, @terms, @termsSignature, @leaseSignature, @capacityUnits,
         @expiresAtMs, @paidUnits, @tick, @servedBytes, @checkpointNumber, @checkpointUnits, @status, @openedAtMs,
         @openedAtMs)`,
    );
    // A state that would forget a tick or served bytes is never written.
    this.#save = db.prepare(
      `UPDATE payee_channels SET paid_units = @paidUnits, tick = @tick, served_bytes = @servedBytes,
         served_at_ms = CASE WHEN served_bytes < @servedBytes THEN @nowMs ELSE served_at_ms END,
         checkpoint_number = @checkpointNumber, checkpoint_units = @checkpointUnits, status = @status
       WHERE channel_id = @channelId AND paid_units <= @paidUnits AND served_bytes <= @servedBytes`,
    );
    this.#saveCheckpoint = db.prepare(
      `UPDATE payee_channels SET checkpoint = ?, payer_signature = ?, payee_signature = ? WHERE channel_id = ?`,
    );
    this.#get = db.prepare<[Uint8Array], RawRow>(`SELECT * FROM payee_channels WHERE channel_id = ?`);
    this.#all = db.prepare<[], RawRow>(`SELECT * FROM payee_channels ORDER BY opened_at_ms`);
    this.#toClaim = db.prepare<[], RawRow>(
      `SELECT * FROM payee_channels WHERE paid_units > claimed_units OR (status = 'closed' AND final_claimed = 0)
       ORDER BY opened_at_ms`,
    );
    this.#setClaimed = db.prepare(
      `UPDATE payee_channels SET claimed_units = max(claimed_units, ?), final_claimed = max(final_claimed, ?)
       WHERE channel_id = ?`,
    );
    this.#paid = db.prepare<[], number>(`SELECT coalesce(sum(paid_units), 0) FROM payee_channels`).pluck();
    this.#history = db.prepare<
      [{ payer: string; channelId: Uint8Array; debtSinceMs: number }],
      { paidUnits: number; unpaidUnits: number }
    >(
      `SELECT coalesce(sum(paid_units), 0) AS paidUnits, coalesce(sum(CASE WHEN served_at_ms > @debtSinceMs
         THEN max((served_bytes + 1048575) / 1048576 - paid_units, 0) ELSE 0 END), 0) AS unpaidUnits
       FROM payee_channels WHERE payer = @payer AND channel_id <> @channelId`,
    );
  }

  insert(channel: NewPayeeChannel): void {
    const { state, ...rest } = channel;
    this.#insert.run({ ...rest, ...state });
  }

  /** Served bytes that have grown are dated `nowMs`. */
  save(state: PayeeState, nowMs: number): void {
    const { changes } = this.#save.run({ ...state, nowMs });
    invariant(changes === 1, 'a payee never goes back on a channel');
  }

  saveCheckpoint(channelId: Uint8Array, signed: SignedCheckpoint): void {
    this.#saveCheckpoint.run(
      encodeCheckpoint(signed.checkpoint),
      signed.payerSignature,
      signed.payeeSignature,
      channelId,
    );
  }

  get(channelId: Uint8Array): PayeeChannelRow | null {
    const row = this.#get.get(channelId);
    return row ? toRow(row) : null;
  }

  all(): PayeeChannelRow[] {
    return this.#all.all().map(toRow);
  }

  /** Channels with ticks, or a final checkpoint, that the shard has not confirmed yet. */
  toClaim(): PayeeChannelRow[] {
    return this.#toClaim.all().map(toRow);
  }

  /** Books what the shard confirmed to hold. */
  setClaimed(channelId: Uint8Array, units: number, final: boolean): void {
    this.#setClaimed.run(units, final ? 1 : 0, channelId);
  }

  /** Units paid by ticks on all channels of this node, ever. */
  paidUnits(): number {
    return this.#paid.get() ?? 0;
  }

  /** What an account paid on its other channels, and owes on those that served it after `debtSinceMs`. */
  historyOf(payer: string, channelId: Uint8Array, debtSinceMs: number): PayerHistory {
    return this.#history.get({ payer, channelId, debtSinceMs }) ?? STRANGER;
  }
}

function toRow(r: RawRow): PayeeChannelRow {
  return {
    state: {
      channelId: r.channel_id,
      capacityUnits: r.capacity_units,
      expiresAtMs: r.expires_at_ms,
      paidUnits: r.paid_units,
      tick: r.tick,
      servedBytes: r.served_bytes,
      checkpointNumber: r.checkpoint_number,
      checkpointUnits: r.checkpoint_units,
      status: r.status,
    },
    payer: r.payer,
    payerDevice: r.payer_device,
    terms: r.terms,
    termsSignature: r.terms_signature,
    leaseSignature: r.lease_signature,
    lastCheckpoint: lastCheckpointOf(r),
    claimedUnits: r.claimed_units,
    finalClaimed: r.final_claimed === 1,
    openedAtMs: r.opened_at_ms,
  };
}
