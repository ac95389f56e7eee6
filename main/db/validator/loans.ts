import type { Database } from '../open.ts';

export interface LoanRow {
  readonly id: number;
  readonly debtor: string;
  readonly creditor: string;
  readonly unitsLeft: number;
  readonly atMs: number;
}

const COLUMNS = 'id, debtor, creditor, units_left AS unitsLeft, at_ms AS atMs';
/** SQLite's word for "no limit". */
const ALL = -1;

/** Who owes whom how many units. */
export class LoanTable {
  readonly #insert;
  readonly #ofDebtor;
  readonly #ofPair;
  readonly #count;
  readonly #debtors;
  readonly #reduce;
  readonly #owed;

  constructor(db: Database) {
    this.#insert = db.prepare(
      `INSERT INTO loans (debtor, creditor, units, units_left, batch_number, at_ms) VALUES (?, ?, ?, ?, ?, ?)`,
    );
    this.#ofDebtor = db.prepare<[string, number], LoanRow>(
      `SELECT ${COLUMNS} FROM loans WHERE debtor = ? AND units_left > 0 ORDER BY id LIMIT ?`,
    );
    this.#ofPair = db.prepare<[string, string], LoanRow>(
      `SELECT ${COLUMNS} FROM loans INDEXED BY loans_of_pair
       WHERE debtor = ? AND creditor = ? AND units_left > 0 ORDER BY id`,
    );
    this.#count = db
      .prepare<[string], number>(`SELECT count(*) FROM loans WHERE debtor = ? AND units_left > 0`)
      .pluck();
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
  ofDebtor(debtor: string, limit = ALL): LoanRow[] {
    return this.#ofDebtor.all(debtor, limit);
  }

  /** Open loans that one creditor gave, oldest first. */
  ofPair(debtor: string, creditor: string): LoanRow[] {
    return this.#ofPair.all(debtor, creditor);
  }

  /** Number of open loans. */
  count(debtor: string): number {
    return this.#count.get(debtor) ?? 0;
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
