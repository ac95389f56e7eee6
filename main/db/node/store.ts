/** The node's own file: contents, channels of both sides, settlements. */
import { MetaTable } from '../meta.ts';
import { openDatabase, transaction } from '../open.ts';
import { ContentTable } from './contents.ts';
import { first } from './migrations/0001-first.ts';
import { PayeeChannelTable } from './payee-channels.ts';
import { PayerChannelTable } from './payer-channels.ts';
import { SettlementTable } from './settlements.ts';

export interface NodeStore {
  readonly contents: ContentTable;
  readonly payerChannels: PayerChannelTable;
  readonly payeeChannels: PayeeChannelTable;
  readonly settlements: SettlementTable;
  readonly meta: MetaTable;
  /** Everything that `fn` writes is durable when this returns, or none of it. @throws AceError `StoreFailed` */
  commit<T>(fn: () => T): T;
  close(): void;
}

export const NODE_MIGRATIONS = [first] as const;

/** @throws AceError `DataDirMismatch`, `SchemaTooNew`, `MigrationFailed`, `DataDirNotWritable`, `StoreFailed` */
export function openNodeStore(path: string): NodeStore {
  const db = openDatabase({ path, role: 'node', migrations: NODE_MIGRATIONS });
  return {
    contents: new ContentTable(db),
    payerChannels: new PayerChannelTable(db),
    payeeChannels: new PayeeChannelTable(db),
    settlements: new SettlementTable(db),
    meta: new MetaTable(db),
    commit: (fn) => transaction(db, fn),
    close: () => db.close(),
  };
}
