/** The node's own file: contents, channels of both sides, settlements, the user's settings, data used. */
import { MetaTable } from '../meta.ts';
import { type OpenOptions, openDatabase, transaction, withStoreErrors } from '../open.ts';
import { AccessCertificateTable } from './access-certificates.ts';
import { AutoTopUpTable } from './auto-top-ups.ts';
import { BilledChannelTable } from './billed-channels.ts';
import { BroadcastTable } from './broadcasts.ts';
import { ChannelBookTable } from './channel-books.ts';
import { ChannelContentTable } from './channel-contents.ts';
import { ContentTable } from './contents.ts';
import { CreditTable } from './credits.ts';
import { DataUsedTable } from './data-used.ts';
import { DivergedShardTable } from './diverged-shards.ts';
import { EntryContentTable } from './entry-contents.ts';
import { EquivocationTable } from './equivocations.ts';
import { JournalTable } from './journal.ts';
import { LiveRecordTable } from './live-records.ts';
import { MarketHistoryTable } from './market-history.ts';
import { first } from './migrations/0001-first.ts';
import { channelStates } from './migrations/0002-channel-states.ts';
import { settlementsOfShards } from './migrations/0003-settlements-of-shards.ts';
import { channelBooks } from './migrations/0004-channel-books.ts';
import { equivocations } from './migrations/0005-equivocations.ts';
import { shardHistories } from './migrations/0006-shard-histories.ts';
import { payeeProgress } from './migrations/0007-payee-progress.ts';
import { storeAndLimits } from './migrations/0008-store-and-limits.ts';
import { broadcasts } from './migrations/0009-broadcasts.ts';
import { deletedTraffic } from './migrations/0010-deleted-traffic.ts';
import { journal } from './migrations/0011-journal.ts';
import { channelContents } from './migrations/0012-channel-contents.ts';
import { traffic } from './migrations/0013-traffic.ts';
import { marketHistory } from './migrations/0014-market-history.ts';
import { settlementHistory } from './migrations/0015-settlement-history.ts';
import { bills } from './migrations/0016-bills.ts';
import { entryContents } from './migrations/0017-entry-contents.ts';
import { settlementDays } from './migrations/0018-settlement-days.ts';
import { pausedContents } from './migrations/0019-paused-contents.ts';
import { pieceCounts } from './migrations/0020-piece-counts.ts';
import { places } from './migrations/0021-places.ts';
import { autoTopUps } from './migrations/0022-auto-top-ups.ts';
import { access } from './migrations/0023-access.ts';
import { OperationTable } from './operations.ts';
import { PayeeChannelTable } from './payee-channels.ts';
import { PayerChannelTable } from './payer-channels.ts';
import { SettingTable } from './settings.ts';
import { SettledChannelTable } from './settled-channels.ts';
import { SettlementDayTable } from './settlement-days.ts';
import { SettlementHistory } from './settlement-history.ts';
import { SettlementTable } from './settlements.ts';
import { TrafficTable } from './traffic.ts';

export interface NodeStore {
  readonly accessCertificates: AccessCertificateTable;
  readonly contents: ContentTable;
  readonly broadcasts: BroadcastTable;
  readonly liveRecords: LiveRecordTable;
  readonly payerChannels: PayerChannelTable;
  readonly payeeChannels: PayeeChannelTable;
  readonly channelBooks: ChannelBookTable;
  readonly billedChannels: BilledChannelTable;
  readonly channelContents: ChannelContentTable;
  readonly entryContents: EntryContentTable;
  readonly settlements: SettlementTable;
  readonly settlementHistory: SettlementHistory;
  readonly settlementDays: SettlementDayTable;
  readonly settledChannels: SettledChannelTable;
  readonly credits: CreditTable;
  readonly operations: OperationTable;
  readonly autoTopUps: AutoTopUpTable;
  readonly journal: JournalTable;
  readonly equivocations: EquivocationTable;
  readonly divergedShards: DivergedShardTable;
  readonly userSettings: SettingTable;
  readonly dataUsed: DataUsedTable;
  readonly traffic: TrafficTable;
  readonly marketHistory: MarketHistoryTable;
  readonly meta: MetaTable;
  /** Everything that `fn` writes is durable when this returns, or none of it. @throws AceError `StoreFailed` */
  commit<T>(fn: () => T): T;
  close(): void;
}

export const NODE_MIGRATIONS = [
  first,
  channelStates,
  settlementsOfShards,
  channelBooks,
  equivocations,
  shardHistories,
  payeeProgress,
  storeAndLimits,
  broadcasts,
  deletedTraffic,
  journal,
  channelContents,
  traffic,
  marketHistory,
  settlementHistory,
  bills,
  entryContents,
  settlementDays,
  pausedContents,
  pieceCounts,
  places,
  autoTopUps,
  access,
] as const;

/**
 * `snapshot`: one unchanging picture of a file that another process may write to.
 * @throws AceError `DataDirMismatch`, `SchemaTooNew`, `MigrationFailed`, `DataDirNotWritable`, `StoreFailed`
 */
export function openNodeStore(
  path: string,
  { snapshot = false }: Pick<OpenOptions, 'snapshot'> = {},
): NodeStore {
  const db = openDatabase({ path, role: 'node', migrations: NODE_MIGRATIONS, snapshot });
  // 16 MiB, for the rows of 10,000 channels: with less, most ticks would read their page from the disk first.
  if (!snapshot) db.pragma('cache_size = -16384');
  // A damaged schema shows when the statements are prepared.
  return withStoreErrors(
    () => ({
      accessCertificates: new AccessCertificateTable(db),
      contents: new ContentTable(db),
      broadcasts: new BroadcastTable(db),
      liveRecords: new LiveRecordTable(db),
      payerChannels: new PayerChannelTable(db),
      payeeChannels: new PayeeChannelTable(db),
      channelBooks: new ChannelBookTable(db),
      billedChannels: new BilledChannelTable(db),
      channelContents: new ChannelContentTable(db),
      entryContents: new EntryContentTable(db),
      settlements: new SettlementTable(db),
      settlementHistory: new SettlementHistory(db),
      settlementDays: new SettlementDayTable(db),
      settledChannels: new SettledChannelTable(db),
      credits: new CreditTable(db),
      operations: new OperationTable(db),
      autoTopUps: new AutoTopUpTable(db),
      journal: new JournalTable(db),
      equivocations: new EquivocationTable(db),
      divergedShards: new DivergedShardTable(db),
      userSettings: new SettingTable(db),
      dataUsed: new DataUsedTable(db),
      traffic: new TrafficTable(db),
      marketHistory: new MarketHistoryTable(db),
      meta: new MetaTable(db),
      commit: (fn) => transaction(db, fn),
      close: () => db.close(),
    }),
    path,
  );
}
