import { dayOf, startOfHour } from '../../util/local-day.ts';
import type { Database } from '../open.ts';

/** Bytes of an hour. */
export interface TrafficHour {
  readonly hourMs: number;
  readonly downBytes: number;
  readonly upBytes: number;
  readonly paymentBytes: number;
  readonly protocolBytes: number;
}

/** Content that one peer and this node moved. */
export interface TrafficFlow {
  readonly contentId: string;
  readonly account: string;
  readonly downBytes: number;
  readonly upBytes: number;
}

export interface TrafficDay {
  /** `2026-11-20` */
  readonly day: string;
  readonly downBytes: number;
  readonly upBytes: number;
}

export type SentShare = Pick<TrafficShare, 'key' | 'upBytes'>;

/** One peer, or one content, over several days. */
export interface TrafficShare {
  readonly key: string;
  readonly downBytes: number;
  readonly upBytes: number;
}

/**
 * Content that was received and sent: when, with whom, and of what. Booked with each piece, in the transaction that books
 * it in the library and on its channel, so that none of them ever tells another figure. Overhead belongs to no piece, and is
 * added now and then.
 */
export class TrafficTable {
  readonly #addHour;
  readonly #addFlow;
  readonly #hours;
  readonly #byAccount;
  readonly #byContent;
  readonly #byDay;
  readonly #sums;
  readonly #rows;
  readonly #sentBy;

  constructor(db: Database) {
    this.#addHour = db.prepare<[TrafficHour]>(
      `INSERT INTO traffic_hours (hour_ms, down_bytes, up_bytes, payment_bytes, protocol_bytes)
       VALUES (@hourMs, @downBytes, @upBytes, @paymentBytes, @protocolBytes)
       ON CONFLICT (hour_ms) DO UPDATE SET down_bytes = down_bytes + excluded.down_bytes,
         up_bytes = up_bytes + excluded.up_bytes, payment_bytes = payment_bytes + excluded.payment_bytes,
         protocol_bytes = protocol_bytes + excluded.protocol_bytes`,
    );
    this.#addFlow = db.prepare<[TrafficFlow & { day: string }]>(
      `INSERT INTO traffic_days (day, content_id, account, down_bytes, up_bytes)
       VALUES (@day, coalesce((SELECT broadcast FROM live_contents WHERE content_id = @contentId), @contentId),
         @account, @downBytes, @upBytes)
       ON CONFLICT (day, content_id, account) DO UPDATE SET down_bytes = down_bytes + excluded.down_bytes,
         up_bytes = up_bytes + excluded.up_bytes`,
    );
    this.#hours = db.prepare<[number], TrafficHour>(
      `SELECT hour_ms AS hourMs, down_bytes AS downBytes, up_bytes AS upBytes, payment_bytes AS paymentBytes,
         protocol_bytes AS protocolBytes
       FROM traffic_hours WHERE hour_ms >= ? ORDER BY hour_ms`,
    );
    this.#byDay = db.prepare<[string], TrafficDay>(
      `SELECT day, sum(down_bytes) AS downBytes, sum(up_bytes) AS upBytes FROM traffic_days
       WHERE day >= ? GROUP BY day ORDER BY day`,
    );
    this.#sums = db.prepare<[string, string], Pick<TrafficDay, 'downBytes' | 'upBytes'>>(
      `SELECT coalesce(sum(down_bytes), 0) AS downBytes, coalesce(sum(up_bytes), 0) AS upBytes
       FROM traffic_days WHERE day BETWEEN ? AND ?`,
    );
    this.#rows = db.prepare<[string, string], TrafficFlow & { day: string }>(
      `SELECT day, content_id AS contentId, account, down_bytes AS downBytes, up_bytes AS upBytes
       FROM traffic_days WHERE day BETWEEN ? AND ? ORDER BY day, content_id, account`,
    );
    this.#sentBy = {
      peer: db.prepare<[string, string], SentShare>(sent('account')),
      title: db.prepare<[string, string], SentShare>(sent('content_id')),
    };
    this.#byAccount = db.prepare<[string, number], TrafficShare>(shares('account'));
    this.#byContent = db.prepare<[string, number], TrafficShare>(shares('content_id'));
  }

  /** A piece, or some of one content. A segment of a broadcast counts for the broadcast. Belongs in its transaction. */
  add(flow: TrafficFlow, atMs: number): void {
    const { downBytes, upBytes } = flow;
    this.#addHour.run({ ...NO_HOUR, hourMs: startOfHour(atMs), downBytes, upBytes });
    this.#addFlow.run({ day: dayOf(atMs), ...flow });
  }

  addOverhead(overhead: Pick<TrafficHour, 'paymentBytes' | 'protocolBytes'>, atMs: number): void {
    this.#addHour.run({ ...NO_HOUR, hourMs: startOfHour(atMs), ...overhead });
  }

  /** Oldest first, since a day such as 2026-11-20; days without traffic are left out. */
  days(sinceDay: string): TrafficDay[] {
    return this.#byDay.all(sinceDay);
  }

  /** Of all days since this one, and up to `toDay`. */
  sums(sinceDay: string, toDay = LAST_DAY): Pick<TrafficDay, 'downBytes' | 'upBytes'> {
    return this.#sums.get(sinceDay, toDay) ?? { downBytes: 0, upBytes: 0 };
  }

  /** What was sent to each peer, or of each title. */
  sentBy(by: 'peer' | 'title', sinceDay: string, toDay = LAST_DAY): SentShare[] {
    return this.#sentBy[by].all(sinceDay, toDay);
  }

  /** Each day, title and peer by itself, oldest first. */
  *rows(sinceDay: string, toDay = LAST_DAY): Generator<TrafficFlow & { readonly day: string }> {
    yield* this.#rows.iterate(sinceDay, toDay);
  }

  /** Oldest first; hours without traffic are left out. */
  hoursSince(hourMs: number): TrafficHour[] {
    return this.#hours.all(hourMs);
  }

  /** Those with most traffic first. */
  byAccount(sinceDay: string, limit: number): TrafficShare[] {
    return this.#byAccount.all(sinceDay, limit);
  }

  /** Those with most traffic first. */
  byContent(sinceDay: string, limit: number): TrafficShare[] {
    return this.#byContent.all(sinceDay, limit);
  }
}

const NO_HOUR: Omit<TrafficHour, 'hourMs'> = { downBytes: 0, upBytes: 0, paymentBytes: 0, protocolBytes: 0 };
/** After each day's name. */
const LAST_DAY = '~';

function sent(column: 'account' | 'content_id'): string {
  return `SELECT ${column} AS key, sum(up_bytes) AS upBytes FROM traffic_days
    WHERE day BETWEEN ? AND ? AND up_bytes > 0 GROUP BY ${column}`;
}

function shares(column: 'account' | 'content_id'): string {
  return `SELECT ${column} AS key, sum(down_bytes) AS downBytes, sum(up_bytes) AS upBytes
    FROM traffic_days WHERE day >= ? GROUP BY ${column} ORDER BY sum(down_bytes) + sum(up_bytes) DESC LIMIT ?`;
}
