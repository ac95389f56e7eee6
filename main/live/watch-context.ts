import type { Provider } from '../content/provider.ts';
import type { Log } from '../process/log.ts';
import type { Transfer } from '../transfer/transfer.ts';
import type { RecordBook } from './record-book.ts';

export interface WatchContext {
  readonly book: RecordBook;
  readonly log: Log;
  readonly nowMs: () => number;
  readonly random: () => number;
  /** Who has the broadcast: its broadcaster and who watches it. @throws AceError `ShardUnavailable` */
  readonly findProviders: (broadcast: string) => Promise<readonly Provider[]>;
  /** Signed records above a number. @throws AceError as the live protocol does */
  readonly askRecords: (provider: Provider, broadcast: string, after: number) => Promise<Uint8Array[]>;
  readonly askHolds: (provider: Provider, contentId: string) => Promise<boolean>;
  /** The transfer of a segment; `stopTransfer` ends it. */
  readonly transferOf: (contentId: string) => Promise<Transfer>;
  readonly stopTransfer: (contentId: string) => Promise<void>;
  /** Makes room for an init segment that is fetched, see `LiveRecordTable.claim`. Whether it is the broadcast's now. */
  readonly claim: (contentId: string, broadcast: string) => boolean;
  /** Gives up what was claimed: it is no init segment. */
  readonly disclaim: (contentId: string) => Promise<void>;
  readonly onChange: () => void;
}
