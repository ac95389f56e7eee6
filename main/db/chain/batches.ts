import type { Database } from '../open.ts';

/** An applied batch and its answer, as bytes. */
export interface StoredBatch {
  readonly shard: number;
  readonly number: number;
  readonly hash: Uint8Array;
  readonly bytes: Uint8Array;
  readonly signature: Uint8Array;
  readonly result: Uint8Array;
}

export interface BatchQueries {
  insert(batch: StoredBatch): void;
  get(shard: number, number: number): StoredBatch | undefined;
  /** The shard's latest batch. */
  last(shard: number): { readonly number: number; readonly hash: Uint8Array } | undefined;
}

export function batchQueries(db: Database): BatchQueries {
  const insert = db.prepare<[StoredBatch]>(`
    INSERT INTO batches (shard, number, hash, bytes, signature, result)
    VALUES (@shard, @number, @hash, @bytes, @signature, @result)
  `);
  const get = db.prepare<[number, number], StoredBatch>(
    'SELECT * FROM batches WHERE shard = ? AND number = ?',
  );
  const last = db.prepare<[number], { number: number; hash: Uint8Array }>(
    'SELECT number, hash FROM batches WHERE shard = ? ORDER BY number DESC LIMIT 1',
  );
  return {
    insert: (batch) => void insert.run(batch),
    get: (shard, number) => get.get(shard, number),
    last: (shard) => last.get(shard),
  };
}
