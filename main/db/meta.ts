import type { Database } from './open.ts';

/** Small facts about a database: which network and account it belongs to. Text by key. */
export class MetaTable {
  readonly #get;
  readonly #set;

  constructor(db: Database) {
    this.#get = db.prepare<[string], string>(`SELECT value FROM meta WHERE key = ?`).pluck();
    this.#set = db.prepare(
      `INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value`,
    );
  }

  get(key: string): string | null {
    return this.#get.get(key) ?? null;
  }

  set(key: string, value: string): void {
    this.#set.run(key, value);
  }
}
