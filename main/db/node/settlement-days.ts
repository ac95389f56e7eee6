/** What settlements add up to by day, peer and title. Written with each settlement, by `journal/day-book.ts` alone. */
import type { Database } from '../open.ts';
import { clause, type HistorySums, NO_SUMS } from './settlement-history.ts';
import type { SettlementRow } from './settlements.ts';

type Direction = SettlementRow['direction'];

/** Bits of `kinds`. */
export const KIND_BITS = { paid: 1, credit: 2, refused: 4, repaid: 8 } as const;

/** All that a group of settlements adds up to; amounts in base units. */
export interface DaySums extends HistorySums {
  /** Part of gross less fee: what came, or went, for loans. */
  readonly repaidNetXac: bigint;
}

/** One settlement's part for one title. */
export interface DayPart extends Omit<DaySums, 'count'> {
  readonly day: string;
  readonly direction: Direction;
  readonly counterparty: string;
  readonly contentId: string;
  readonly kinds: number;
  /** 1 in the part that stands for the settlement, 0 in its others. */
  readonly count: bigint;
}

/** Days are text such as 2026-11-20, both included. */
export interface DayFilter {
  readonly fromDay?: string | undefined;
  readonly toDay?: string | undefined;
  readonly counterparty?: string | undefined;
  readonly kind?: 'paid' | 'received' | 'repayment' | 'loan' | undefined;
  readonly direction?: Direction | undefined;
}

export type Grouping = 'peer' | 'title';

/** Of one direction. `key`: a day, an account, or a content id. */
export interface DayGroup extends DaySums {
  readonly key: string;
  readonly direction: Direction;
}

const { paid, credit, repaid } = KIND_BITS;
const KINDS = {
  paid: `direction = 'paid' AND kinds & ${paid | repaid}`,
  received: `direction = 'earned' AND kinds & ${paid | repaid}`,
  repayment: `kinds & ${repaid}`,
  loan: `kinds & ${credit}`,
} as const;

const COLUMNS = {
  paidUnits: 'paid_units',
  creditUnits: 'credit_units',
  refusedUnits: 'refused_units',
  repaidUnits: 'repaid_units',
  grossXac: 'gross_xac',
  feeXac: 'fee_xac',
  repaidNetXac: 'repaid_net_xac',
  xatBurned: 'xat_burned',
  xasPaid: 'xas_paid',
  feeXas: 'fee_xas',
} as const satisfies Record<Exclude<keyof DaySums, 'count'>, string>;
const NAMES = Object.keys(COLUMNS) as (keyof typeof COLUMNS)[];
const SUMS = NAMES.map((name) => `sum(${COLUMNS[name]}) AS ${name}`).join(', ');
const KEYS = { peer: 'counterparty', title: 'content_id' } as const;

export const NO_DAY_SUMS: DaySums = { ...NO_SUMS, repaidNetXac: 0n };

export class SettlementDayTable {
  readonly #db: Database;
  readonly #add;
  readonly #addContent;
  readonly #paidSince;

  constructor(db: Database) {
    this.#db = db;
    const columns = NAMES.map((name) => COLUMNS[name]);
    const added = ['count', 'touched', ...columns]
      .map((column) => `${column} = ${column} + excluded.${column}`)
      .join(', ');
    this.#add = db.prepare<[DayPart]>(
      `INSERT INTO settlement_days (day, direction, counterparty, content_id, kinds, count, touched, ${columns.join()})
       VALUES (@day, @direction, @counterparty, @contentId, @kinds, @count, 1, ${NAMES.map((name) => `@${name}`).join()})
       ON CONFLICT (day, direction, counterparty, content_id, kinds) DO UPDATE SET ${added}`,
    );
    this.#addContent = db.prepare<[string, number]>(
      `INSERT INTO settled_contents (content_id, seq) VALUES (?, ?) ON CONFLICT DO NOTHING`,
    );
    this.#paidSince = db
      .prepare<[string], { grossXac: bigint; xasPaid: bigint }>(
        `SELECT coalesce(sum(gross_xac), 0) AS grossXac, coalesce(sum(xas_paid), 0) AS xasPaid
         FROM settlement_days WHERE day >= ? AND direction = 'paid'`,
      )
      .safeIntegers();
  }

  /** What this account paid for traffic and loans from that day on, base units before the fee. */
  paidSince(day: string): { readonly grossXac: bigint; readonly xasPaid: bigint } {
    return this.#paidSince.get(day) ?? { grossXac: 0n, xasPaid: 0n };
  }

  /** The parts of the settlement `seq`. */
  add(seq: number, parts: readonly DayPart[]): void {
    for (const part of parts) {
      this.#add.run(part);
      this.#addContent.run(part.contentId, seq);
    }
  }

  /** Newest first, before `beforeDay`: both directions of each day that has any, `limit` days at most. */
  days(filter: DayFilter, beforeDay: string | null, limit: number): DayGroup[] {
    const where = conditions(filter);
    const days = [...where, ...(beforeDay === null ? [] : ['day < @beforeDay'])];
    return this.#all<DayGroup>(
      `SELECT day AS key, direction, sum(count) AS count, ${SUMS} FROM settlement_days
       ${clause([...where, `day IN (SELECT DISTINCT day FROM settlement_days ${clause(days)} ORDER BY day DESC LIMIT @limit)`])}
       GROUP BY day, direction ORDER BY day DESC, direction`,
      { ...filter, beforeDay, limit },
    );
  }

  /**
   * By peer or title, both directions of each, those with most traffic first. A settlement that was for several titles
   * counts with each of them.
   */
  groups(by: Grouping, filter: DayFilter, limit: number): DayGroup[] {
    const key = KEYS[by];
    const count = by === 'peer' ? 'count' : 'touched';
    const units = 'sum(paid_units + credit_units + refused_units + repaid_units)';
    const where = clause(conditions(filter));
    return this.#all<DayGroup>(
      `SELECT ${key} AS key, direction, sum(${count}) AS count, ${SUMS} FROM settlement_days
       ${clause([...conditions(filter), `${key} IN (SELECT ${key} FROM settlement_days ${where} GROUP BY ${key} ORDER BY ${units} DESC, ${key} LIMIT @limit)`])}
       GROUP BY ${key}, direction ORDER BY ${units} DESC, ${key}`,
      { ...filter, limit },
    );
  }

  /** Of one direction. */
  sums(filter: DayFilter & { readonly direction: Direction }): DaySums {
    const [sums] = this.#all<DaySums>(
      `SELECT sum(count) AS count, ${SUMS} FROM settlement_days ${clause(conditions(filter))} HAVING count(*) > 0`,
      filter,
    );
    return sums ?? NO_DAY_SUMS;
  }

  /** One row for each day, direction, peer and title, oldest first. */
  *rows(filter: DayFilter): Generator<DayPart> {
    yield* this.#db
      .prepare<[object], DayPart>(
        `SELECT day, direction, counterparty, content_id AS contentId, 0 AS kinds, sum(touched) AS count, ${SUMS}
         FROM settlement_days ${clause(conditions(filter))}
         GROUP BY day, direction, counterparty, content_id`,
      )
      .safeIntegers()
      .iterate({ ...filter });
  }

  #all<Row>(sql: string, values: object): Row[] {
    return this.#db
      .prepare<[object], Row>(sql)
      .safeIntegers()
      .all({ ...values });
  }
}

function conditions({ fromDay, toDay, counterparty, kind, direction }: DayFilter): string[] {
  return [
    ...(fromDay === undefined ? [] : ['day >= @fromDay']),
    ...(toDay === undefined ? [] : ['day <= @toDay']),
    ...(counterparty === undefined ? [] : ['counterparty = @counterparty']),
    ...(direction === undefined ? [] : ['direction = @direction']),
    ...(kind === undefined ? [] : [`(${KINDS[kind]})`]),
  ];
}
