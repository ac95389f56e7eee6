import type { LostElsewhere, PayerState } from '../../../shared/channel/payer.ts';
import type { SignedCheckpoint } from '../../../shared/channel/records.ts';
import { encodeCheckpoint } from '../../../shared/channel/records.ts';
import { invariant } from '../../../shared/errors.ts';
import type { Database } from '../open.ts';
import { type CheckpointColumns, lastCheckpointOf } from './checkpoint-columns.ts';

/** What never changes on a channel after it was made. */
export interface NewPayerChannel {
  readonly state: PayerState;
  readonly payee: string;
  readonly payeeDevice: Uint8Array;
  readonly terms: Uint8Array;
  readonly termsSignature: Uint8Array;
  readonly pebbles: Uint8Array;
  readonly openedAtMs: number;
}

export interface PayerChannelRow extends NewPayerChannel {
  readonly leaseSignature: Uint8Array | null;
  readonly lastCheckpoint: SignedCheckpoint | null;
}

interface RawRow extends CheckpointColumns {
  channel_id: Uint8Array;
  payee: string;
  payee_device: Uint8Array;
  terms: Uint8Array;
  terms_signature: Uint8Array;
  lease_signature: Uint8Array | null;
  pebbles: Uint8Array;
  capacity_units: number;
  expires_at_ms: number;
  revealed_units: number;
  verified_bytes: number;
  video_bytes: number;
  lost_bytes: number;
  watch_ms: number;
  checkpoint_number: number;
  checkpoint_units: number;
  checkpoint_at_ms: number;
  status: PayerState['status'];
  paused_by: PayerState['pausedBy'];
  opened_at_ms: number;
}

/** Channels on which this node pays. */
export class PayerChannelTable {
  readonly #insert;
  readonly #setLease;
  readonly #save;
  readonly #saveCheckpoint;
  readonly #setCountersignature;
  readonly #delete;
  readonly #get;
  readonly #usable;
  readonly #inUse;
  readonly #unanswered;
  readonly #all;
  readonly #uncountersigned;
  readonly #toRelease;
  readonly #openingsBeyond;
  readonly #expired;
  readonly #unsignable;
  readonly #revealed;
  readonly #lost;

  constructor(db: Database) {
    this.#insert = db.prepare(
      `INSERT INTO payer_channels (channel_id, payee, payee_device, terms, terms_signature, pebbles, capacity_units,
         expires_at_ms, revealed_units, verified_bytes, video_bytes, lost_bytes, watch_ms, checkpoint_number,
         checkpoint_units, checkpoint_at_ms, status, paused_by, opened_at_ms)
       VALUES (@channelId, @payee, @payeeDevice, @terms, @termsSignature, @pebbles, @capacityUnits, @expiresAtMs,
         @revealedUnits, @verifiedBytes, @videoBytes, @lostBytes, @watchMs, @checkpointNumber, @checkpointUnits,
         @checkpointAtMs, @status, @pausedBy, @openedAtMs)`,
    );
    this.#setLease = db.prepare(`UPDATE payer_channels SET lease_signature = ? WHERE channel_id = ?`);
    // A state that would take back a revealed tick is never written.
    this.#save = db.prepare(
      `UPDATE payer_channels SET revealed_units = @revealedUnits, verified_bytes = @verifiedBytes,
         video_bytes = @videoBytes, watch_ms = @watchMs, lost_bytes = @lostBytes,
         lost_at_ms = CASE WHEN lost_bytes < @lostBytes OR revealed_units < @revealedUnits AND
           @revealedUnits > (@verifiedBytes + @lostBytes + 1048575) / 1048576 THEN @nowMs ELSE lost_at_ms END,
         checkpoint_number = @checkpointNumber, checkpoint_units = @checkpointUnits,
         checkpoint_at_ms = @checkpointAtMs, status = @status, paused_by = @pausedBy
       WHERE channel_id = @channelId AND revealed_units <= @revealedUnits`,
    );
    this.#saveCheckpoint = db.prepare(
      `UPDATE payer_channels SET checkpoint = ?, payer_signature = ?, payee_signature = NULL WHERE channel_id = ?`,
    );
    this.#setCountersignature = db.prepare(
      `UPDATE payer_channels SET payee_signature = ? WHERE channel_id = ?`,
    );
    this.#get = db.prepare<[Uint8Array], RawRow>(`SELECT * FROM payer_channels WHERE channel_id = ?`);
    this.#delete = db.prepare(`DELETE FROM payer_channels WHERE channel_id = ? AND lease_signature IS NULL`);
    this.#inUse = db.prepare<[], { device: Uint8Array; account: string }>(
      `SELECT payee_device AS device, payee AS account FROM payer_channels
       WHERE status IN ('opening', 'open', 'paused')`,
    );
    this.#usable = db.prepare<[Uint8Array, number], RawRow>(
      `SELECT * FROM payer_channels WHERE payee_device = ? AND status = 'open' AND expires_at_ms > ?
         ORDER BY opened_at_ms DESC`,
    );
    this.#unanswered = db.prepare<[Uint8Array, number], RawRow>(
      `SELECT * FROM payer_channels WHERE payee_device = ? AND status = 'opening' AND expires_at_ms > ?
         ORDER BY opened_at_ms LIMIT 1`,
    );
    this.#all = db.prepare<[], RawRow>(`SELECT * FROM payer_channels ORDER BY opened_at_ms`);
    this.#uncountersigned = db.prepare<[Uint8Array], RawRow>(
      `SELECT * FROM payer_channels WHERE payee_device = ? AND status = 'closing' AND payee_signature IS NULL
       ORDER BY opened_at_ms`,
    );
    this.#toRelease = db.prepare<[], RawRow>(
      `SELECT * FROM payer_channels WHERE status = 'closing' AND payee_signature IS NOT NULL ORDER BY opened_at_ms`,
    );
    this.#openingsBeyond = db.prepare<[number], RawRow>(
      `SELECT * FROM payer_channels WHERE status = 'opening' AND lease_signature IS NULL AND expires_at_ms > ?`,
    );
    this.#expired = db.prepare<[number], RawRow>(
      `SELECT * FROM payer_channels WHERE status IN ('opening', 'open', 'paused') AND expires_at_ms <= ?`,
    );
    this.#unsignable = db.prepare<[number], RawRow>(
      `SELECT * FROM payer_channels WHERE status = 'closing' AND payee_signature IS NULL AND expires_at_ms <= ?`,
    );
    this.#revealed = db
      .prepare<[], number>(`SELECT coalesce(sum(revealed_units), 0) FROM payer_channels`)
      .pluck();
    // In units, rounded up on each channel: that is what a written-off byte reveals. A unit that was paid ahead is lost
    // until it has come, and one that was written off may have been paid ahead.
    const lostUnits = `max((lost_bytes + 1048575) / 1048576, revealed_units - (verified_bytes + 1048575) / 1048576)`;
    this.#lost = db.prepare<
      [{ payee: string; channelId: Uint8Array; sinceMs: number }],
      { toPayee: number; lately: number }
    >(
      `SELECT coalesce(sum(CASE WHEN payee = @payee THEN ${lostUnits} END), 0) AS toPayee,
         coalesce(sum(CASE WHEN lost_at_ms > @sinceMs THEN ${lostUnits} END), 0) AS lately
       FROM payer_channels WHERE lost_at_ms > 0 AND channel_id <> @channelId`,
    );
  }

  insert(channel: NewPayerChannel): void {
    const { state, ...rest } = channel;
    this.#insert.run({ ...rest, ...state });
  }

  setLease(channelId: Uint8Array, signature: Uint8Array): void {
    this.#setLease.run(signature, channelId);
  }

  /** Forgets a channel that the shard refused to lease; it never carried anything. */
  deleteUnleased(channelId: Uint8Array): void {
    this.#delete.run(channelId);
  }

  /** Lost bytes that have grown are dated `nowMs`. */
  save(state: PayerState, nowMs: number): void {
    const { changes } = this.#save.run({ ...state, nowMs });
    invariant(changes === 1, 'a payer never goes back on a channel');
  }

  saveCheckpoint(channelId: Uint8Array, signed: SignedCheckpoint): void {
    this.#saveCheckpoint.run(encodeCheckpoint(signed.checkpoint), signed.payerSignature, channelId);
  }

  setCountersignature(channelId: Uint8Array, signature: Uint8Array): void {
    this.#setCountersignature.run(signature, channelId);
  }

  get(channelId: Uint8Array): PayerChannelRow | null {
    const row = this.#get.get(channelId);
    return row ? toRow(row) : null;
  }

  /** Who is behind the devices to which this node has a channel now. */
  inUse(): { device: Uint8Array; account: string }[] {
    return this.#inUse.all();
  }

  /** The open, leased channels to a provider's device, newest first. */
  usable(payeeDevice: Uint8Array, nowMs: number): PayerChannelRow[] {
    return this.#usable.all(payeeDevice, nowMs).map(toRow);
  }

  /** Units written off as lost on all channels but this one: to an account, ever, and to anyone since `sinceMs`. */
  lostElsewhere(payee: string, channelId: Uint8Array, sinceMs: number): LostElsewhere {
    const { toPayee, lately } = this.#lost.get({ payee, channelId, sinceMs }) ?? { toPayee: 0, lately: 0 };
    return { toPayeeUnits: toPayee, latelyUnits: lately };
  }

  /** A channel whose lease was asked for and never answered: asking again with the same terms is safe. */
  unanswered(payeeDevice: Uint8Array, expiresAfterMs: number): PayerChannelRow | null {
    const row = this.#unanswered.get(payeeDevice, expiresAfterMs);
    return row ? toRow(row) : null;
  }

  all(): PayerChannelRow[] {
    return this.#all.all().map(toRow);
  }

  /** Channels of which a provider's device has not signed the final checkpoint. */
  uncountersigned(payeeDevice: Uint8Array): PayerChannelRow[] {
    return this.#uncountersigned.all(payeeDevice).map(toRow);
  }

  /** Channels that both sides have closed, and of which the shard has not said that it knows. */
  toRelease(): PayerChannelRow[] {
    return this.#toRelease.all().map(toRow);
  }

  /** Channels without a lease whose terms go beyond `expiresAfterMs`. */
  openingsBeyond(expiresAfterMs: number): PayerChannelRow[] {
    return this.#openingsBeyond.all(expiresAfterMs).map(toRow);
  }

  /** Channels whose time is over and that were not ended before. */
  expired(nowMs: number): PayerChannelRow[] {
    return this.#expired.all(nowMs).map(toRow);
  }

  /** Closing channels, not countersigned, that expired by `expiredByMs`. */
  unsignable(expiredByMs: number): PayerChannelRow[] {
    return this.#unsignable.all(expiredByMs).map(toRow);
  }

  /** Units revealed on all channels of this node, ever. */
  revealedUnits(): number {
    return this.#revealed.get() ?? 0;
  }
}

function toRow(r: RawRow): PayerChannelRow {
  return {
    state: {
      channelId: r.channel_id,
      capacityUnits: r.capacity_units,
      expiresAtMs: r.expires_at_ms,
      revealedUnits: r.revealed_units,
      verifiedBytes: r.verified_bytes,
      videoBytes: r.video_bytes,
      lostBytes: r.lost_bytes,
      watchMs: r.watch_ms,
      checkpointNumber: r.checkpoint_number,
      checkpointUnits: r.checkpoint_units,
      checkpointAtMs: r.checkpoint_at_ms,
      status: r.status,
      pausedBy: r.paused_by,
    },
    payee: r.payee,
    payeeDevice: r.payee_device,
    terms: r.terms,
    termsSignature: r.terms_signature,
    leaseSignature: r.lease_signature,
    pebbles: r.pebbles,
    lastCheckpoint: lastCheckpointOf(r),
    openedAtMs: r.opened_at_ms,
  };
}
