import type { EquivocationKind, SignedRecord } from '../../../shared/channel/equivocation.ts';
import type { Database } from '../open.ts';

export interface DisputeRow {
  readonly device: Uint8Array;
  readonly account: string;
  readonly kind: EquivocationKind;
  /** Canonical bytes. */
  readonly proof: Uint8Array;
}

export interface ClaimedCheckpoint extends SignedRecord {
  readonly channelId: Uint8Array;
  readonly number: number;
  /** SQLite has no booleans: 1 when both sides signed it. */
  readonly countersigned: number;
}

/** Devices that were proven to cheat, and the signed records that the next one is found by. */
export class DisputeTable {
  readonly #insert;
  readonly #get;
  readonly #saveTermsSignature;
  readonly #termsWithAnchor;
  readonly #saveCheckpoint;
  readonly #checkpoint;

  constructor(db: Database) {
    this.#insert = db.prepare<[DisputeRow]>(
      `INSERT INTO disputes (device, account, kind, proof) VALUES (@device, @account, @kind, @proof)
       ON CONFLICT (device) DO NOTHING`,
    );
    this.#get = db.prepare<[Uint8Array], DisputeRow>(
      `SELECT device, account, kind, proof FROM disputes WHERE device = ?`,
    );
    this.#saveTermsSignature = db.prepare(
      `INSERT INTO terms_signatures (channel_id, signature) VALUES (?, ?) ON CONFLICT (channel_id) DO NOTHING`,
    );
    this.#termsWithAnchor = db.prepare<[Uint8Array, Uint8Array], SignedRecord>(
      `SELECT l.terms AS record, s.signature FROM leases l JOIN terms_signatures s USING (channel_id)
       WHERE l.anchor = ? AND l.payer_device = ?`,
    );
    // Both sides' word stays, whatever the payer alone says: it could name a number that no later one passes.
    this.#saveCheckpoint = db.prepare<[ClaimedCheckpoint]>(
      `INSERT INTO claimed_checkpoints (channel_id, number, record, payer_signature, countersigned)
       VALUES (@channelId, @number, @record, @signature, @countersigned)
       ON CONFLICT (channel_id) DO UPDATE SET number = excluded.number, record = excluded.record,
         payer_signature = excluded.payer_signature, countersigned = excluded.countersigned
       WHERE excluded.countersigned > claimed_checkpoints.countersigned
         OR (excluded.countersigned = claimed_checkpoints.countersigned
             AND excluded.number > claimed_checkpoints.number)`,
    );
    this.#checkpoint = db.prepare<[Uint8Array], ClaimedCheckpoint>(
      `SELECT channel_id AS channelId, number, record, payer_signature AS signature, countersigned
       FROM claimed_checkpoints WHERE channel_id = ?`,
    );
  }

  /** The first proof against a device stays. */
  insert(dispute: DisputeRow): void {
    this.#insert.run(dispute);
  }

  get(device: Uint8Array): DisputeRow | null {
    return this.#get.get(device) ?? null;
  }

  saveTermsSignature(channelId: Uint8Array, signature: Uint8Array): void {
    this.#saveTermsSignature.run(channelId, signature);
  }

  /** The leased terms of this device that have this anchor. */
  termsWithAnchor(anchor: Uint8Array, device: Uint8Array): SignedRecord | null {
    return this.#termsWithAnchor.get(anchor, device) ?? null;
  }

  saveCheckpoint(checkpoint: ClaimedCheckpoint): void {
    this.#saveCheckpoint.run(checkpoint);
  }

  checkpoint(channelId: Uint8Array): ClaimedCheckpoint | null {
    return this.#checkpoint.get(channelId) ?? null;
  }
}
