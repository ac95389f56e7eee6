/** A shard validator's file: leases with their claims, loans, batches. */
import { MetaTable } from '../meta.ts';
import { type OpenOptions, openDatabase, transaction, withStoreErrors } from '../open.ts';
import { BatchTable } from './batches.ts';
import { DisputeTable } from './disputes.ts';
import { LeaseTable } from './leases.ts';
import { LoanTable } from './loans.ts';
import { first } from './migrations/0001-first.ts';
import { disputes } from './migrations/0002-disputes.ts';
import { anchorsAgain } from './migrations/0003-anchors-again.ts';
import { batchChannels } from './migrations/0004-batch-channels.ts';
import { unusedLeases } from './migrations/0005-unused-leases.ts';
import { unlinkedDevices } from './migrations/0006-unlinked-devices.ts';
import { paidViewing } from './migrations/0007-paid-viewing.ts';
import { refusedViewing } from './migrations/0008-refused-viewing.ts';
import { everRefused } from './migrations/0009-ever-refused.ts';
import { refusedApart } from './migrations/0010-refused-apart.ts';
import { UnlinkingTable } from './unlinking.ts';
import { WatcherTable } from './watchers.ts';

export interface ValidatorStore {
  readonly leases: LeaseTable;
  readonly loans: LoanTable;
  readonly batches: BatchTable;
  readonly watchers: WatcherTable;
  readonly disputes: DisputeTable;
  readonly unlinking: UnlinkingTable;
  readonly meta: MetaTable;
  /** Everything that `fn` writes is durable when this returns, or none of it. @throws AceError `StoreFailed` */
  commit<T>(fn: () => T): T;
  close(): void;
}

export const VALIDATOR_MIGRATIONS = [
  first,
  disputes,
  anchorsAgain,
  batchChannels,
  unusedLeases,
  unlinkedDevices,
  paidViewing,
  refusedViewing,
  everRefused,
  refusedApart,
] as const;

/**
 * Pages of the WAL, 16 MiB, before they move to the database: claims come to rows all over the file, and pages that
 * were written several times meanwhile move once.
 */
const WAL_PAGES = 4_000;

/**
 * `snapshot`: one unchanging picture of a file that another process may write to.
 * @throws AceError `DataDirMismatch`, `SchemaTooNew`, `MigrationFailed`, `DataDirNotWritable`, `StoreFailed`
 */
export function openValidatorStore(
  path: string,
  { snapshot = false, name = path }: Pick<OpenOptions, 'snapshot' | 'name'> = {},
): ValidatorStore {
  const db = openDatabase({ path, role: 'validator', migrations: VALIDATOR_MIGRATIONS, snapshot, name });
  db.pragma(`wal_autocheckpoint = ${WAL_PAGES}`);
  // A damaged schema shows when the statements are prepared.
  return withStoreErrors(
    () => ({
      leases: new LeaseTable(db),
      loans: new LoanTable(db),
      batches: new BatchTable(db),
      watchers: new WatcherTable(db),
      disputes: new DisputeTable(db),
      unlinking: new UnlinkingTable(db),
      meta: new MetaTable(db),
      commit: (fn) => transaction(db, fn),
      close: () => db.close(),
    }),
    path,
  );
}
