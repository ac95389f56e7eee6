/**
 * `ace-node status` of a node that does not run and whose wallet has a passphrase: what its books say needs none. The
 * figures are those of when it last ran, and said to be.
 */
import type { HoldingsView } from '../../shared/rpc/holdings.ts';
import type { SharingSummary } from '../../shared/rpc/sharing.ts';
import { shownAddress } from '../../shared/typed/address.ts';
import { storedPicture } from '../account/account-sync.ts';
import type { NodeConfig } from '../data-dir/config.ts';
import { DataDir } from '../data-dir/data-dir.ts';
import { openNodeStore } from '../db/node/store.ts';
import { SharingService } from '../service/sharing.ts';
import { holdingsView } from '../service/views.ts';
import { amounts } from './holdings.ts';
import { sharingRows } from './sharing-rows.ts';

/** @throws AceError `DataDirMismatch`, `SchemaTooNew`, `StoreFailed` */
export function storedStatus(config: NodeConfig, json: boolean): string {
  const { nodeDb, path } = new DataDir(config.dataDir);
  const store = openNodeStore(nodeDb, { snapshot: true });
  try {
    const picture = storedPicture(store);
    const account = store.meta.get('account');
    const facts = {
      running: false,
      locked: true,
      networkId: store.meta.get('network'),
      account,
      asOfMs: picture?.asOfMs ?? null,
      holdings: picture && holdingsView(picture.account),
      creditUsedUnits: picture?.account.creditUsedUnits ?? null,
      sharing: new SharingService(store, () => Date.now()).summary(picture?.unitPriceXac ?? null),
      contents: store.contents.list().length,
      settlementCount: store.settlements.count(),
      dataDir: path,
    };
    return json ? JSON.stringify(facts, null, 2) : describe(facts);
  } finally {
    store.close();
  }
}

interface StoredFacts {
  readonly networkId: string | null;
  readonly account: string | null;
  readonly asOfMs: number | null;
  readonly holdings: HoldingsView | null;
  readonly creditUsedUnits: number | null;
  readonly sharing: SharingSummary;
  readonly contents: number;
  readonly settlementCount: number;
  readonly dataDir: string;
}

function describe(s: StoredFacts): string {
  const rows: [string, string][] = [
    ['Node', 'not running, and its wallet is locked: these are the figures of when it last ran'],
    ['Network', s.networkId ?? 'none yet'],
    ['Account', s.account === null ? 'not known' : shownAddress(s.account)],
    ['As of', s.asOfMs === null ? 'not known' : new Date(s.asOfMs).toISOString()],
    ['To spend', s.holdings ? amounts(s.holdings.services) : 'not known'],
    ['Kept', s.holdings ? amounts(s.holdings.main) : 'not known'],
    [
      'Credit',
      s.creditUsedUnits === null ? 'not known' : `${s.creditUsedUnits.toLocaleString('en')} MiB used`,
    ],
    ...sharingRows(s.sharing),
    ['Contents', s.contents.toLocaleString('en')],
    ['Settlements', s.settlementCount.toLocaleString('en')],
    ['Data', s.dataDir],
  ];
  return rows.map(([label, text]) => `${label.padEnd(12)} ${text}`).join('\n');
}
