import type { Database } from '../open.ts';

/** What an account watched, on its way into the totals of the network. */
export interface Watcher {
  readonly account: string;
  /** Its wall clock is used up by watch time until here. */
  readonly watchedUntilMs: number;
  /** Units that its funds paid or repaid, and that no viewing was counted for yet; below 0 where that came first. */
  readonly paidUnits: number;
  /** Video that was reported and is not counted yet, and the time it was watched for. */
  readonly waitingUnits: number;
  readonly waitingMs: number;
  /** Days since 1970, and what was counted on that day. */
  readonly day: number;
  readonly dayUnits: number;
  readonly dayMs: number;
  /** Units that the main chain refused, and that no viewing was dropped for yet. */
  readonly refusedUnits: number;
  /** Units that its funds paid or repaid in all. */
  readonly everPaidUnits: number;
}

const COLUMNS = `account, watched_until_ms AS watchedUntilMs, paid_units AS paidUnits, waiting_units AS waitingUnits,
  waiting_ms AS waitingMs, day, day_units AS dayUnits, day_ms AS dayMs, refused_units AS refusedUnits,
  ever_paid_units AS everPaidUnits`;

/** One row per account that has ever leased. */
export class WatcherTable {
  readonly #add;
  readonly #get;
  readonly #everPaid;
  readonly #everRefused;
  readonly #put;
  readonly #addSettled;
  readonly #countable;

  constructor(db: Database) {
    this.#add = db.prepare(
      `INSERT INTO watchers (account, watched_until_ms) VALUES (?, ?) ON CONFLICT (account) DO NOTHING`,
    );
    this.#get = db.prepare<[string], Watcher>(`SELECT ${COLUMNS} FROM watchers WHERE account = ?`);
    // Asked for each payer of a batch.
    this.#everPaid = db
      .prepare<[string], number>(`SELECT ever_paid_units FROM watchers WHERE account = ?`)
      .pluck();
    this.#everRefused = db
      .prepare<[string], number>(`SELECT ever_refused_units FROM watchers WHERE account = ?`)
      .pluck();
    this.#put = db.prepare<[Watcher]>(
      `UPDATE watchers SET watched_until_ms = max(watched_until_ms, @watchedUntilMs), paid_units = @paidUnits,
         waiting_units = @waitingUnits, waiting_ms = @waitingMs, day = @day, day_units = @dayUnits, day_ms = @dayMs,
         refused_units = @refusedUnits
       WHERE account = @account`,
    );
    this.#addSettled = db.prepare<[{ account: string; paidUnits: number; refusedUnits: number }]>(
      `UPDATE watchers SET paid_units = paid_units + @paidUnits, ever_paid_units = ever_paid_units + @paidUnits,
         refused_units = refused_units + @refusedUnits, ever_refused_units = ever_refused_units + @refusedUnits
       WHERE account = @account`,
    );
    this.#countable = db.prepare<[], Watcher>(
      `SELECT ${COLUMNS} FROM watchers INDEXED BY watchers_to_count
       WHERE waiting_ms > 0 AND (paid_units > 0 OR waiting_units = 0)`,
    );
  }

  /** An account's clock starts with its first lease; a later one changes nothing. */
  start(account: string, atMs: number): void {
    this.#add.run(account, atMs);
  }

  /** `undefined` for an account that never leased. */
  get(account: string): Watcher | undefined {
    return this.#get.get(account);
  }

  /** Units that an account's funds paid or repaid in all. */
  everPaidUnits(account: string): number {
    return this.#everPaid.get(account) ?? 0;
  }

  /** Units of an account that the main chain refused in all. */
  everRefusedUnits(account: string): number {
    return this.#everRefused.get(account) ?? 0;
  }

  /** Those of whom something that waits is paid for. */
  countable(): Watcher[] {
    return this.#countable.all();
  }

  /** The account's funds paid so many units more, and so many were refused. */
  addSettled(account: string, paidUnits: number, refusedUnits: number): void {
    this.#addSettled.run({ account, paidUnits, refusedUnits });
  }

  /** Changes a row that is there. Its clock never moves back. */
  put(watcher: Watcher): void {
    this.#put.run(watcher);
  }
}
