import type { OperationKind } from '../../../shared/economy/operation.ts';
import type { Database } from '../open.ts';

/** `rules`: from here on, newer rules (see `chain/embedded/rules.ts`). */
export type LogKind = 'genesis' | 'rules' | 'batch' | OperationKind;

/** One thing that happened to the chain. */
export interface LogRecord {
  readonly height: number;
  readonly previousHash: Uint8Array;
  readonly kind: LogKind;
  readonly bytes: Uint8Array;
  readonly hash: Uint8Array;
  readonly appendedAtMs: number;
}

export type LogHead = Pick<LogRecord, 'height' | 'hash' | 'appendedAtMs'>;

export interface LogQueries {
  append(record: LogRecord): void;
  at(height: number): LogRecord | undefined;
  head(): LogHead | undefined;
}

export function logQueries(db: Database): LogQueries {
  const append = db.prepare<[LogRecord]>(`
    INSERT INTO log (height, previous_hash, kind, bytes, hash, appended_at_ms)
    VALUES (@height, @previousHash, @kind, @bytes, @hash, @appendedAtMs)
  `);
  const columns = 'height, previous_hash AS previousHash, kind, bytes, hash, appended_at_ms AS appendedAtMs';
  const at = db.prepare<[number], LogRecord>(`SELECT ${columns} FROM log WHERE height = ?`);
  const head = db.prepare<[], LogHead>(
    'SELECT height, hash, appended_at_ms AS appendedAtMs FROM log ORDER BY height DESC LIMIT 1',
  );
  return {
    append: (record) => void append.run(record),
    at: (height) => at.get(height),
    head: () => head.get(),
  };
}
