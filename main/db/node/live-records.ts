import type { LiveRecord } from '../../../shared/live/records.ts';
import type { HeardRecord } from '../../../shared/live/window.ts';
import type { Database } from '../open.ts';

export interface Contradiction {
  readonly broadcast: string;
  readonly sequence: number;
  /** Signed records: the one that counts here, and the one that was refused. */
  readonly first: Uint8Array;
  readonly second: Uint8Array;
  readonly atMs: number;
}

/** Of one broadcaster each; more say nothing new. */
const MAX_CONTRADICTIONS = 16;

const COLUMNS = `broadcast, sequence, content_id AS contentId, init_content_id AS initContentId,
  duration_ms AS durationMs, size_bytes AS sizeBytes, discontinuities, starts_at_ms AS startsAtMs,
  heard_at_ms AS heardAtMs`;

/** The windows of broadcasts: the records of their last segments, and which contents are segments at all. */
export class LiveRecordTable {
  readonly #insert;
  readonly #window;
  readonly #get;
  readonly #message;
  readonly #after;
  readonly #delete;
  readonly #claim;
  readonly #broadcastOf;
  readonly #unreferenced;
  readonly #keepTraffic;
  readonly #deleteContent;
  readonly #release;
  readonly #contradict;
  readonly #contradictions;

  constructor(db: Database) {
    this.#insert = db.prepare<[HeardRecord & { message: Uint8Array }]>(
      `INSERT INTO live_records (broadcast, sequence, message, content_id, init_content_id, duration_ms, size_bytes,
         discontinuities, starts_at_ms, heard_at_ms)
       VALUES (@broadcast, @sequence, @message, @contentId, @initContentId, @durationMs, @sizeBytes,
         @discontinuities, @startsAtMs, @heardAtMs)`,
    );
    this.#window = db.prepare<[string], HeardRecord>(
      `SELECT ${COLUMNS} FROM live_records WHERE broadcast = ? ORDER BY sequence`,
    );
    this.#get = db.prepare<[string, number], HeardRecord>(
      `SELECT ${COLUMNS} FROM live_records WHERE broadcast = ? AND sequence = ?`,
    );
    this.#message = db
      .prepare<[string, number], Uint8Array>(
        `SELECT message FROM live_records WHERE broadcast = ? AND sequence = ?`,
      )
      .pluck();
    this.#after = db
      .prepare<[string, number, number], Uint8Array>(
        `SELECT message FROM (SELECT sequence, message FROM live_records WHERE broadcast = ? AND sequence > ?
           ORDER BY sequence DESC LIMIT ?) ORDER BY sequence`,
      )
      .pluck();
    this.#delete = db.prepare(`DELETE FROM live_records WHERE broadcast = ? AND sequence = ?`);
    this.#claim = db.prepare<[{ contentId: string; broadcast: string }]>(
      `INSERT INTO live_contents (content_id, broadcast) SELECT @contentId, @broadcast
       WHERE NOT EXISTS (SELECT 1 FROM contents WHERE content_id = @contentId) ON CONFLICT DO NOTHING`,
    );
    this.#broadcastOf = db
      .prepare<[string], string>(`SELECT broadcast FROM live_contents WHERE content_id = ?`)
      .pluck();
    this.#unreferenced = db
      .prepare<{ broadcast: string }, string>(
        `SELECT content_id FROM live_contents WHERE broadcast = @broadcast
         EXCEPT SELECT content_id FROM live_records WHERE broadcast = @broadcast
         EXCEPT SELECT init_content_id FROM live_records WHERE broadcast = @broadcast`,
      )
      .pluck();
    this.#keepTraffic = db.prepare(
      `UPDATE broadcasts SET down_bytes = broadcasts.down_bytes + c.down_bytes, up_bytes = broadcasts.up_bytes + c.up_bytes
       FROM contents c, live_contents l
       WHERE c.content_id = @contentId AND l.content_id = @contentId AND broadcasts.content_id = l.broadcast`,
    );
    this.#deleteContent = db.prepare(`DELETE FROM contents WHERE content_id = ?`);
    this.#release = db.prepare(`DELETE FROM live_contents WHERE content_id = ?`);
    this.#contradict = db.prepare<[Contradiction]>(
      `INSERT INTO live_contradictions (broadcast, sequence, first, second, at_ms)
       SELECT @broadcast, @sequence, @first, @second, @atMs
       WHERE (SELECT count(*) FROM live_contradictions WHERE broadcast = @broadcast) < ${MAX_CONTRADICTIONS}
       ON CONFLICT DO NOTHING`,
    );
    this.#contradictions = db.prepare<[string], Contradiction>(
      `SELECT broadcast, sequence, first, second, at_ms AS atMs FROM live_contradictions
       WHERE broadcast = ? ORDER BY sequence`,
    );
  }

  /** `message`: the record as it was signed. */
  insert(record: HeardRecord, message: Uint8Array): void {
    this.#insert.run({ ...record, message });
    if (record.contentId !== null) this.claim(record.contentId, record.broadcast);
  }

  /**
   * From now on the content is part of the broadcast: not in the library, and removed with its records. What this node
   * has already as something else stays that, whatever a broadcaster says.
   */
  claim(contentId: string, broadcast: string): void {
    this.#claim.run({ contentId, broadcast });
  }

  /** It is no part of a broadcast, after all. */
  release(contentId: string): void {
    this.#release.run(contentId);
  }

  /** All that are kept of a broadcast, ascending. */
  window(broadcast: string): HeardRecord[] {
    return this.#window.all(broadcast);
  }

  get(broadcast: string, sequence: number): HeardRecord | null {
    return this.#get.get(broadcast, sequence) ?? null;
  }

  message(broadcast: string, sequence: number): Uint8Array | null {
    return this.#message.get(broadcast, sequence) ?? null;
  }

  /** The newest `limit` signed records with a number above `after`, ascending. */
  messagesAfter(broadcast: string, after: number, limit: number): Uint8Array[] {
    return this.#after.all(broadcast, after, limit);
  }

  /** The broadcast that a content is part of; `null` for any other content. */
  broadcastOf(contentId: string): string | null {
    return this.#broadcastOf.get(contentId) ?? null;
  }

  /** Forgets records, and what was received and sent of their segments is kept as a figure. Gives the contents that
   * nothing needs any more: their files are for the caller to remove. */
  remove(broadcast: string, records: readonly LiveRecord[]): string[] {
    for (const { sequence } of records) this.#delete.run(broadcast, sequence);
    const gone = this.#unreferenced.all({ broadcast });
    for (const contentId of gone) {
      this.#keepTraffic.run({ contentId });
      this.#deleteContent.run(contentId);
      this.#release.run(contentId);
    }
    return gone;
  }

  contradict(contradiction: Contradiction): void {
    this.#contradict.run(contradiction);
  }

  contradictions(broadcast: string): Contradiction[] {
    return this.#contradictions.all(broadcast);
  }
}
