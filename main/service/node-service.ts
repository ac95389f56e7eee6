/** What pages and the command line ask of a running node, composed of one service per subject, and the feed of changes. */
import { quoteTraffic } from '../../shared/economy/quote.ts';
import type { JournalDownloads } from '../journal/downloads.ts';
import type { RunningPeer } from '../peer/peer.ts';
import type { Log } from '../process/log.ts';
import type { NodeFeedListener, NodeService } from '../rpc/service.ts';
import { liveProcedures } from './broadcasts.ts';
import { channelsView } from './channels.ts';
import { contentProcedures, contentViews } from './contents.ts';
import { DeviceService } from './devices.ts';
import { journalProcedures } from './journal.ts';
import { OperationService } from './operations.ts';
import { type GivenPorts, portProcedures } from './ports.ts';
import { settlementProcedures } from './settlements.ts';
import { knownPicture, type NodeFacts, snapshotOf } from './snapshot.ts';
import { trafficProcedures } from './traffic.ts';
import { quoteBasis, quoteView, settingsView, settlementView } from './views.ts';

export interface NodeServiceOptions extends Omit<NodeFacts, 'pagesUrl' | 'startedAtMs'> {
  readonly peer: RunningPeer;
  /** The node's books, for what reads them beside it. */
  readonly nodeDbPath: string;
  /** Base of playback addresses; known once the server listens. */
  readonly pagesUrl: () => string | null;
  /** That the server listens on; `null` before. */
  readonly httpPort: () => number | null;
  readonly givenPorts: GivenPorts;
  readonly downloads: JournalDownloads;
  readonly log: Log;
}

/** All that needs a running node: the wallet, which is there before, answers for itself (`gate.ts`). */
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
  close(): void;
}

/** Rates fall to zero by themselves, and what went through moves on: the feed is told so. */
const TICK_EVERY_MS = 1_000;

export function createNodeService(options: NodeServiceOptions): NodeServiceHandle {
  const { peer, ownDevnet, version, dataDir, pagesUrl, log } = options;
  const { store, claims, sync, settings, limits, pieces, account } = peer;
  const facts = { version, dataDir, ownDevnet, startedAtMs: Date.now() };
  const traffic = trafficProcedures(peer, log);
  const feed = new NodeFeed(peer, traffic.noteMarket);
  const operations = new OperationService(peer, Date.now);
  const devices = new DeviceService(peer, operations, Date.now);
  return {
    snapshot: async () => snapshotOf(peer, { ...facts, pagesUrl: pagesUrl() }),
    ...contentProcedures({
      peer,
      pagesUrl,
      onImporting: (progress) => feed.tell('importing', progress),
    }),
    ...liveProcedures(peer, pagesUrl),
    ...journalProcedures({
      ...{ store, sync, pagesUrl, account: account.address },
      path: options.nodeDbPath,
      downloads: options.downloads,
    }),
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
    onFeed: (listener) => feed.subscribe(listener),
    close: () => feed.close(),
  };
}

/** Other shards first: what they have this account earn repays its loans at home. */
async function settleEverywhere({ lines, shardClient }: RunningPeer): Promise<void> {
  for (const [, line] of lines.connected()) {
    if (line !== shardClient) await line.call('settle', {});
  }
  await shardClient.call('settle', {});
}

/** What happens at the peer, for those who listen. Nothing is made for nobody. */
class NodeFeed {
  readonly #listeners = new Set<NodeFeedListener>();
  readonly #peer: RunningPeer;
  readonly #timer: NodeJS.Timeout;

  constructor(peer: RunningPeer, noteMarket: () => void) {
    this.#peer = peer;
    peer.events.on('change', this.#onChange);
    peer.events.on('contents', this.#onContents);
    peer.events.on('settlements', (rows) => {
      if (this.#listeners.size > 0) this.tell('settlements', rows.map(settlementView));
    });
    this.#timer = setInterval(() => {
      noteMarket();
      if (this.#listeners.size === 0) return;
      this.#onChange();
      this.tell('traffic', peer.traffic.now());
    }, TICK_EVERY_MS);
  }

  subscribe(listener: NodeFeedListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  readonly tell: NodeFeedListener = (topic, data) => {
    for (const listener of this.#listeners) listener(topic, data);
  };

  close(): void {
    clearInterval(this.#timer);
    this.#listeners.clear();
  }

  readonly #onChange = () => this.tell('change', null);
  readonly #onContents = () => {
    if (this.#listeners.size > 0) this.tell('contents', contentViews(this.#peer));
  };
}
