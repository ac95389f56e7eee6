import type { Database } from '../open.ts';

export interface BroadcastRow {
  readonly contentId: string;
  readonly transport: Uint8Array;
  readonly name: string;
  readonly mimeType: string;
  readonly addedAtMs: number;
  /** Secret part of the address that its encoder pushes to; `null` for a broadcast of somebody else. */
  readonly pushKey: string | null;
  /** That its encoder writes to. */
  readonly folder: string | null;
  /** Last file of the folder that became a segment. */
  readonly sourceMark: string | null;
  /** Of our own: number of its next record. Never goes back. */
  readonly nextSequence: number;
  /** Of our own: interruptions up to its last segment. */
  readonly discontinuities: number;
  readonly ended: boolean;
  /** Segments that are gone included. */
  readonly downBytes: number;
  readonly upBytes: number;
}

export type NewBroadcast = Pick<
  BroadcastRow,
  'contentId' | 'transport' | 'name' | 'mimeType' | 'addedAtMs' | 'pushKey' | 'folder'
>;

type RawRow = Omit<BroadcastRow, 'ended'> & { ended: number };

const traffic = (column: string) => `b.${column} + (SELECT coalesce(sum(c.${column}), 0) FROM contents c
  JOIN live_contents l USING (content_id) WHERE l.broadcast = b.content_id)`;
const COLUMNS = `content_id AS contentId, transport, name, mime_type AS mimeType, added_at_ms AS addedAtMs,
  push_key AS pushKey, folder, source_mark AS sourceMark, next_sequence AS nextSequence, discontinuities, ended,
  ${traffic('down_bytes')} AS downBytes, ${traffic('up_bytes')} AS upBytes`;

/** Broadcasts of others that are remembered; the oldest are forgotten first. */
const MAX_FOREIGN = 200;

/** Live broadcasts: our own, and those that were watched here. */
export class BroadcastTable {
  readonly #get;
  readonly #list;
  readonly #insert;
  readonly #prune;
  readonly #published;
  readonly #end;
  readonly #setFolder;
  readonly #disown;
  readonly #offers;
  readonly #setOffers;
  readonly #nextOffer;
  readonly #setNextOffer;

  constructor(db: Database) {
    this.#get = db.prepare<[string], RawRow>(`SELECT ${COLUMNS} FROM broadcasts b WHERE content_id = ?`);
    this.#list = db.prepare<[], RawRow>(
      `SELECT ${COLUMNS} FROM broadcasts b ORDER BY added_at_ms, content_id`,
    );
    this.#insert = db.prepare<[NewBroadcast]>(
      `INSERT INTO broadcasts (content_id, transport, name, mime_type, added_at_ms, push_key, folder)
       VALUES (@contentId, @transport, @name, @mimeType, @addedAtMs, @pushKey, @folder) ON CONFLICT DO NOTHING`,
    );
    this.#prune = db.prepare(
      `DELETE FROM broadcasts WHERE content_id IN (
         SELECT content_id FROM broadcasts b WHERE push_key IS NULL AND down_bytes + up_bytes = 0
           AND NOT EXISTS (SELECT 1 FROM live_records r WHERE r.broadcast = b.content_id)
         ORDER BY added_at_ms DESC LIMIT -1 OFFSET ${MAX_FOREIGN})`,
    );
    this.#published = db.prepare(
      `UPDATE broadcasts SET next_sequence = max(next_sequence, @next),
         discontinuities = max(discontinuities, @discontinuities), source_mark = coalesce(@mark, source_mark)
       WHERE content_id = @contentId`,
    );
    this.#end = db.prepare(`UPDATE broadcasts SET ended = 1 WHERE content_id = ?`);
    this.#setFolder = db.prepare(
      `UPDATE broadcasts SET folder = @folder, source_mark = NULL WHERE content_id = @contentId`,
    );
    this.#disown = db.prepare(
      `UPDATE broadcasts SET push_key = NULL, folder = NULL WHERE push_key IS NOT NULL AND ended = 0`,
    );
    this.#offers = db
      .prepare<[string], Uint8Array | null>(`SELECT offers FROM broadcasts WHERE content_id = ?`)
      .pluck();
    this.#nextOffer = db
      .prepare<[string], Uint8Array | null>(`SELECT next_offer FROM broadcasts WHERE content_id = ?`)
      .pluck();
    this.#setNextOffer = db.prepare<[Uint8Array | null, string]>(
      `UPDATE broadcasts SET next_offer = ? WHERE content_id = ?`,
    );
    this.#setOffers = db.prepare<[{ contentId: string; offers: Uint8Array; sequence: number }]>(
      `UPDATE broadcasts SET offers = @offers, offers_sequence = @sequence
       WHERE content_id = @contentId AND offers_sequence <= @sequence`,
    );
  }

  get(contentId: string): BroadcastRow | null {
    const row = this.#get.get(contentId);
    return row ? toRow(row) : null;
  }

  /** Oldest first. */
  list(): BroadcastRow[] {
    return this.#list.all().map(toRow);
  }

  /** All of our own, ended ones too, oldest first. */
  own(): BroadcastRow[] {
    return this.list().filter(({ pushKey }) => pushKey !== null);
  }

  /** Keeps what is there when the broadcast is known already. */
  insert(broadcast: NewBroadcast): void {
    this.#insert.run(broadcast);
    this.#prune.run();
  }

  /** A record of our own was signed. `mark`: the folder's file that it was made of. */
  published(contentId: string, sequence: number, discontinuities: number, mark: string | null): void {
    this.#published.run({ contentId, next: sequence + 1, discontinuities, mark });
  }

  setEnded(contentId: string): void {
    this.#end.run(contentId);
  }

  setFolder(contentId: string, folder: string | null): void {
    this.#setFolder.run({ contentId, folder });
  }

  /** The prices that its newest record told, in dag-cbor; `null`: those of its file. */
  offers(contentId: string): Uint8Array | null {
    return this.#offers.get(contentId) ?? null;
  }

  /** What its next record is to ask, as one plain offer; `null` where that is what the last one asked. */
  nextOffer(contentId: string): Uint8Array | null {
    return this.#nextOffer.get(contentId) ?? null;
  }

  setNextOffer(contentId: string, offer: Uint8Array | null): void {
    this.#setNextOffer.run(offer, contentId);
  }

  /** Unless a later record has told others. */
  setOffers(contentId: string, sequence: number, offers: Uint8Array): void {
    this.#setOffers.run({ contentId, offers, sequence });
  }

  /** Those that have not ended are nobody's to go on with: the key of the device that began them is gone. */
  disown(): void {
    this.#disown.run();
  }
}

function toRow(row: RawRow): BroadcastRow {
  return { ...row, ended: row.ended === 1 };
}
