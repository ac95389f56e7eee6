import type { Database } from '../open.ts';

export interface AccountDeviceRow {
  readonly account: string;
  readonly device: Uint8Array;
}

/** Devices that accounts are about to unlink: noted before the chain is asked, so that a kill in between forgets none. */
export class UnlinkingTable {
  readonly #insert;
  readonly #delete;
  readonly #all;

  constructor(db: Database) {
    this.#insert = db.prepare<[AccountDeviceRow]>(
      `INSERT INTO unlinking (account, device) VALUES (@account, @device) ON CONFLICT DO NOTHING`,
    );
    this.#delete = db.prepare<[AccountDeviceRow]>(
      `DELETE FROM unlinking WHERE account = @account AND device = @device`,
    );
    this.#all = db.prepare<[], AccountDeviceRow>(`SELECT account, device FROM unlinking`);
  }

  insert(row: AccountDeviceRow): void {
    this.#insert.run(row);
  }

  delete(row: AccountDeviceRow): void {
    this.#delete.run(row);
  }

  all(): AccountDeviceRow[] {
    return this.#all.all();
  }
}
