/** The embedded chain's file: one object of queries per table, over one open database. */
import { checkOpens, type Database, type OpenOptions, openDatabase, withStoreErrors } from '../open.ts';
import { type AccessQueries, accessQueries } from './access.ts';
import { type AccountOperationQueries, accountOperationQueries } from './account-operations.ts';
import { type AccountQueries, accountQueries } from './accounts.ts';
import { type BatchQueries, batchQueries } from './batches.ts';
import { type DeviceQueries, deviceQueries } from './devices.ts';
import { type FeedQueries, feedQueries } from './feed.ts';
import { type LogQueries, logQueries } from './log.ts';
import { chainMigrations } from './migrations/index.ts';
import { type ObservationQueries, observationQueries } from './observations.ts';
import { type PoolQueries, poolQueries } from './pools.ts';
import { type RateHourQueries, rateHourQueries } from './rate-hours.ts';
import { type ShardTrafficQueries, shardTrafficQueries } from './shard-traffic.ts';
import { type SupplyQueries, supplyQueries } from './supply.ts';
import { type TotalsQueries, totalsQueries } from './totals.ts';

export interface ChainStore {
  readonly db: Database;
  readonly accounts: AccountQueries;
  readonly access: AccessQueries;
  readonly accountOperations: AccountOperationQueries;
  readonly pools: PoolQueries;
  readonly supply: SupplyQueries;
  readonly totals: TotalsQueries;
  readonly rateHours: RateHourQueries;
  readonly shardTraffic: ShardTrafficQueries;
  readonly batches: BatchQueries;
  readonly log: LogQueries;
  readonly observations: ObservationQueries;
  readonly feed: FeedQueries;
  readonly devices: DeviceQueries;
}

/** Memory for pages of the file; more brings little, for batches touch accounts in the order of the file. */
const CACHE_KIB = 8_192;
/**
 * Pages in the WAL before they move to the file, 128 MiB: what one batch changes is often changed again by the next.
 */
const CHECKPOINT_PAGES = 32_768;

/** @throws AceError what {@link openDatabase} throws. */
export function openChainStore(
  path: string,
  { snapshot = false, name = path }: Pick<OpenOptions, 'snapshot' | 'name'> = {},
): ChainStore {
  const db = openDatabase({ path, role: 'chain', migrations: chainMigrations, snapshot, name });
  db.pragma(`cache_size = -${CACHE_KIB}`);
  db.pragma(`wal_autocheckpoint = ${CHECKPOINT_PAGES}`);
  // A damaged schema shows when the statements are prepared.
  return withStoreErrors(
    () => ({
      db,
      accounts: accountQueries(db),
      access: accessQueries(db),
      accountOperations: accountOperationQueries(db),
      pools: poolQueries(db),
      supply: supplyQueries(db),
      totals: totalsQueries(db),
      rateHours: rateHourQueries(db),
      shardTraffic: shardTrafficQueries(db),
      batches: batchQueries(db),
      log: logQueries(db),
      observations: observationQueries(db),
      feed: feedQueries(db),
      devices: deviceQueries(db),
    }),
    path,
  );
}

/** Whether a chain that is there can go on in this program. Changes nothing. @throws AceError what {@link checkOpens} throws */
export function checkChainOpens(path: string): void {
  checkOpens({ path, role: 'chain', migrations: chainMigrations });
}
