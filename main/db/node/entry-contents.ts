import { type EntryKey, SOURCES } from '../../../shared/journal/entry.ts';
import type { Database } from '../open.ts';

/** A content that an entry was for, by the name that it had then. Another node's words. */
export interface EntryContent {
  readonly contentId: string;
  /** `null` when this node did not have it any more. */
  readonly name: string | null;
}

type Key = Pick<EntryKey, 'source' | 'shard' | 'seq' | 'part'>;

/** What journal entries were for, as it was known when they were booked. Append-only. */
export class EntryContentTable {
  readonly #add;
  readonly #of;

  constructor(db: Database) {
    this.#add = db.prepare<[number, number, number, number, string]>(
      `INSERT INTO entry_contents (source, shard, source_seq, part, contents) VALUES (?, ?, ?, ?, ?)
       ON CONFLICT DO NOTHING`,
    );
    this.#of = db
      .prepare<[number, number, number, number], string>(
        `SELECT contents FROM entry_contents WHERE (source, shard, source_seq, part) = (?, ?, ?, ?)`,
      )
      .pluck();
  }

  add({ source, shard, seq, part }: Key, contents: readonly EntryContent[]): void {
    const text = JSON.stringify(contents.map(({ contentId, name }) => [contentId, name]));
    this.#add.run(SOURCES.indexOf(source), shard, seq, part, text);
  }

  /** `null` for an entry of the time before they were kept, or of which nothing was known. */
  of({ source, shard, seq, part }: Key): readonly EntryContent[] | null {
    const text = this.#of.get(SOURCES.indexOf(source), shard, seq, part);
    if (text === undefined) return null;
    return (JSON.parse(text) as [string, string | null][]).map(([contentId, name]) => ({ contentId, name }));
  }
}
