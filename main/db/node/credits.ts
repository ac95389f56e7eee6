import type { Database } from '../open.ts';
import type { SettlementRow } from './settlements.ts';

/** Traffic that one settlement took on credit, of one title. */
export interface Credit {
  /** Whether this account owes it, or is owed. */
  readonly direction: SettlementRow['direction'];
  readonly counterparty: string;
  /** Of the settlement. */
  readonly seq: number;
  /** '' where this node does not know what it was. */
  readonly contentId: string;
  readonly atMs: number;
  readonly units: number;
}

/** What is left of a peer's, or a title's, loans. */
export interface OpenCredit {
  readonly counterparty: string;
  readonly contentId: string;
  readonly units: number;
  /** Of the oldest. */
  readonly sinceMs: number;
}

/** A part of a repayment, and the title that it was for. */
export interface RepaidCredit {
  readonly contentId: string;
  readonly units: number;
}

/** Loans taken and given, as settlements made and repaid them: of one peer the oldest is repaid first. */
export class CreditTable {
  readonly #add;
  readonly #oldest;
  readonly #repay;
  readonly #open;
  readonly #ofSettlement;

  constructor(db: Database) {
    this.#add = db.prepare<[Credit]>(
      `INSERT INTO credits (direction, counterparty, seq, content_id, at_ms, units, repaid_units)
       VALUES (@direction, @counterparty, @seq, @contentId, @atMs, @units, 0)`,
    );
    this.#oldest = db.prepare<
      [{ direction: string; counterparty: string }],
      { seq: number; contentId: string; leftUnits: number }
    >(
      `SELECT seq, content_id AS contentId, units - repaid_units AS leftUnits FROM credits
       WHERE direction = @direction AND counterparty = @counterparty AND repaid_units < units
       ORDER BY seq, content_id LIMIT 1`,
    );
    this.#repay = db.prepare(
      `UPDATE credits SET repaid_units = repaid_units + @units
       WHERE direction = @direction AND counterparty = @counterparty AND seq = @seq AND content_id = @contentId`,
    );
    this.#open = db.prepare<[string], OpenCredit>(
      `SELECT counterparty, content_id AS contentId, sum(units - repaid_units) AS units, min(at_ms) AS sinceMs
       FROM credits WHERE direction = ? AND repaid_units < units
       GROUP BY counterparty, content_id ORDER BY sinceMs, counterparty, content_id`,
    );
    this.#ofSettlement = db
      .prepare<[number], number>(`SELECT coalesce(sum(units - repaid_units), 0) FROM credits WHERE seq = ?`)
      .pluck();
  }

  add(credit: Credit): void {
    this.#add.run(credit);
  }

  /** Takes `units` from the oldest. What no loan here explains comes back as of no known title. */
  repay(direction: Credit['direction'], counterparty: string, units: number): RepaidCredit[] {
    const repaid: RepaidCredit[] = [];
    for (let left = units; left > 0; ) {
      const oldest = this.#oldest.get({ direction, counterparty });
      if (!oldest) return [...repaid, { contentId: '', units: left }];
      const { seq, contentId, leftUnits } = oldest;
      const taken = Math.min(left, leftUnits);
      this.#repay.run({ direction, counterparty, seq, contentId, units: taken });
      repaid.push({ contentId, units: taken });
      left -= taken;
    }
    return repaid;
  }

  /** By peer and title, the oldest first. */
  open(direction: Credit['direction']): OpenCredit[] {
    return this.#open.all(direction);
  }

  /** What is left of the loan that this settlement made. */
  openUnitsOf(seq: number): number {
    return this.#ofSettlement.get(seq) ?? 0;
  }
}
