/** The picture of the node that pages and the command line see: made when it is asked for, out of what others own. */
import { statfsSync } from 'node:fs';
import { formatAmount } from '../../shared/economy/money.ts';
import { priceOfUnits } from '../../shared/economy/price.ts';
import { AceError } from '../../shared/errors.ts';
import type { TransferReason, TransferView } from '../../shared/rpc/content.ts';
import type { NodeSnapshot } from '../../shared/rpc/rpc.ts';
import type { AccountPicture } from '../account/account-sync.ts';
import type { RunningPeer } from '../peer/peer.ts';
import type { Transfer } from '../transfer/transfer.ts';
import type { AutoTopUp } from './auto-top-up.ts';
import { watchView } from './broadcasts.ts';
import { repaymentView } from './operation-views.ts';
import type { SharingService } from './sharing.ts';
import { holdingsView, priceView, settingsView } from './views.ts';

const REPAYMENTS_SHOWN = 10;
const MIB = 2 ** 20;

/** What a snapshot shows of the process that the peer runs in. */
export interface NodeFacts {
  readonly version: string;
  readonly dataDir: string;
  /** This process runs the network's validator. */
  readonly ownDevnet: boolean;
  readonly startedAtMs: number;
  /** Base of the pages' addresses; `null` before the server listens. */
  readonly pagesUrl: string | null;
  readonly sharing: SharingService;
  readonly autoTopUp: Pick<AutoTopUp, 'view'>;
}

/** @throws AceError `ShardUnavailable` before the home shard has answered for the first time */
export function knownPicture({ sync }: Pick<RunningPeer, 'sync'>): AccountPicture {
  if (sync.picture) return sync.picture;
  throw new AceError(
    'ShardUnavailable',
    'The state of the account is not known yet: its shard has not answered since the start',
  );
}

/** @throws AceError as `knownPicture` */
export function snapshotOf(
  peer: RunningPeer,
  { ownDevnet: devnet, sharing, autoTopUp, ...facts }: NodeFacts,
): NodeSnapshot {
  const { store, sync, shardClient, meter, settings } = peer;
  const picture = knownPicture(peer);
  const { paymentBytes, protocolBytes } = meter.totals();
  return {
    ...facts,
    devnet,
    faucet: peer.devnet,
    networkId: settings.networkId,
    account: peer.account.address,
    peerId: peer.host.peerId.toString(),
    shard: {
      connected: shardClient.connected,
      shard: peer.shard,
      multiaddr: peer.lines.joined.toString(),
      clockJumped: peer.clock.shardJumped,
    },
    clock: peer.clock.trouble,
    distrustedShards: sync.distrusted(),
    multiaddrs: peer.host.getMultiaddrs().map(String),
    peers: peer.host.getPeers().length,
    ...fundsView(peer, picture),
    sharing: sharing.summary(picture.unitPriceXac),
    price: priceView(picture, settings),
    traffic: { ...meter.rates(), ...store.contents.totals(), paymentBytes, protocolBytes },
    transfers: transferViews(peer, picture),
    limits: settingsView(peer.limits, peer.pieces.cache),
    autoTopUp: autoTopUp.view(),
    diskFreeBytes: freeBytes(facts.dataDir),
    settlementCount: store.settlements.count(),
    repayments: store.settlements.repayments(0, REPAYMENTS_SHOWN).map(repaymentView),
  };
}

/** Of the disk of the data directory, in whole MiB: no page has news of each log line. Some file systems do not say. */
function freeBytes(dataDir: string): number | null {
  try {
    const { bavail, bsize } = statfsSync(dataDir);
    return Math.floor((bavail * bsize) / MIB) * MIB;
  } catch {
    return null;
  }
}

function fundsView({ store, settings }: RunningPeer, { account, unitPriceXac }: AccountPicture) {
  const priced = (units: number) => formatAmount(priceOfUnits(units, unitPriceXac));
  const [earnedUnits, owedUnits] = [
    store.settledChannels.pendingUnits('earned'),
    store.settledChannels.pendingUnits('paid'),
  ];
  return {
    holdings: holdingsView(account),
    credit: {
      limitUnits: settings.trafficCreditLimitUnits,
      usedUnits: account.creditUsedUnits,
      reservedUnits: account.reservedUnits,
      loans: account.loans.map((loan) => ({ ...loan, priceXac: priced(loan.units) })),
    },
    pending: { earnedUnits, earnedXac: priced(earnedUnits), owedUnits, owedXac: priced(owedUnits) },
  };
}

function reasonView({ code, message, details: { untilMs } }: AceError): TransferReason {
  return { code, message, ...(typeof untilMs === 'number' && { untilMs }) };
}

/** Contents on their way here, then broadcasts that are watched: their segments are no transfers of their own. */
function transferViews({ store, library, live, meter, pieces }: RunningPeer, picture: AccountPicture) {
  const { downBytesPerSecond } = meter.rates();
  const { unitPriceXac } = picture;
  const costXac = (units: number) => formatAmount(priceOfUnits(units, unitPriceXac));
  const transferView = (transfer: Transfer): TransferView => ({
    contentId: transfer.contentId,
    name: transfer.file.name,
    sizeBytes: transfer.file.sizeBytes,
    haveBytes: transfer.haveBytes,
    wanted: transfer.isWanted,
    window: pieces.cache.isWindow(transfer.contentId),
    state: transfer.state,
    reason: transfer.reason && reasonView(transfer.reason),
    provider: transfer.providerAccount,
    providers: transfer.providers,
    doubledPieces: transfer.doubledPieces,
    refusal: transfer.refusal,
    downBytesPerSecond: transfer.state === 'fetching' ? downBytesPerSecond : 0,
    fetchingMs: Math.round(transfer.fetchingMs),
    paidUnits: transfer.paidUnits,
    costXac: costXac(transfer.paidUnits),
  });
  const contents = library
    .active()
    .filter(({ contentId }) => store.liveRecords.broadcastOf(contentId) === null);
  return [
    ...contents.map(transferView),
    ...live.watches().map((watch) => watchView(watch, downBytesPerSecond, unitPriceXac)),
  ];
}
