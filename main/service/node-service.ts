/** What pages and the command line ask of a running node, composed of one service per subject, and the feed of changes. */
import { quoteTraffic } from '../../shared/economy/quote.ts';
import type { JournalDownloads } from '../journal/downloads.ts';
import type { RunningPeer } from '../peer/peer.ts';
import type { Log } from '../process/log.ts';
import type { NodeService } from '../rpc/service.ts';
import { AutoTopUp } from './auto-top-up.ts';
import { liveProcedures } from './broadcasts.ts';
import { channelsView } from './channels.ts';
import { contentProcedures, contentViews } from './contents.ts';
import { ContentsFeed } from './contents-feed.ts';
import { DeviceService } from './devices.ts';
import { journalProcedures } from './journal.ts';
import { OperationService } from './operations.ts';
import { type GivenPorts, portProcedures } from './ports.ts';
import { salesView } from './sales.ts';
import type { ServiceFeed } from './service-feed.ts';
import { settlementProcedures } from './settlements.ts';
import { SharingService } from './sharing.ts';
import { knownPicture, type NodeFacts, snapshotOf } from './snapshot.ts';
import { trafficProcedures } from './traffic.ts';
import { quoteBasis, quoteView, settingsView, settlementView } from './views.ts';

export interface NodeServiceOptions
  extends Omit<NodeFacts, 'pagesUrl' | 'startedAtMs' | 'sharing' | 'autoTopUp'> {
  readonly peer: RunningPeer;
  /** The node's books, for what reads them beside it. */
  readonly nodeDbPath: string;
  /** Base of playback addresses; known once the server listens. */
  readonly pagesUrl: () => string | null;
  /** That the server listens on; `null` before. */
  readonly httpPort: () => number | null;
  readonly givenPorts: GivenPorts;
  readonly downloads: JournalDownloads;
  readonly feed: ServiceFeed;
  readonly log: Log;
}

/** All that needs a running node: the wallet, which is there before, answers for itself (`gate.ts`). */
export interface NodeServiceHandle
  extends Omit<
    NodeService,
    | 'apiToken'
    | 'onFeed'
    | 'renewApiToken'
    | 'deviceRequest'
    | 'shutdown'
    | 'networkChoice'
    | 'chooseNetwork'
    | 'reachNetwork'
    | `wallet${string}`
  > {
  close(): Promise<void>;
}

/** Rates fall to zero by themselves, and what went through moves on: the feed is sent the figures. */
const TICK_EVERY_MS = 1_000;

export function createNodeService(options: NodeServiceOptions): NodeServiceHandle {
  const { peer, ownDevnet, version, dataDir, pagesUrl, feed, log } = options;
  const { store, claims, sync, settings, limits, pieces, account } = peer;
  const sharing = new SharingService(store, () => Date.now());
  const traffic = trafficProcedures(peer, log);
  const operations = new OperationService(peer, Date.now);
  const autoTopUp = new AutoTopUp({ peer, operations, nowMs: () => Date.now(), log });
  const facts = { version, dataDir, ownDevnet, startedAtMs: Date.now(), sharing, autoTopUp };
  const devices = new DeviceService(peer, operations, Date.now);
  const unfollow = followPeer(peer, feed, traffic.noteMarket, log);
  return {
    snapshot: async () => snapshotOf(peer, { ...facts, pagesUrl: pagesUrl() }),
    ...contentProcedures({
      peer,
      pagesUrl,
      onImporting: (progress) => feed.send('importing', progress),
    }),
    ...liveProcedures(peer, pagesUrl),
    ...journalProcedures({
      ...{ store, sync, pagesUrl, account: account.address },
      path: options.nodeDbPath,
      downloads: options.downloads,
    }),
    sharing: async ({ period }) => sharing.report(period, sync.picture?.unitPriceXac ?? null),
    earnedByTitle: async () => sharing.earnedByTitle(),
    sales: ({ contentId }) => salesView(store, contentId),
    ...traffic.procedures,
    ...portProcedures(peer, options.givenPorts, options.httpPort),
    ...settlementProcedures({ store, account: account.address, settings }),
    ...operations,
    ...devices,
    settlements: async ({ beforeSeq, limit }) =>
      store.settlements.page(beforeSeq ?? Number.MAX_SAFE_INTEGER, limit).map(settlementView),
    channels: async (input) => channelsView(store, input, sync.picture?.unitPriceXac ?? null, Date.now()),
    settings: async () => settingsView(limits, pieces.cache),
    async setSettings(changes) {
      await peer.setLimits(changes);
      return settingsView(limits, pieces.cache);
    },
    async quote({ units }) {
      const picture = knownPicture(peer);
      return quoteView(quoteTraffic(units, quoteBasis(picture, settings)), picture.asOfMs);
    },
    async settleNow() {
      const claimedUnits = await claims.now();
      if (peer.devnet) await settleEverywhere(peer);
      await sync.refresh();
      return { claimedUnits };
    },
    close: async () => {
      unfollow();
      await autoTopUp.close();
    },
  };
}

/** Other shards first: what they have this account earn repays its loans at home. */
async function settleEverywhere({ lines, shardClient }: RunningPeer): Promise<void> {
  for (const [, line] of lines.connected()) {
    if (line !== shardClient) await line.call('settle', {});
  }
  await shardClient.call('settle', {});
}

/** Passes on what happens at the peer. The answer ends it. */
function followPeer(peer: RunningPeer, feed: ServiceFeed, noteMarket: () => void, log: Log): () => void {
  const { events } = peer;
  events.on('change', () => feed.send('change', null));
  const contents = new ContentsFeed(async () => {
    if (feed.isHeard) feed.send('contents', await contentViews(peer));
  }, log);
  events.on('contents', contents.note);
  events.on('settlements', (rows) => {
    if (feed.isHeard) feed.send('settlements', rows.map(settlementView));
  });
  const timer = setInterval(() => {
    noteMarket();
    feed.send('change', null);
    if (feed.isHeard) feed.send('traffic', peer.traffic.now());
  }, TICK_EVERY_MS);
  return () => {
    clearInterval(timer);
    contents.close();
    events.removeAllListeners();
  };
}
