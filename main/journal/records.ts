/**
 * The journal's entries from the records of node.db: of each settlement and operation, in the transaction that books the
 * record, so that one is never here without the other. Entries are made of those records alone, so making them again
 * gives the same bytes.
 */

import { decodeSignedOperation } from '../../shared/economy/operation.ts';
import { operationEntry, settlementEntries } from '../../shared/journal/entries.ts';
import type { JournalEntry } from '../../shared/journal/entry.ts';
import { settlementName } from '../../shared/settlement/name.ts';
import type { OperationRow } from '../db/node/operations.ts';
import type { NewSettlement, SettlementRow } from '../db/node/settlements.ts';
import type { NodeStore } from '../db/node/store.ts';
import { type ContentBooks, contentsNow } from './contents.ts';
import { bookDays, type DayBooks, settleChannels } from './day-book.ts';

type JournalBooks = ContentBooks & Pick<NodeStore, 'journal'>;

/** None while the shard has not sent how the sums came about. @throws AceError `MessageMalformed` */
export function entriesOfSettlement(row: NewSettlement): JournalEntry[] {
  return row.detail ? settlementEntries({ ...row, seq: row.shardSeq }) : [];
}

/** `account`: whose journal it is, lower case. @throws AceError `MessageMalformed` */
export function entryOfOperation(account: string, row: OperationRow): JournalEntry {
  const operation = row.operation && decodeSignedOperation(row.operation).operation;
  return operationEntry(account, { ...row, operation });
}

/**
 * Books a settlement as its shard sent it, with its entries. The answer is a row that is new; `null` for one that was
 * there, also when that lacked its detail and has it now. Belongs into a transaction.
 * @throws AceError `MessageMalformed`, and then nothing must be kept
 */
export function bookSettlement(store: JournalBooks & DayBooks, row: NewSettlement): SettlementRow | null {
  const added = store.settlements.insert(row);
  if (added === null && store.settlements.complete(row) === null) return null;
  for (const entry of entriesOfSettlement(row)) append(store, entry);
  // What a row is made of may come later than its sums.
  if (added === null) settleChannels(store, row);
  else bookDays(store);
  return added;
}

/** The same of an operation; one that was there stays as it is. @throws AceError `MessageMalformed` */
export function bookOperation(
  store: JournalBooks & Pick<NodeStore, 'operations'>,
  account: string,
  row: OperationRow,
): void {
  if (store.operations.insert(row)) append(store, entryOfOperation(account, row));
}

/** With what it was for, as far as that is known now. */
function append(store: JournalBooks, entry: JournalEntry): void {
  store.journal.append(entry);
  const contents = contentsNow(store, entry);
  if (contents.length > 0) store.entryContents.add(entry, contents);
}

/** What entries are made of. */
export interface JournalRecord {
  /** For people: `settlement s0-12`, `operation at height 7`. */
  readonly name: string;
  /** @throws AceError `MessageMalformed` when the record contradicts itself */
  entries(): JournalEntry[];
}

/** Of all that the journal must have, in the order in which the records came. */
export function* journalRecords(
  store: Pick<NodeStore, 'settlements' | 'operations'>,
  account: string,
): Generator<JournalRecord> {
  for (const row of store.operations.all()) {
    yield { name: `operation at height ${row.height}`, entries: () => [entryOfOperation(account, row)] };
  }
  for (const row of store.settlements.all()) {
    yield { name: `settlement ${settlementName(row)}`, entries: () => entriesOfSettlement(row) };
  }
}
