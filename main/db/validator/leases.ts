import type { Database } from '../open.ts';

export interface LeaseRow {
  readonly channelId: Uint8Array;
  readonly anchor: Uint8Array;
  readonly payer: string;
  readonly payee: string;
  readonly payerDevice: Uint8Array;
  readonly payeeDevice: Uint8Array;
  readonly terms: Uint8Array;
  readonly signature: Uint8Array;
  readonly capacityUnits: number;
  readonly leasedAtMs: number;
  readonly expiresAtMs: number;
  readonly claimedUnits: number;
  readonly claimedTick: Uint8Array;
  readonly sealedUnits: number;
  readonly appliedUnits: number;
  readonly checkpointNumber: number;
  readonly videoBytes: number;
  readonly watchMs: number;
  readonly sealedVideoUnits: number;
  readonly sealedWatchMs: number;
  /** SQLite has no booleans: 1 when the unclaimed rest is free again. */
  readonly released: number;
  /** 1 when its device was unlinked, at `expiresAtMs`. */
  readonly ended: number;
}

export type NewLease = Pick<
  LeaseRow,
  | 'channelId'
  | 'anchor'
  | 'payer'
  | 'payee'
  | 'payerDevice'
  | 'payeeDevice'
  | 'terms'
  | 'signature'
  | 'capacityUnits'
  | 'leasedAtMs'
  | 'expiresAtMs'
>;

/** What a claim is verified against. */
export type LeaseProof = Pick<
  LeaseRow,
  'payerDevice' | 'payeeDevice' | 'capacityUnits' | 'claimedUnits' | 'claimedTick'
>;

/** What a verified claim is booked against. */
export type ClaimedLease = Pick<
  LeaseRow,
  | 'capacityUnits'
  | 'leasedAtMs'
  | 'expiresAtMs'
  | 'claimedUnits'
  | 'checkpointNumber'
  | 'videoBytes'
  | 'watchMs'
  | 'released'
  | 'ended'
>;

export type ClaimProgress = Pick<
  LeaseRow,
  'channelId' | 'claimedUnits' | 'checkpointNumber' | 'videoBytes' | 'watchMs' | 'released'
> & {
  /** `null` where no deeper one came. */
  readonly claimedTick: Uint8Array | null;
};

export type LeaseSeal = Pick<
  LeaseRow,
  'channelId' | 'sealedUnits' | 'sealedVideoUnits' | 'sealedWatchMs' | 'watchMs' | 'videoBytes'
>;

/** Who was served by whom, and how much. */
export type ServedLease = Pick<
  LeaseRow,
  'payer' | 'payerDevice' | 'payeeDevice' | 'claimedUnits' | 'appliedUnits'
>;

const COLUMNS = `channel_id AS channelId, anchor, payer, payee, payer_device AS payerDevice,
  payee_device AS payeeDevice, terms, signature, capacity_units AS capacityUnits, leased_at_ms AS leasedAtMs,
  expires_at_ms AS expiresAtMs, claimed_units AS claimedUnits, claimed_tick AS claimedTick,
  sealed_units AS sealedUnits, applied_units AS appliedUnits, checkpoint_number AS checkpointNumber,
  video_bytes AS videoBytes, watch_ms AS watchMs, sealed_video_units AS sealedVideoUnits,
  sealed_watch_ms AS sealedWatchMs, released, ended`;

/** Capacity that this shard has reserved, and how much of it was claimed, sealed into batches, and applied. */
export class LeaseTable {
  readonly #get;
  readonly #proof;
  readonly #claimed;
  readonly #anchorUsed;
  readonly #insert;
  readonly #reserved;
  readonly #openCount;
  readonly #countSince;
  readonly #saveClaim;
  readonly #saveLastClaim;
  readonly #toSeal;
  readonly #seal;
  readonly #applied;
  readonly #release;
  readonly #served;
  readonly #newestOfPayers;
  readonly #unused;
  readonly #forget: readonly { run(of: { channelId: Uint8Array; payer: string }): unknown }[];
  readonly #endOf;
  readonly #openOfDevice;
  readonly #lastGranted;
  readonly #reopen;

  constructor(db: Database) {
    this.#get = db.prepare<[Uint8Array], LeaseRow>(`SELECT ${COLUMNS} FROM leases WHERE channel_id = ?`);
    // Two small reads for each claim, the second without any bytes: those are what reading a row costs.
    this.#proof = db.prepare<[Uint8Array], LeaseProof>(
      `SELECT payer_device AS payerDevice, payee_device AS payeeDevice, capacity_units AS capacityUnits,
         claimed_units AS claimedUnits, claimed_tick AS claimedTick
       FROM leases WHERE channel_id = ?`,
    );
    this.#claimed = db.prepare<[Uint8Array], ClaimedLease>(
      `SELECT capacity_units AS capacityUnits, leased_at_ms AS leasedAtMs, expires_at_ms AS expiresAtMs,
         claimed_units AS claimedUnits, checkpoint_number AS checkpointNumber, video_bytes AS videoBytes,
         watch_ms AS watchMs, released, ended
       FROM leases WHERE channel_id = ?`,
    );
    this.#anchorUsed = db.prepare<[Uint8Array], number>(`SELECT 1 FROM leases WHERE anchor = ?`).pluck();
    this.#insert = db.prepare(
      `INSERT INTO leases (channel_id, anchor, payer, payee, payer_device, payee_device, terms, signature,
         capacity_units, leased_at_ms, expires_at_ms, claimed_tick)
       VALUES (@channelId, @anchor, @payer, @payee, @payerDevice, @payeeDevice, @terms, @signature, @capacityUnits,
         @leasedAtMs, @expiresAtMs, @anchor)`,
    );
    this.#reserved = db
      .prepare<[string], number>(
        `SELECT coalesce(sum(CASE released WHEN 1 THEN claimed_units ELSE capacity_units END - applied_units), 0)
         FROM leases INDEXED BY leases_open
         WHERE payer = ? AND max(1 - released, claimed_units - applied_units) > 0`,
      )
      .pluck();
    this.#openCount = db
      .prepare<[string], number>(
        `SELECT count(*) FROM leases INDEXED BY leases_open
         WHERE payer = ? AND max(1 - released, claimed_units - applied_units) > 0`,
      )
      .pluck();
    this.#countSince = db
      .prepare<[string, number], number>(`SELECT count(*) FROM leases WHERE payer = ? AND leased_at_ms > ?`)
      .pluck();
    const progress = `claimed_units = @claimedUnits, claimed_tick = coalesce(@claimedTick, claimed_tick),
         checkpoint_number = @checkpointNumber, video_bytes = @videoBytes, watch_ms = @watchMs`;
    // `released` is set only where it changes: that moves the lease in one index more.
    this.#saveClaim = db.prepare<[ClaimProgress]>(
      `UPDATE leases SET ${progress} WHERE channel_id = @channelId AND claimed_units <= @claimedUnits`,
    );
    this.#saveLastClaim = db.prepare<[ClaimProgress]>(
      `UPDATE leases SET ${progress}, released = 1
       WHERE channel_id = @channelId AND claimed_units <= @claimedUnits`,
    );
    this.#toSeal = db.prepare<[], LeaseRow>(
      `SELECT ${COLUMNS} FROM leases INDEXED BY leases_to_seal
       WHERE max(claimed_units - sealed_units, watch_ms - sealed_watch_ms,
                 min(video_bytes / 1048576, claimed_units, watch_ms / 64) - sealed_video_units) > 0`,
    );
    this.#seal = db.prepare(
      `UPDATE leases SET sealed_units = @sealedUnits, sealed_video_units = @sealedVideoUnits,
         sealed_watch_ms = @sealedWatchMs, watch_ms = @watchMs, video_bytes = @videoBytes WHERE channel_id = @channelId`,
    );
    this.#applied = db.prepare(
      `UPDATE leases INDEXED BY leases_to_apply SET applied_units = sealed_units WHERE applied_units < sealed_units`,
    );
    this.#release = db.prepare(
      `UPDATE leases INDEXED BY leases_to_release SET released = 1 WHERE released = 0 AND expires_at_ms < ?`,
    );
    this.#unused = unusedLeases(db);
    this.#forget = forgettingOf(db);
    this.#served = db.prepare<[Uint8Array], ServedLease>(
      `SELECT ${SERVED} FROM leases WHERE channel_id = ? AND claimed_units > 0`,
    );
    this.#newestOfPayers = newestOfPayers(db);
    this.#endOf = db
      .prepare<[{ payer: string; device: Uint8Array; atMs: number }], string>(
        `UPDATE leases SET ended = 1, expires_at_ms = min(expires_at_ms, @atMs)
         WHERE payer = @payer AND payer_device = @device AND released = 0 AND ended = 0 RETURNING payee`,
      )
      .pluck();
    this.#openOfDevice = openOfDevice(db);
    this.#reopen = db.prepare<[Uint8Array]>(`UPDATE leases SET released = 0 WHERE channel_id = ?`);
    this.#lastGranted = db
      .prepare<[], number>(`SELECT leased_at_ms FROM leases ORDER BY rowid DESC LIMIT 1`)
      .pluck();
  }

  /** Reserves the rest of a released lease again. */
  reopen(channelId: Uint8Array): void {
    this.#reopen.run(channelId);
  }

  /** When the newest lease was granted; 0 when there is none. */
  lastGrantedMs(): number {
    return this.#lastGranted.get() ?? 0;
  }

  /** Ends a device's open leases; the answer is their payees, each as often as it has one. */
  endOf(payer: string, device: Uint8Array, atMs: number): string[] {
    return this.#endOf.all({ payer, device, atMs });
  }

  /** A device's leases that are not released, and the units of them that nobody has claimed. */
  openOfDevice(payer: string, device: Uint8Array): { readonly leases: number; readonly units: number } {
    return this.#openOfDevice.get(payer, device) ?? { leases: 0, units: 0 };
  }

  get(channelId: Uint8Array): LeaseRow | null {
    return this.#get.get(channelId) ?? null;
  }

  proof(channelId: Uint8Array): LeaseProof | null {
    return this.#proof.get(channelId) ?? null;
  }

  claimed(channelId: Uint8Array): ClaimedLease | null {
    return this.#claimed.get(channelId) ?? null;
  }

  anchorUsed(anchor: Uint8Array): boolean {
    return this.#anchorUsed.get(anchor) !== undefined;
  }

  insert(lease: NewLease): void {
    this.#insert.run(lease);
  }

  /** Units of a payer that are spoken for: leased or claimed, and not yet answered for by the main chain. */
  reservedUnits(payer: string): number {
    return this.#reserved.get(payer) ?? 0;
  }

  /** Leases of a payer that are not released and settled to the end. */
  openCount(payer: string): number {
    return this.#openCount.get(payer) ?? 0;
  }

  /** Leases that a payer took after `sinceMs`, finished ones included. */
  countSince(payer: string, sinceMs: number): number {
    return this.#countSince.get(payer, sinceMs) ?? 0;
  }

  saveClaim(progress: ClaimProgress): void {
    (progress.released === 1 ? this.#saveLastClaim : this.#saveClaim).run(progress);
  }

  /** Leases with something that no batch has taken up yet. */
  toSeal(): LeaseRow[] {
    return this.#toSeal.all();
  }

  /** `watchMs` and `videoBytes` are what is still worth looking at: no more than was sealed once the rest can never count. */
  seal(lease: LeaseSeal): void {
    this.#seal.run(lease);
  }

  /** The main chain has answered for everything that was sealed. */
  markApplied(): void {
    this.#applied.run();
  }

  /** Frees the unclaimed rest of leases that expired before `expiredBeforeMs`. */
  releaseExpired(expiredBeforeMs: number): number {
    return this.#release.run(expiredBeforeMs).changes;
  }

  /**
   * Forgets leases that are released, expired before `expiredBeforeMs`, and that nothing was ever paid or signed on: one
   * that carried a unit is history and stays. No more than `most` at a time. Belongs in a transaction.
   */
  forgetUnused(expiredBeforeMs: number, most: number): number {
    const unused = this.#unused.all(expiredBeforeMs, most);
    for (const lease of unused) for (const statement of this.#forget) statement.run(lease);
    return unused.length;
  }

  /** A lease with units that were claimed; `null` for any other. */
  served(channelId: Uint8Array): ServedLease | null {
    return this.#served.get(channelId) ?? null;
  }

  /** Of `among` leases that were granted last, those with settled units of payers whose funds have ever paid, newest first. */
  newestOfPayers(among: number): IterableIterator<ServedLease> {
    return this.#newestOfPayers.iterate(among);
  }
}

/** Oldest ends first. A checkpoint that a claim carried is evidence, whatever it says. */
function unusedLeases(db: Database) {
  return db.prepare<[number, number], Pick<LeaseRow, 'channelId' | 'payer'>>(
    `SELECT channel_id AS channelId, payer FROM leases INDEXED BY leases_unused
     WHERE released = 1 AND claimed_units = 0 AND checkpoint_number = 0 AND watch_ms = 0 AND expires_at_ms < ?
       AND NOT EXISTS (SELECT 1 FROM claimed_checkpoints c WHERE c.channel_id = leases.channel_id)
     ORDER BY expires_at_ms LIMIT ?`,
  );
}

function openOfDevice(db: Database) {
  return db.prepare<[string, Uint8Array], { leases: number; units: number }>(
    `SELECT count(*) AS leases, coalesce(sum(capacity_units - claimed_units), 0) AS units
     FROM leases INDEXED BY leases_open
     WHERE payer = ? AND payer_device = ? AND released = 0 AND max(1 - released, claimed_units - applied_units) > 0`,
  );
}

/** What goes with a lease that is forgotten, in this order. */
function forgettingOf(db: Database) {
  return [
    `DELETE FROM terms_signatures WHERE channel_id = @channelId`,
    `DELETE FROM leases WHERE channel_id = @channelId`,
    `DELETE FROM watchers WHERE account = @payer AND NOT EXISTS (SELECT 1 FROM leases WHERE payer = @payer)`,
  ].map((sql) => db.prepare<[{ channelId: Uint8Array; payer: string }]>(sql));
}

const SERVED = `payer, payer_device AS payerDevice, payee_device AS payeeDevice, claimed_units AS claimedUnits,
  applied_units AS appliedUnits`;

/** Of the newest rows only: those of strangers that never served anything may be many. */
function newestOfPayers(db: Database) {
  return db.prepare<[number], ServedLease>(
    `SELECT ${SERVED}
     FROM (SELECT * FROM leases ORDER BY rowid DESC LIMIT ?) AS leases
     CROSS JOIN watchers ON watchers.account = leases.payer
     WHERE leases.applied_units > 0 AND watchers.ever_paid_units > 0`,
  );
}
