import type { Database } from '../open.ts';

/** How much of each account's wall clock is used up by watch time that was credited to it. */
export class WatcherTable {
  readonly #add;
  readonly #get;
  readonly #put;

  constructor(db: Database) {
    this.#add = db.prepare(
      `INSERT INTO watchers (account, watched_until_ms) VALUES (?, ?) ON CONFLICT (account) DO NOTHING`,
    );
    this.#get = db
      .prepare<[string], number>(`SELECT watched_until_ms FROM watchers WHERE account = ?`)
      .pluck();
    this.#put = db.prepare(
      `UPDATE watchers SET watched_until_ms = max(watched_until_ms, @untilMs) WHERE account = @account`,
    );
  }

  /** An account's clock starts with its first lease; a later one changes nothing. */
  start(account: string, atMs: number): void {
    this.#add.run(account, atMs);
  }

  /** `null` for an account that never leased. */
  watchedUntilMs(account: string): number | null {
    return this.#get.get(account) ?? null;
  }

  /** Never moves back. */
  setWatchedUntilMs(account: string, untilMs: number): void {
    this.#put.run({ account, untilMs });
  }
}
