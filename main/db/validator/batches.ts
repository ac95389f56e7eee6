import type { Database } from '../open.ts';

export interface BatchRow {
  readonly number: number;
  readonly hash: Uint8Array;
  readonly bytes: Uint8Array;
  readonly signature: Uint8Array;
  readonly createdAtMs: number;
  /** The main chain's answer, canonical bytes; `null` while it is under way. */
  readonly result: Uint8Array | null;
}

/** Units of one channel that a batch settled. */
export interface BatchChannel {
  readonly channelId: Uint8Array;
  readonly units: number;
}

export interface StatementRow {
  readonly seq: number;
  readonly batchNumber: number;
  readonly direction: 'paid' | 'earned';
  readonly entryIndex: number;
}

const COLUMNS = 'number, hash, bytes, signature, created_at_ms AS createdAtMs, result';

/** The shard's chain of batches with the main chain's answers, and the index of what each account is told. */
export class BatchTable {
  readonly #insert;
  readonly #get;
  readonly #last;
  readonly #setResult;
  readonly #addStatement;
  readonly #statements;
  readonly #lastSeq;
  readonly #addChannel;
  readonly #channels;

  constructor(db: Database) {
    this.#insert = db.prepare<[Omit<BatchRow, 'result'>]>(
      `INSERT INTO batches (number, hash, bytes, signature, created_at_ms)
       VALUES (@number, @hash, @bytes, @signature, @createdAtMs)`,
    );
    this.#get = db.prepare<[number], BatchRow>(`SELECT ${COLUMNS} FROM batches WHERE number = ?`);
    this.#last = db.prepare<[], BatchRow>(`SELECT ${COLUMNS} FROM batches ORDER BY number DESC LIMIT 1`);
    this.#setResult = db.prepare(`UPDATE batches SET result = ? WHERE number = ?`);
    this.#addStatement = db.prepare(
      `INSERT INTO statements (account, seq, batch_number, direction, entry_index)
       VALUES (@account, (SELECT coalesce(max(seq), 0) + 1 FROM statements WHERE account = @account), @batchNumber,
         @direction, @entryIndex)`,
    );
    this.#statements = db.prepare<[string, number, number], StatementRow>(
      `SELECT seq, batch_number AS batchNumber, direction, entry_index AS entryIndex FROM statements
       WHERE account = ? AND seq > ? ORDER BY seq LIMIT ?`,
    );
    this.#lastSeq = db
      .prepare<[string], number>(`SELECT coalesce(max(seq), 0) FROM statements WHERE account = ?`)
      .pluck();
    this.#addChannel = db.prepare(
      `INSERT INTO batch_channels (batch_number, payer, payee, channel_id, units) VALUES (?, ?, ?, ?, ?)`,
    );
    this.#channels = db.prepare<[number, string, string, number], BatchChannel>(
      `SELECT channel_id AS channelId, units FROM batch_channels
       WHERE batch_number = ? AND payer = ? AND payee = ? ORDER BY units DESC, channel_id LIMIT ?`,
    );
  }

  insert(batch: Omit<BatchRow, 'result'>): void {
    this.#insert.run(batch);
  }

  get(number: number): BatchRow | null {
    return this.#get.get(number) ?? null;
  }

  last(): BatchRow | null {
    return this.#last.get() ?? null;
  }

  setResult(number: number, result: Uint8Array): void {
    this.#setResult.run(result, number);
  }

  /** Once for each channel whose units a batch takes up. */
  addChannel(batchNumber: number, payer: string, payee: string, channel: BatchChannel): void {
    this.#addChannel.run(batchNumber, payer, payee, channel.channelId, channel.units);
  }

  /** Channels of one entry, those with most units first; none of a batch from before they were kept. */
  channels(batchNumber: number, payer: string, payee: string, limit: number): BatchChannel[] {
    return this.#channels
      .all(batchNumber, payer, payee, limit)
      .map(({ channelId, units }) => ({ channelId: new Uint8Array(channelId), units }));
  }

  addStatement(account: string, batchNumber: number, direction: 'paid' | 'earned', entryIndex: number): void {
    this.#addStatement.run({ account, batchNumber, direction, entryIndex });
  }

  /** What an account has not been told yet, oldest first. */
  statements(account: string, afterSeq: number, limit: number): StatementRow[] {
    return this.#statements.all(account, afterSeq, limit);
  }

  lastSeq(account: string): number {
    return this.#lastSeq.get(account) ?? 0;
  }
}
