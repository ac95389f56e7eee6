/** What a transfer is given. */

import type { Provider } from '../content/provider.ts';
import type { NodeStore } from '../db/node/store.ts';
import type { DownloadBudget } from '../limits/download-budget.ts';
import type { Log } from '../process/log.ts';
import type { StreamPool } from './stream-pool.ts';

export interface TransferContext {
  readonly store: NodeStore;
  readonly log: Log;
  readonly pool: StreamPool;
  /** Whether and when another piece may be asked for. */
  readonly budget: Pick<DownloadBudget, 'mayRequest'>;
  /** Pieces that may be fetched ahead of each reader, where not all of the content fits on the disk; else `null`. */
  readonly aheadPieces: (contentId: string, sizeBytes: number) => number | null;
  /** Who has this content, best first. @throws AceError `ShardUnavailable` */
  readonly findProviders: (contentId: string) => Promise<Provider[]>;
  readonly nowMs: () => number;
  readonly onChange: () => void;
  /** The first of the content is here, or all of it: others can be served from here. */
  readonly onServable: () => void;
}
