import type { Database } from '../open.ts';

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
}

export type NewContent = Omit<ContentRow, 'downBytes' | 'upBytes' | 'havePieces' | 'haveLastPiece'>;

const COLUMNS = `content_id AS contentId, transport, name, mime_type AS mimeType, size_bytes AS sizeBytes,
  duration_ms AS durationMs, origin, added_at_ms AS addedAtMs, down_bytes AS downBytes, up_bytes AS upBytes,
  (SELECT count(*) FROM pieces p WHERE p.content_id = c.content_id) AS havePieces,
  EXISTS (SELECT 1 FROM pieces p WHERE p.content_id = c.content_id
    AND p.piece_index = (c.size_bytes - 1) / 1048576) AS haveLastPiece`;

type RawRow = Omit<ContentRow, 'haveLastPiece'> & { haveLastPiece: number };

/** Contents this node knows, and which of their pieces it has. */
export class ContentTable {
  readonly #get;
  readonly #list;
  readonly #insert;
  readonly #setOrigin;
  readonly #pieces;
  readonly #unsynced;
  readonly #addPiece;
  readonly #removePiece;
  readonly #markSynced;
  readonly #addDown;
  readonly #addUp;
  readonly #totals;

  constructor(db: Database) {
    this.#get = db.prepare<[string], RawRow>(`SELECT ${COLUMNS} FROM contents c WHERE content_id = ?`);
    this.#list = db.prepare<[], RawRow>(`SELECT ${COLUMNS} FROM contents c ORDER BY added_at_ms, content_id`);
    this.#insert = db.prepare<[NewContent]>(
      `INSERT INTO contents (content_id, transport, name, mime_type, size_bytes, duration_ms, origin, added_at_ms)
       VALUES (@contentId, @transport, @name, @mimeType, @sizeBytes, @durationMs, @origin, @addedAtMs)
       ON CONFLICT DO NOTHING`,
    );
    this.#setOrigin = db.prepare<[string, string]>(`UPDATE contents SET origin = ? WHERE content_id = ?`);
    this.#pieces = db
      .prepare<[string], number>(`SELECT piece_index FROM pieces WHERE content_id = ? ORDER BY piece_index`)
      .pluck();
    this.#unsynced = db.prepare<[], { contentId: string; pieceIndex: number }>(
      `SELECT content_id AS contentId, piece_index AS pieceIndex FROM pieces WHERE synced = 0`,
    );
    this.#addPiece = db.prepare<[string, number, number]>(
      `INSERT INTO pieces (content_id, piece_index, synced) VALUES (?, ?, ?) ON CONFLICT DO NOTHING`,
    );
    this.#removePiece = db.prepare<[string, number]>(
      `DELETE FROM pieces WHERE content_id = ? AND piece_index = ?`,
    );
    this.#markSynced = db.prepare<[string, number]>(
      `UPDATE pieces SET synced = 1 WHERE content_id = ? AND piece_index = ? AND synced = 0`,
    );
    this.#addDown = db.prepare<[number, string]>(
      `UPDATE contents SET down_bytes = down_bytes + ? WHERE content_id = ?`,
    );
    this.#addUp = db.prepare<[number, string]>(
      `UPDATE contents SET up_bytes = up_bytes + ? WHERE content_id = ?`,
    );
    this.#totals = db.prepare<[], { downBytes: number; upBytes: number }>(
      `SELECT coalesce(sum(down_bytes), 0) AS downBytes, coalesce(sum(up_bytes), 0) AS upBytes FROM contents`,
    );
  }

  get(contentId: string): ContentRow | null {
    const row = this.#get.get(contentId);
    return row ? toRow(row) : null;
  }

  list(): ContentRow[] {
    return this.#list.all().map(toRow);
  }

  /** Keeps what is there when the content is known already. */
  insert(content: NewContent): void {
    this.#insert.run(content);
  }

  setOrigin(contentId: string, origin: ContentRow['origin']): void {
    this.#setOrigin.run(origin, contentId);
  }

  pieces(contentId: string): number[] {
    return this.#pieces.all(contentId);
  }

  unsyncedPieces(): { contentId: string; pieceIndex: number }[] {
    return this.#unsynced.all();
  }

  addPiece(contentId: string, pieceIndex: number, synced: boolean): void {
    this.#addPiece.run(contentId, pieceIndex, synced ? 1 : 0);
  }

  removePiece(contentId: string, pieceIndex: number): void {
    this.#removePiece.run(contentId, pieceIndex);
  }

  markSynced(contentId: string, pieceIndex: number): void {
    this.#markSynced.run(contentId, pieceIndex);
  }

  addDownBytes(contentId: string, bytes: number): void {
    this.#addDown.run(bytes, contentId);
  }

  addUpBytes(contentId: string, bytes: number): void {
    this.#addUp.run(bytes, contentId);
  }

  totals(): { downBytes: number; upBytes: number } {
    return this.#totals.get() ?? { downBytes: 0, upBytes: 0 };
  }
}

function toRow(row: RawRow): ContentRow {
  return { ...row, haveLastPiece: row.haveLastPiece === 1 };
}
