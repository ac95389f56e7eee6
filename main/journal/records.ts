/**
 * The journal's entries from the records of node.db: of each settlement and operation, in the transaction that books the
 * record, so that one is never here without the other. Entries are made of those records alone, so making them again
 * gives the same bytes.
 */
import { operationEntry, settlementEntries } from '../../shared/journal/entries.ts';
import type { JournalEntry } from '../../shared/journal/entry.ts';
import { decodeSignedOperation } from '../../shared/operation.ts';
import type { OperationRow } from '../db/node/operations.ts';
import type { NewSettlement } from '../db/node/settlements.ts';
import type { NodeStore } from '../db/node/store.ts';

/** None while the shard has not told how the sums came about. @throws AceError `MessageMalformed` */
export function entriesOfSettlement(row: NewSettlement): JournalEntry[] {
  return row.detail ? settlementEntries({ ...row, seq: row.shardSeq }) : [];
}

/** `account`: whose journal it is, lower case. @throws AceError `MessageMalformed` */
export function entryOfOperation(account: string, row: OperationRow): JournalEntry {
  const operation = row.operation && decodeSignedOperation(row.operation).operation;
  return operationEntry(account, { ...row, operation });
}

/** All that the journal must have, in the order in which the records were told. @throws AceError `MessageMalformed` */
export function* entriesOfRecords(
  store: Pick<NodeStore, 'settlements' | 'operations'>,
  account: string,
): Generator<JournalEntry> {
  for (const row of store.operations.all()) yield entryOfOperation(account, row);
  for (const row of store.settlements.all()) yield* entriesOfSettlement(row);
}
