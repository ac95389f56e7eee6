/** A shard validator's file: leases with their claims, loans, batches. */
import { MetaTable } from '../meta.ts';
import { openDatabase, transaction } from '../open.ts';
import { BatchTable } from './batches.ts';
import { LeaseTable } from './leases.ts';
import { LoanTable } from './loans.ts';
import { first } from './migrations/0001-first.ts';
import { WatcherTable } from './watchers.ts';

export interface ValidatorStore {
  readonly leases: LeaseTable;
  readonly loans: LoanTable;
  readonly batches: BatchTable;
  readonly watchers: WatcherTable;
  readonly meta: MetaTable;
  /** Everything that `fn` writes is durable when this returns, or none of it. @throws AceError `StoreFailed` */
  commit<T>(fn: () => T): T;
  close(): void;
}

export const VALIDATOR_MIGRATIONS = [first] as const;

/** @throws AceError `DataDirMismatch`, `SchemaTooNew`, `MigrationFailed`, `DataDirNotWritable`, `StoreFailed` */
export function openValidatorStore(path: string): ValidatorStore {
  const db = openDatabase({ path, role: 'validator', migrations: VALIDATOR_MIGRATIONS });
  return {
    leases: new LeaseTable(db),
    loans: new LoanTable(db),
    batches: new BatchTable(db),
    watchers: new WatcherTable(db),
    meta: new MetaTable(db),
    commit: (fn) => transaction(db, fn),
    close: () => db.close(),
  };
}
