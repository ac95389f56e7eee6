/** What pages and the command line ask of a node, answered from its peer: figures become views, inputs become calls. */

import { formatAmount } from '../../shared/economy/money.ts';
import { priceOfUnits } from '../../shared/economy/price.ts';
import { quoteTraffic } from '../../shared/economy/quote.ts';
import { AceError } from '../../shared/errors.ts';
import type { TransferView } from '../../shared/rpc/content.ts';
import type { Feed, FeedTopic, NodeSnapshot, Output } from '../../shared/rpc/rpc.ts';
import type { AccountPicture } from '../account/account-sync.ts';
import { parseContentId } from '../content/transport-file.ts';
import { DataDir } from '../data-dir/data-dir.ts';
import type { SettlementRow } from '../db/node/settlements.ts';
import type { JournalDownloads } from '../journal/downloads.ts';
import { onlyWatched } from '../live/live.ts';
import type { RunningPeer } from '../peer/peer.ts';
import { contentUrl } from '../players/addresses.ts';
import { manifestPath } from '../players/live-http.ts';
import { WAIT_MS as TRACKS_WAIT_MS, TrackBook } from '../players/track-book.ts';
import type { Log } from '../process/log.ts';
import type { FeedListener, NodeService } from '../rpc/service.ts';
import type { Transfer } from '../transfer/transfer.ts';
import { SETTLED_BEFORE } from '../wallet/channel-backup.ts';
import { accountProcedures } from './account-procedures.ts';
import { liveContentView, liveProcedures, watchView } from './broadcasts.ts';
import { channelsView } from './channels.ts';
import { journalProcedures } from './journal.ts';
import { repaymentView } from './operation-views.ts';
import { type GivenPorts, portProcedures } from './ports.ts';
import { settlementProcedures } from './settlements.ts';
import { trafficProcedures } from './traffic.ts';
import {
  balancesView,
  contentView,
  priceView,
  quoteBasis,
  quoteView,
  settingsView,
  settlementView,
} from './views.ts';

export interface NodeServiceOptions {
  readonly peer: RunningPeer;
  readonly version: string;
  readonly dataDir: string;
  /** This process runs the network's validator. */
  readonly ownDevnet: boolean;
  /** Base of playback addresses; known once the server listens. */
  readonly pagesUrl: () => string | null;
  /** That the server listens on; `null` before. */
  readonly httpPort: () => number | null;
  readonly givenPorts: GivenPorts;
  readonly downloads: JournalDownloads;
  readonly log: Log;
}

/** All that needs a running node: the wallet, which is there before, answers for itself (`node-gate.ts`). */
export interface NodeServiceHandle
  extends Omit<
    NodeService,
    | 'apiToken'
    | 'renewApiToken'
    | 'deviceRequest'
    | 'shutdown'
    | 'networkChoice'
    | 'chooseNetwork'
    | `wallet${string}`
  > {
  /** Tells every feed listener. */
  emit<T extends FeedTopic>(topic: T, data: Feed[T]): void;
  /** Soon: a picture is made at most four times a second, however often something changes. */
  emitSnapshot(): void;
  emitContents(): void;
  /** What goes through now; once a second. */
  emitTraffic(): void;
  emitSettlements(rows: readonly SettlementRow[]): void;
  close(): void;
}

const SNAPSHOT_EVERY_MS = 250;
const REPAYMENTS_TOLD = 10;

export function createNodeService(options: NodeServiceOptions): NodeServiceHandle {
  const { peer, version, dataDir, ownDevnet, pagesUrl } = options;
  const { store, library, live, sync, claims, shardClient } = peer;
  const listeners = new Set<FeedListener>();
  const traffic = trafficProcedures(peer, options.log);
  const trackBook = new TrackBook(peer.pieces);
  const startedAtMs = Date.now();
  let snapshotTimer: NodeJS.Timeout | null = null;

  const emit = <T extends FeedTopic>(topic: T, data: Feed[T]) => {
    for (const listener of listeners) listener(topic, data);
  };
  const known = (): AccountPicture => {
    if (!sync.picture)
      throw new AceError(
        'ShardUnavailable',
        'The state of the account is not known yet: its shard has not answered since the start',
      );
    return sync.picture;
  };

  /** Other shards first: what they have this account earn repays its loans at home. */
  const settleEverywhere = async () => {
    for (const [, line] of peer.lines.connected()) {
      if (line !== shardClient) await line.call('settle', {});
    }
    await shardClient.call('settle', {});
  };

  function view(picture: AccountPicture): NodeSnapshot {
    const { account } = picture;
    const priced = (units: number) => formatAmount(priceOfUnits(units, picture.unitPriceXac));
    const earnedUnits = pendingUnits(store, 'earned', store.payeeChannels.paidUnits());
    const owedUnits = pendingUnits(store, 'paid', store.payerChannels.revealedUnits());
    const { paymentBytes, protocolBytes } = peer.meter.totals();
    return {
      version,
      networkId: peer.settings.networkId,
      devnet: ownDevnet,
      account: peer.account.address,
      peerId: peer.host.peerId.toString(),
      dataDir,
      startedAtMs,
      shard: {
        connected: shardClient.connected,
        shard: peer.shard,
        multiaddr: peer.lines.joined.toString(),
      },
      distrustedShards: sync.distrusted(),
      multiaddrs: peer.host.getMultiaddrs().map(String),
      pagesUrl: pagesUrl(),
      peers: peer.host.getPeers().length,
      balances: balancesView(account.balances),
      credit: {
        limitUnits: peer.settings.trafficCreditLimitUnits,
        usedUnits: account.creditUsedUnits,
        reservedUnits: account.reservedUnits,
        loans: account.loans.map((loan) => ({ ...loan, priceXac: priced(loan.units) })),
      },
      pending: { earnedUnits, earnedXac: priced(earnedUnits), owedUnits, owedXac: priced(owedUnits) },
      price: priceView(picture, peer.settings),
      traffic: { ...peer.meter.rates(), ...store.contents.totals(), paymentBytes, protocolBytes },
      transfers: [
        ...library
          .active()
          .filter(({ contentId }) => store.liveRecords.broadcastOf(contentId) === null)
          .map((transfer) => transferView(transfer, picture)),
        ...live
          .watches()
          .map((watch) => watchView(watch, peer.meter.rates().downBytesPerSecond, picture.unitPriceXac)),
      ],
      limits: settingsView(peer.limits, peer.pieces.cache),
      settlementCount: store.settlements.count(),
      repayments: store.settlements.repayments(0, REPAYMENTS_TOLD).map(repaymentView),
    };
  }

  const transferView = (transfer: Transfer, picture: AccountPicture): TransferView => ({
    contentId: transfer.contentId,
    name: transfer.file.name,
    sizeBytes: transfer.file.sizeBytes,
    haveBytes: transfer.haveBytes,
    wanted: transfer.isWanted,
    window: peer.pieces.cache.isWindow(transfer.contentId),
    state: transfer.state,
    reason: transfer.reason && { code: transfer.reason.code, message: transfer.reason.message },
    provider: transfer.providerAccount,
    providers: transfer.providers,
    doubledPieces: transfer.doubledPieces,
    refusal: transfer.refusal,
    downBytesPerSecond: transfer.state === 'fetching' ? peer.meter.rates().downBytesPerSecond : 0,
    fetchingMs: Math.round(transfer.fetchingMs),
    paidUnits: transfer.paidUnits,
    costXac: formatAmount(priceOfUnits(transfer.paidUnits, picture.unitPriceXac)),
  });

  const playLive = (broadcast: string, download: boolean): Output<'play'> => {
    const row = live.book.row(broadcast);
    const base = pagesUrl();
    if (download) throw onlyWatched(row.name);
    if (base === null) throw new AceError('Internal', 'The content cannot be played yet');
    live.watch(broadcast);
    return {
      content: liveContentView(row, live.book.window(broadcast)),
      playbackUrl: new URL(manifestPath(broadcast), base).href,
    };
  };
  const contentViews = () => [
    ...store.contents.list().map(contentView),
    ...store.broadcasts.list().map((row) => liveContentView(row, live.book.window(row.contentId))),
  ];

  return {
    emit,
    emitSnapshot: () => {
      if (listeners.size === 0 || snapshotTimer) return;
      snapshotTimer = setTimeout(() => {
        snapshotTimer = null;
        if (sync.picture) emit('snapshot', view(sync.picture));
      }, SNAPSHOT_EVERY_MS);
    },
    close: () => {
      if (snapshotTimer) clearTimeout(snapshotTimer);
      listeners.clear();
    },
    emitTraffic: () => {
      if (listeners.size > 0) emit('traffic', peer.traffic.now());
      traffic.noteMarket();
    },
    emitContents: () => emit('contents', contentViews()),
    emitSettlements: (rows) => emit('settlements', rows.map(settlementView)),
    onFeed(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },

    snapshot: async () => view(known()),
    contents: async () => contentViews(),
    ...liveProcedures(peer, pagesUrl),
    ...journalProcedures({
      store,
      path: new DataDir(dataDir).nodeDb,
      account: peer.account.address,
      sync,
      downloads: options.downloads,
      pagesUrl,
    }),
    ...traffic.procedures,
    ...portProcedures(peer, options.givenPorts, options.httpPort),
    settlements: async ({ beforeSeq, limit }) =>
      store.settlements.page(beforeSeq ?? Number.MAX_SAFE_INTEGER, limit).map(settlementView),
    ...settlementProcedures({ store, account: peer.account.address, settings: peer.settings }),
    channels: async (input) => channelsView(store, input, sync.picture?.unitPriceXac ?? null, Date.now()),
    async importFile({ path, name, copy }) {
      let toldAtMs = 0;
      const onProgress = (doneBytes: number, sizeBytes: number) => {
        const nowMs = Date.now();
        if (nowMs - toldAtMs < SNAPSHOT_EVERY_MS && doneBytes < sizeBytes) return;
        toldAtMs = nowMs;
        emit('importing', { path, doneBytes, sizeBytes });
      };
      return contentView(
        await peer.import({ path, byReference: !copy, onProgress, ...(name !== undefined && { name }) }),
      );
    },
    async deleteContent({ contentId, force }) {
      await peer.deleteContent(contentId, force);
      return {};
    },
    pinContent: async ({ contentId, pinned }) => contentView(library.pin(contentId, pinned)),
    settings: async () => settingsView(peer.limits, peer.pieces.cache),
    async setSettings(changes) {
      await peer.setLimits(changes);
      return settingsView(peer.limits, peer.pieces.cache);
    },
    async play({ contentId, download }) {
      const broadcast = await live.broadcastOf(contentId);
      if (broadcast !== null) return playLive(broadcast, download);
      const transfer = await library.transfer(contentId);
      // What does not fit is fetched as it is taken.
      if (download && peer.pieces.cache.fits(transfer.contentId)) transfer.download();
      const row = store.contents.get(transfer.contentId);
      const base = pagesUrl();
      if (!row || base === null) throw new AceError('Internal', 'The content cannot be played yet');
      return { content: contentView(row), playbackUrl: contentUrl(base, transfer.contentId, download) };
    },
    async quote({ units }) {
      const picture = known();
      return quoteView(quoteTraffic(units, quoteBasis(picture, peer.settings)), picture.asOfMs);
    },
    async tracks({ contentId }) {
      const broadcast = await live.broadcastOf(contentId);
      const transfer =
        broadcast === null
          ? await library.transfer(contentId)
          : await live.watch(broadcast).described(TRACKS_WAIT_MS);
      return { tracks: transfer && (await trackBook.tracks(transfer)) };
    },
    stop: async ({ contentId }) => {
      const unwatched = await live.unwatch(parseContentId(contentId));
      return { stopped: unwatched || (await library.stopTransfer(contentId)) };
    },
    ...accountProcedures(peer),
    async settleNow() {
      const claimedUnits = await claims.now();
      if (peer.devnet) await settleEverywhere();
      await sync.refresh();
      return { claimedUnits };
    },
  };
}

/** Units of this node's channels that no batch has settled. A restored node lacks channels that were settled before. */
function pendingUnits(
  { settlements, meta }: RunningPeer['store'],
  direction: SettlementRow['direction'],
  channelUnits: number,
): number {
  const before = Number(meta.get(SETTLED_BEFORE[direction]) ?? 0);
  return Math.max(0, before + channelUnits - settlements.settledUnits(direction));
}
