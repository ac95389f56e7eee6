import { type PayeeState, type PayerHistory, STRANGER } from '../../../shared/channel/payee.ts';
import type { SignedCheckpoint } from '../../../shared/channel/records.ts';
import { encodeCheckpoint } from '../../../shared/channel/records.ts';
import { invariant } from '../../../shared/errors.ts';
import { type Database, transaction } from '../open.ts';
import { type CheckpointColumns, lastCheckpointOf } from './checkpoint-columns.ts';
import { PayeeProgressTable } from './payee-progress.ts';

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
  /** What `progress` knows the channel by. */
  readonly rowId: number;
  readonly lastCheckpoint: SignedCheckpoint | null;
  readonly claimedUnits: number;
}

export interface HistoryQuestion {
  readonly payer: string;
  /** Left out of the answer. */
  readonly channelId: Uint8Array;
  readonly debtSinceMs: number;
}

/** The part of a state that changes with a checkpoint, or less often. */
export type PayeeStanding = Pick<PayeeState, 'checkpointNumber' | 'checkpointUnits' | 'status' | 'pausedBy'>;

interface RawRow extends CheckpointColumns {
  id: number;
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
  status: PayeeState['status'];
  paused_by: PayeeState['pausedBy'];
  opened_at_ms: number;
}

/** Channels on which this node is paid. */
export class PayeeChannelTable {
  /** What ticks change. */
  readonly progress: PayeeProgressTable;
  readonly #db: Database;
  readonly #insert;
  readonly #insertProgress;
  readonly #rowId;
  readonly #saveStanding;
  readonly #saveCheckpoint;
  readonly #get;
  readonly #all;
  readonly #toClaim;
  readonly #expired;
  readonly #setClaimed;
  readonly #paid;
  readonly #history;
  readonly #unused;
  readonly #forget: readonly { run(id: number): unknown }[];
  readonly #payersServed;
  readonly #inUse;

  constructor(db: Database) {
    this.#db = db;
    this.progress = new PayeeProgressTable(db);
    this.#insert = db.prepare(
      `INSERT INTO payee_channels (channel_id, payer, payer_device, terms, terms_signature, lease_signature,
         capacity_units, expires_at_ms, checkpoint_number, checkpoint_units, status, paused_by, opened_at_ms)
       VALUES (@channelId, @payer, @payerDevice, @terms, @termsSignature, @leaseSignature, @capacityUnits,
         @expiresAtMs, @checkpointNumber, @checkpointUnits, @status, @pausedBy, @openedAtMs)`,
    );
    this.#insertProgress = db.prepare(
      `INSERT INTO payee_progress (id, paid_units, tick, served_bytes, served_at_ms)
       VALUES (@rowId, @paidUnits, @tick, @servedBytes, @openedAtMs)`,
    );
    this.#rowId = db
      .prepare<[Uint8Array], number>(`SELECT id FROM payee_channels WHERE channel_id = ?`)
      .pluck();
    this.#saveStanding = db.prepare<[PayeeStanding & { rowId: number }]>(
      `UPDATE payee_channels SET checkpoint_number = @checkpointNumber, checkpoint_units = @checkpointUnits,
         status = @status, paused_by = @pausedBy
       WHERE id = @rowId AND checkpoint_number <= @checkpointNumber`,
    );
    this.#saveCheckpoint = db.prepare(
      `UPDATE payee_channels SET checkpoint = ?, payer_signature = ?, payee_signature = ? WHERE channel_id = ?`,
    );
    this.#get = db.prepare<[Uint8Array], RawRow>(`SELECT * FROM payee_books WHERE channel_id = ?`);
    this.#all = db.prepare<[], RawRow>(`SELECT * FROM payee_books ORDER BY opened_at_ms`);
    this.#toClaim = db.prepare<[], RawRow>(
      `SELECT * FROM payee_books
       WHERE status NOT IN ('claimed', 'settled') AND (paid_units > claimed_units OR status = 'closing')
       ORDER BY opened_at_ms`,
    );
    this.#expired = db
      .prepare<[number], Uint8Array>(
        `SELECT channel_id FROM payee_channels
         WHERE status IN ('opening', 'open', 'paused') AND expires_at_ms <= ?`,
      )
      .pluck();
    this.#setClaimed = db.prepare(`UPDATE payee_channels SET claimed_units = ? WHERE channel_id = ?`);
    this.#paid = db.prepare<[], number>(`SELECT coalesce(sum(paid_units), 0) FROM payee_progress`).pluck();
    this.#unused = db
      .prepare<[number, number], number>(
        `SELECT id FROM payee_books
         WHERE expires_at_ms < ? AND paid_units = 0 AND served_bytes = 0 AND claimed_units = 0 AND shard_units = 0
           AND checkpoint IS NULL AND status NOT IN ('opening', 'open', 'paused', 'disputed')
         ORDER BY id LIMIT ?`,
      )
      .pluck();
    this.#forget = ['payee_progress', 'payee_channels'].map((table) =>
      db.prepare<[number]>(`DELETE FROM ${table} WHERE id = ?`),
    );
    this.#history = db.prepare<[HistoryQuestion & { inUse: string }], PayerHistory>(
      `SELECT coalesce(sum(paid_units), 0) AS paidUnits, coalesce(sum(unpaid), 0) AS unpaidUnits,
         coalesce(sum(CASE WHEN status IN ('opening', 'open', 'paused')
           AND id IN (SELECT value FROM json_each(@inUse)) THEN 0 ELSE unpaid END), 0) AS lostUnits
       FROM (SELECT id, paid_units, status, CASE WHEN served_at_ms > @debtSinceMs
               THEN max((served_bytes + 1048575) / 1048576 - paid_units, 0) ELSE 0 END AS unpaid
             FROM payee_books WHERE payer = @payer AND channel_id <> @channelId)`,
    );
    this.#inUse = db.prepare<[], { device: Uint8Array; account: string }>(
      `SELECT payer_device AS device, payer AS account FROM payee_channels
       WHERE status IN ('opening', 'open', 'paused')`,
    );
    this.#payersServed = db.prepare<[number], { payer: string; paidUnits: number }>(
      `SELECT payer, sum(paid_units) AS paidUnits FROM payee_books GROUP BY payer HAVING max(served_at_ms) > ?`,
    );
  }

  /** Who is behind the devices that have a channel to this node now. */
  inUse(): { device: Uint8Array; account: string }[] {
    return this.#inUse.all();
  }

  /** Payers that were served after `sinceMs`, each with the units that it paid by ticks, ever. */
  payersServedAfter(sinceMs: number): { payer: string; paidUnits: number }[] {
    return this.#payersServed.all(sinceMs);
  }

  insert(channel: NewPayeeChannel): void {
    const { state, ...rest } = channel;
    transaction(this.#db, () => {
      const { lastInsertRowid } = this.#insert.run({ ...rest, ...state });
      this.#insertProgress.run({ rowId: lastInsertRowid, openedAtMs: rest.openedAtMs, ...state });
    });
  }

  /** Served bytes that have grown are dated `nowMs`. @throws AceError `InvariantViolated` when it would go back */
  save(state: PayeeState, nowMs: number): void {
    const rowId = this.#rowId.get(state.channelId);
    invariant(rowId !== undefined, 'a channel is stored before anything changes on it');
    transaction(this.#db, () => {
      this.progress.saveAll(nowMs, (writer) => writer.save(rowId, state));
      this.saveStanding(rowId, state);
    });
  }

  /** @throws AceError `InvariantViolated` when it would go back to an earlier checkpoint */
  saveStanding(rowId: number, standing: PayeeStanding): void {
    const { checkpointNumber, checkpointUnits, status, pausedBy } = standing;
    const { changes } = this.#saveStanding.run({
      rowId,
      checkpointNumber,
      checkpointUnits,
      status,
      pausedBy,
    });
    invariant(changes === 1, 'a payee never goes back on a checkpoint');
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

  /** Channels with ticks, or a final checkpoint, that the shard has not confirmed yet and has not ended. */
  toClaim(): PayeeChannelRow[] {
    return this.#toClaim.all().map(toRow);
  }

  /** Ids of channels whose time is over and that were not ended before. */
  expired(nowMs: number): Uint8Array[] {
    return this.#expired.all(nowMs);
  }

  /** Books what the shard holds: less than before when it was restored from an older copy. */
  setClaimed(channelId: Uint8Array, units: number): void {
    this.#setClaimed.run(units, channelId);
  }

  /** Units paid by ticks on all channels of this node, ever. */
  paidUnits(): number {
    return this.#paid.get() ?? 0;
  }

  /**
   * Forgets channels that expired before `expiredBeforeMs` and never carried a byte, nor a tick or a signature: nobody owes
   * or can prove anything by them. No more than `most` at a time. Belongs in a transaction.
   */
  forgetUnused(expiredBeforeMs: number, most: number): number {
    const unused = this.#unused.all(expiredBeforeMs, most);
    for (const id of unused) for (const statement of this.#forget) statement.run(id);
    return unused.length;
  }

  /**
   * What an account paid on its other channels, and owes on those that served it after `debtSinceMs`. `inUse`: the rows
   * of those that a stream uses now.
   */
  historyOf(question: HistoryQuestion, inUse: readonly number[] = []): PayerHistory {
    return this.#history.get({ ...question, inUse: JSON.stringify(inUse) }) ?? STRANGER;
  }
}

function toRow(r: RawRow): PayeeChannelRow {
  return {
    rowId: r.id,
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
      pausedBy: r.paused_by,
    },
    payer: r.payer,
    payerDevice: r.payer_device,
    terms: r.terms,
    termsSignature: r.terms_signature,
    leaseSignature: r.lease_signature,
    lastCheckpoint: lastCheckpointOf(r),
    claimedUnits: r.claimed_units,
    openedAtMs: r.opened_at_ms,
  };
}
