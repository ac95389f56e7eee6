import type { Database } from '../open.ts';

export interface LoanRow {
  readonly id: number;
  readonly debtor: string;
  readonly creditor: string;
  readonly unitsLeft: number;
  readonly atMs: number;
}

/** Who owes whom how many units. */
export class LoanTable {
  readonly #insert;
  readonly #ofDebtor;
  readonly #debtors;
  readonly #reduce;
  readonly #owed;

  constructor(db: Database) {
    this.#insert = db.prepare(
      `INSERT INTO loans (debtor, creditor, units, units_left, batch_number, at_ms) VALUES (?, ?, ?, ?, ?, ?)`,
    );
    this.#ofDebtor = db.prepare<[string], LoanRow>(
      `SELECT id, debtor, creditor, units_left AS unitsLeft, at_ms AS atMs FROM loans
       WHERE debtor = ? AND units_left > 0 ORDER BY id`,
    );
    this.#debtors = db.prepare<[], string>(`SELECT DISTINCT debtor FROM loans WHERE units_left > 0`).pluck();
    this.#reduce = db.prepare(`UPDATE loans SET units_left = units_left - ? WHERE id = ?`);
    this.#owed = db
      .prepare<[string], number>(
        `SELECT coalesce(sum(units_left), 0) FROM loans WHERE debtor = ? AND units_left > 0`,
      )
      .pluck();
  }

  insert(debtor: string, creditor: string, units: number, batchNumber: number, atMs: number): void {
    this.#insert.run(debtor, creditor, units, units, batchNumber, atMs);
  }

  /** Open loans, oldest first. */
  ofDebtor(debtor: string): LoanRow[] {
    return this.#ofDebtor.all(debtor);
  }

  debtors(): string[] {
    return this.#debtors.all();
  }

  reduce(id: number, units: number): void {
    this.#reduce.run(units, id);
  }

  owedUnits(debtor: string): number {
    return this.#owed.get(debtor) ?? 0;
  }
}
