import type { Database } from '../open.ts';

/** Bytes of an hour. */
export interface TrafficHour {
  readonly hourMs: number;
  readonly downBytes: number;
  readonly upBytes: number;
  readonly paymentBytes: number;
  readonly protocolBytes: number;
}

/** Content of a day that one peer and this node moved. */
export interface TrafficFlow {
  readonly contentId: string;
  readonly account: string;
  readonly downBytes: number;
  readonly upBytes: number;
}

/** One peer, or one content, over several days. */
export interface TrafficShare {
  readonly key: string;
  readonly downBytes: number;
  readonly upBytes: number;
}

/** What was moved when, with whom, and of what. For figures on a page: the books of channels are elsewhere. */
export class TrafficTable {
  readonly #addHour;
  readonly #addFlow;
  readonly #hours;
  readonly #byAccount;
  readonly #byContent;

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
       VALUES (@day, @contentId, @account, @downBytes, @upBytes)
       ON CONFLICT (day, content_id, account) DO UPDATE SET down_bytes = down_bytes + excluded.down_bytes,
         up_bytes = up_bytes + excluded.up_bytes`,
    );
    this.#hours = db.prepare<[number], TrafficHour>(
      `SELECT hour_ms AS hourMs, down_bytes AS downBytes, up_bytes AS upBytes, payment_bytes AS paymentBytes,
         protocol_bytes AS protocolBytes
       FROM traffic_hours WHERE hour_ms >= ? ORDER BY hour_ms`,
    );
    this.#byAccount = db.prepare<[string, number], TrafficShare>(shares('account'));
    this.#byContent = db.prepare<[string, number], TrafficShare>(shares('content_id'));
  }

  addHour(hour: TrafficHour): void {
    this.#addHour.run(hour);
  }

  /** `day` as `2026-11-20`. */
  addFlow(day: string, flow: TrafficFlow): void {
    this.#addFlow.run({ day, ...flow });
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

function shares(column: 'account' | 'content_id'): string {
  return `SELECT ${column} AS key, sum(down_bytes) AS downBytes, sum(up_bytes) AS upBytes
    FROM traffic_days WHERE day >= ? GROUP BY ${column} ORDER BY sum(down_bytes) + sum(up_bytes) DESC LIMIT ?`;
}
