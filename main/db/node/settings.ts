import type { Database } from '../open.ts';
import { intact } from '../store-error.ts';

/** What the user has chosen, as JSON by key. What a value means and may be is said in `shared/limits.ts`. */
export class SettingTable {
  readonly #all;
  readonly #set;
  readonly #delete;

  constructor(db: Database) {
    this.#all = db.prepare<[], { key: string; value: string }>(`SELECT key, value FROM settings`);
    this.#set = db.prepare<[string, string]>(
      `INSERT INTO settings (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value`,
    );
    this.#delete = db.prepare<[string]>(`DELETE FROM settings WHERE key = ?`);
  }

  /** Parsed values by key, unchecked. @throws AceError `StoreFailed` */
  all(): Record<string, unknown> {
    const rows = this.#all.all();
    return intact(() => Object.fromEntries(rows.map(({ key, value }) => [key, JSON.parse(value)])));
  }

  set(key: string, value: unknown): void {
    this.#set.run(key, JSON.stringify(value));
  }

  delete(key: string): void {
    this.#delete.run(key);
  }
}
