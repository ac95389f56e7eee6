import { setImmediate } from 'node:timers/promises';
import type { Database } from '../open.ts';
import { PieceTable } from './pieces.ts';

export interface ContentRow {
  readonly contentId: string;
  readonly transport: Uint8Array;
  readonly name: string;
  readonly mimeType: string;
  readonly sizeBytes: number;
  readonly durationMs: number;
  readonly origin: 'imported' | 'fetched' | 'offered';
  readonly addedAtMs: number;
  readonly downBytes: number;
  readonly upBytes: number;
  /** Number of pieces stored and verified. */
  readonly havePieces: number;
  /** Whether the last piece is among them; it may be shorter than the others. */
  readonly haveLastPiece: boolean;
  /** Never removed to make room for others. */
  readonly pinned: boolean;
  /** Its user shares it with nobody for now. */
  readonly paused: boolean;
  /** Its file names a price of access. */
  readonly sold: boolean;
  /** When it was played, fetched or served last. */
  readonly usedAtMs: number;
  /** The user's own file, which was imported by reference; `null` when the piece store has the bytes. */
  readonly sourcePath: string | null;
  /** The file as it was left, see `file-stamp.ts`; `null` while it is being written. */
  readonly fileStamp: string | null;
  /** Why it is not served: the user's file is another one now, or gone. */
  readonly trouble: ContentTrouble | null;
}

/** Whether others are told of it: something of it is here, its file is the one that was imported, and it is not paused. */
export function isShared({ trouble, havePieces, paused }: ListedContent): boolean {
  return trouble === null && havePieces > 0 && !paused;
}

export type ContentTrouble = 'changed' | 'missing';

export type NewContent = Pick<
  ContentRow,
  'contentId' | 'transport' | 'name' | 'mimeType' | 'sizeBytes' | 'durationMs' | 'origin' | 'addedAtMs'
> & { readonly sold?: boolean };

/** Which file has a content's bytes, and how it was when it was read. */
export interface StoredFile {
  /** Of the user's own file; `null`: the piece store's. */
  readonly path: string | null;
  readonly stamp: string;
}

/** Some milliseconds of reading. */
const PART_ROWS = 250;

const LISTED = `content_id AS contentId, name, mime_type AS mimeType, size_bytes AS sizeBytes,
  duration_ms AS durationMs, origin, added_at_ms AS addedAtMs, down_bytes AS downBytes, up_bytes AS upBytes,
  coalesce((SELECT pieces FROM piece_counts n WHERE n.content_id = c.content_id), 0) AS havePieces,
  EXISTS (SELECT 1 FROM pieces p WHERE p.content_id = c.content_id
    AND p.piece_index = (c.size_bytes - 1) / 1048576) AS haveLastPiece,
  pinned, paused, sold, used_at_ms AS usedAtMs, source_path AS sourcePath, file_stamp AS fileStamp, trouble`;

const COLUMNS = `${LISTED}, transport`;

/** Of a library, whose transport files together are some hundred megabytes. */
export type ListedContent = Omit<ContentRow, 'transport'>;

type RawRow = Omit<ContentRow, 'haveLastPiece' | 'pinned' | 'paused' | 'sold'> & {
  haveLastPiece: number;
  pinned: number;
  paused: number;
  sold: number;
};

/** What is known of a content's file, without its pieces. */
export type ContentFile = Pick<
  ContentRow,
  'name' | 'sizeBytes' | 'sourcePath' | 'fileStamp' | 'trouble' | 'pinned'
>;

/** A content of which the piece store has bytes. */
export interface StoredContent {
  readonly contentId: string;
  readonly name: string;
  readonly sizeBytes: number;
  readonly pinned: boolean;
  readonly usedAtMs: number;
  readonly fileStamp: string | null;
  /** Index of the last piece that is there, and how many are. */
  readonly lastPiece: number;
  readonly pieceCount: number;
}

/** Contents this node knows, and which of their pieces it has. */
export class ContentTable {
  /** Which are here. */
  readonly pieces: PieceTable;
  readonly #get;
  readonly #list;
  readonly #listFrom;
  readonly #insert;
  readonly #setOrigin;
  readonly #addDown;
  readonly #addUp;
  readonly #totals;
  readonly #keepTraffic;
  readonly #delete;
  readonly #setPinned;
  readonly #setPaused;
  readonly #isPaused;
  readonly #isSold;
  readonly #touch;
  readonly #setFile;
  readonly #setStamp;
  readonly #setTrouble;
  readonly #file;
  readonly #referenced;
  readonly #pinned;
  readonly #stored;

  constructor(db: Database) {
    this.pieces = new PieceTable(db);
    this.#get = db.prepare<[string], RawRow>(`SELECT ${COLUMNS} FROM contents c WHERE content_id = ?`);
    this.#list = db.prepare<[], Omit<RawRow, 'transport'>>(`SELECT ${LISTED} FROM contents c
       WHERE content_id NOT IN (SELECT content_id FROM live_contents) ORDER BY added_at_ms, content_id`);
    this.#listFrom = db.prepare<[string], Omit<RawRow, 'transport'>>(`SELECT ${LISTED} FROM contents c
       WHERE content_id > ? AND content_id NOT IN (SELECT content_id FROM live_contents)
       ORDER BY content_id LIMIT ${PART_ROWS}`);
    this.#insert = db.prepare<[Omit<NewContent, 'sold'> & { sold: number }]>(
      `INSERT INTO contents (content_id, transport, name, mime_type, size_bytes, duration_ms, origin, added_at_ms,
         used_at_ms, sold)
       VALUES (@contentId, @transport, @name, @mimeType, @sizeBytes, @durationMs, @origin, @addedAtMs, @addedAtMs, @sold)
       ON CONFLICT DO NOTHING`,
    );
    this.#setOrigin = db.prepare<[string, string]>(`UPDATE contents SET origin = ? WHERE content_id = ?`);
    this.#addDown = db.prepare<[number, string]>(
      `UPDATE contents SET down_bytes = down_bytes + ? WHERE content_id = ?`,
    );
    this.#addUp = db.prepare<[number, string]>(
      `UPDATE contents SET up_bytes = up_bytes + ? WHERE content_id = ?`,
    );
    this.#totals = db.prepare<[], { downBytes: number; upBytes: number }>(
      `SELECT coalesce(sum(down_bytes), 0) AS downBytes, coalesce(sum(up_bytes), 0) AS upBytes FROM
         (SELECT down_bytes, up_bytes FROM contents UNION ALL SELECT down_bytes, up_bytes FROM broadcasts
          UNION ALL SELECT down_bytes, up_bytes FROM deleted_traffic)`,
    );
    this.#keepTraffic = db.prepare<[string]>(
      `UPDATE deleted_traffic SET down_bytes = deleted_traffic.down_bytes + c.down_bytes,
         up_bytes = deleted_traffic.up_bytes + c.up_bytes
       FROM (SELECT down_bytes, up_bytes FROM contents WHERE content_id = ?) c`,
    );
    this.#delete = db.prepare<[string]>(`DELETE FROM contents WHERE content_id = ?`);
    this.#setPinned = db.prepare<[number, string]>(`UPDATE contents SET pinned = ? WHERE content_id = ?`);
    this.#setPaused = db.prepare<[number, string]>(`UPDATE contents SET paused = ? WHERE content_id = ?`);
    this.#isPaused = db.prepare<[string], number>(`SELECT paused FROM contents WHERE content_id = ?`).pluck();
    this.#isSold = db.prepare<[string], number>(`SELECT sold FROM contents WHERE content_id = ?`).pluck();
    this.#touch = db.prepare<[number, string]>(`UPDATE contents SET used_at_ms = ? WHERE content_id = ?`);
    this.#setFile = db.prepare<[string | null, string, string]>(
      `UPDATE contents SET source_path = ?, file_stamp = ?, trouble = NULL WHERE content_id = ?`,
    );
    this.#setStamp = db.prepare<[string | null, string]>(
      `UPDATE contents SET file_stamp = ? WHERE content_id = ?`,
    );
    this.#setTrouble = db.prepare<[ContentTrouble | null, string]>(
      `UPDATE contents SET trouble = ? WHERE content_id = ?`,
    );
    this.#file = db.prepare<[string], Omit<ContentFile, 'pinned'> & { pinned: number }>(
      `SELECT name, size_bytes AS sizeBytes, source_path AS sourcePath, file_stamp AS fileStamp, trouble, pinned
       FROM contents WHERE content_id = ?`,
    );
    this.#referenced = db
      .prepare<[], string>(`SELECT content_id FROM contents WHERE source_path IS NOT NULL`)
      .pluck();
    this.#pinned = db.prepare<[], string>(`SELECT content_id FROM contents WHERE pinned = 1`).pluck();
    this.#stored = db.prepare<[], Omit<StoredContent, 'pinned'> & { pinned: number }>(
      `SELECT c.content_id AS contentId, name, size_bytes AS sizeBytes, pinned, used_at_ms AS usedAtMs,
         file_stamp AS fileStamp, max(p.piece_index) AS lastPiece, count(*) AS pieceCount
       FROM contents c JOIN pieces p ON p.content_id = c.content_id
       WHERE source_path IS NULL GROUP BY c.content_id ORDER BY used_at_ms, c.content_id`,
    );
  }

  get(contentId: string): ContentRow | null {
    const row = this.#get.get(contentId);
    return row ? toRow(row) : null;
  }

  file(contentId: string): ContentFile | null {
    const row = this.#file.get(contentId);
    return row ? { ...row, pinned: row.pinned === 1 } : null;
  }

  /** Contents whose bytes are a user's own file. */
  referenced(): string[] {
    return this.#referenced.all();
  }

  /** Contents that are never removed to make room. */
  pinned(): string[] {
    return this.#pinned.all();
  }

  /** Contents with pieces in the piece store, least recently used first. */
  stored(): StoredContent[] {
    return this.#stored.all().map((row) => ({ ...row, pinned: row.pinned === 1 }));
  }

  /** Without the segments of broadcasts. */
  list(): ListedContent[] {
    return this.#list.all().map(toRow);
  }

  /** As `list`, read in parts, between which the process does other work: thousands of rows take longer than that can wait. */
  async listInParts(): Promise<ListedContent[]> {
    const listed: ListedContent[] = [];
    for (;;) {
      const part = this.#listFrom.all(listed.at(-1)?.contentId ?? '').map(toRow);
      listed.push(...part);
      if (part.length < PART_ROWS)
        return listed.sort((a, b) => a.addedAtMs - b.addedAtMs || (a.contentId < b.contentId ? -1 : 1));
      await setImmediate();
    }
  }

  /** Keeps what is there when the content is known already. */
  insert(content: NewContent): void {
    this.#insert.run({ ...content, sold: content.sold ? 1 : 0 });
  }

  setOrigin(contentId: string, origin: ContentRow['origin']): void {
    this.#setOrigin.run(origin, contentId);
  }

  addDownBytes(contentId: string, bytes: number): void {
    this.#addDown.run(bytes, contentId);
  }

  addUpBytes(contentId: string, bytes: number): void {
    this.#addUp.run(bytes, contentId);
  }

  /** Forgets the content and its pieces, and keeps what they add to `totals`. */
  delete(contentId: string): void {
    this.#keepTraffic.run(contentId);
    this.#delete.run(contentId);
    this.pieces.changed(contentId);
  }

  setPinned(contentId: string, pinned: boolean): void {
    this.#setPinned.run(pinned ? 1 : 0, contentId);
  }

  /** Those who asked what is here are told anew. */
  setPaused(contentId: string, paused: boolean): void {
    this.#setPaused.run(paused ? 1 : 0, contentId);
    this.pieces.changed(contentId);
  }

  isSold(contentId: string): boolean {
    return this.#isSold.get(contentId) === 1;
  }

  isPaused(contentId: string): boolean {
    return this.#isPaused.get(contentId) === 1;
  }

  touch(contentId: string, nowMs: number): void {
    this.#touch.run(nowMs, contentId);
  }

  /** Where the bytes are now, just read and found right. */
  setFile(contentId: string, { path, stamp }: StoredFile): void {
    this.#setFile.run(path, stamp, contentId);
  }

  setStamp(contentId: string, stamp: string | null): void {
    this.#setStamp.run(stamp, contentId);
  }

  setTrouble(contentId: string, trouble: ContentTrouble | null): void {
    this.#setTrouble.run(trouble, contentId);
  }

  /** What is gone is in it. */
  totals(): { downBytes: number; upBytes: number } {
    return this.#totals.get() ?? { downBytes: 0, upBytes: 0 };
  }
}

function toRow<Row extends Pick<RawRow, 'haveLastPiece' | 'pinned' | 'paused' | 'sold'>>(row: Row) {
  return {
    ...row,
    haveLastPiece: row.haveLastPiece === 1,
    pinned: row.pinned === 1,
    paused: row.paused === 1,
    sold: row.sold === 1,
  };
}
