import { invariant } from '../../../shared/errors.ts';
import type { Database, Statement } from '../open.ts';

/** How far a channel has come: what a tick, or a piece that is served, changes. */
export interface PayeeProgress {
  readonly paidUnits: number;
  readonly tick: Uint8Array;
  readonly servedBytes: number;
}

/** Takes the progress of channels, each once, by the ids of their rows. */
export interface ProgressWriter {
  save(rowId: number, progress: PayeeProgress): void;
}

interface Sized {
  readonly rows: number;
  readonly statement: Statement<unknown[]>;
}

const COLUMNS = 5;
/** Rows of one statement: one call for many rows takes half the time of a call for each. */
const ROWS = [32, 8, 1] as const;

/** Writes what ticks change. It never goes back. */
export class PayeeProgressTable {
  /** Largest first. */
  readonly #sized: readonly Sized[];

  constructor(db: Database) {
    this.#sized = ROWS.map((rows) => ({
      rows,
      // An upsert names each value once; the row is there since its channel is.
      statement: db.prepare(
        `INSERT INTO payee_progress (id, paid_units, tick, served_bytes, served_at_ms)
         VALUES ${Array<string>(rows)
           .fill(`(${Array(COLUMNS).fill('?').join()})`)
           .join()}
         ON CONFLICT (id) DO UPDATE SET paid_units = excluded.paid_units, tick = excluded.tick,
           served_bytes = excluded.served_bytes,
           served_at_ms = CASE WHEN served_bytes < excluded.served_bytes THEN excluded.served_at_ms ELSE served_at_ms END
         WHERE paid_units <= excluded.paid_units AND served_bytes <= excluded.served_bytes`,
      ),
    }));
  }

  /**
   * Writes whatever `fill` hands in, before it returns. Belongs in a transaction: a rule that one of them breaks is known
   * only after some are written. Served bytes that have grown are dated `nowMs`.
   * @throws AceError `InvariantViolated` when one would go back
   */
  saveAll(nowMs: number, fill: (writer: ProgressWriter) => void): void {
    const values: unknown[] = [];
    const full = (this.#sized[0] as Sized).rows * COLUMNS;
    fill({
      save: (rowId, { paidUnits, tick, servedBytes }) => {
        values.push(rowId, paidUnits, tick, servedBytes, nowMs);
        if (values.length === full) this.#write(values);
      },
    });
    this.#write(values);
  }

  /** Writes all values, and empties the list. */
  #write(values: unknown[]): void {
    for (const { rows, statement } of this.#sized) {
      const length = rows * COLUMNS;
      while (values.length >= length) {
        const { changes } = statement.run(
          values.length === length ? values : values.slice(values.length - length),
        );
        invariant(changes === rows, 'a payee never goes back on a channel');
        values.length -= length;
      }
    }
  }
}
