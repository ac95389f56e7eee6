/** Holds a shard's book of batches against the main chain: what the one says it settled, the other has applied. */
import { sameBytes } from '../../shared/bytes.ts';
import { encodeBatchResult } from '../../shared/settlement/batch-result.ts';
import { hashBatch } from '../chain/batch-signature.ts';
import type { MainChain } from '../chain/port.ts';
import type { BatchRow } from '../db/validator/batches.ts';
import type { ValidatorStore } from '../db/validator/store.ts';

/** The last batch in a shard's book, as it was before the chain was read. */
export type BookEnd = Pick<BatchRow, 'number' | 'result'> | null;

/**
 * What differs first between the chain and the book of one of its shards, or `null`. `before` is the book's end from
 * before the chain's picture was taken and `book` the book from after it: both may go on, and a batch is in the book
 * before the chain has it and answered there after. Every batch that the chain has is compared.
 */
export async function bookDifference(
  chain: MainChain,
  shard: number,
  before: BookEnd,
  book: ValidatorStore,
): Promise<string | null> {
  const last = await chain.lastBatch(shard);
  const answered = before === null ? 0 : before.result === null ? before.number - 1 : before.number;
  if (answered > last.number) {
    return `shard ${shard} has settled ${answered} batches, the chain has only ${last.number}`;
  }
  for (let number = 1; number <= last.number; number++) {
    const row = book.batches.get(number);
    const result = await chain.batchResult(shard, number);
    if (!row || !result) return `shard ${shard} does not know batch ${number}`;
    const [hash, rowHash] = [result.hash, hashBatch(row.bytes)];
    if (!sameBytes(row.hash, hash) || !sameBytes(rowHash, hash)) {
      return `shard ${shard} has another batch ${number}`;
    }
    // The last one's answer may still be on its way.
    if (row.result === null && number === last.number) continue;
    if (row.result === null || !sameBytes(row.result, encodeBatchResult(result))) {
      return `shard ${shard} has another answer to batch ${number}`;
    }
  }
  return null;
}
