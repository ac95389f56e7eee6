/**
 * The contents of one peer: its pieces within the user's limits, what it serves and where it finds the rest, transfers and
 * broadcasts.
 */
import { AceError } from '../../shared/errors.ts';
import { AccessBook } from '../account/access-book.ts';
import { PieceStore } from '../content/piece-store.ts';
import type { Provider } from '../content/provider.ts';
import { SoldTerms } from '../content/sold-terms.ts';
import type { DataDir } from '../data-dir/data-dir.ts';
import { isShared } from '../db/node/contents.ts';
import { type Discovery, startDiscovery } from '../discovery/discovery.ts';
import { DownloadBudget } from '../limits/download-budget.ts';
import { Spending } from '../limits/spending.ts';
import { UploadQueue } from '../limits/upload-queue.ts';
import { UserLimits } from '../limits/user-limits.ts';
import { Live } from '../live/live.ts';
import { LiveIndex } from '../live/live-index.ts';
import { FreeUpload } from '../p2p/free-upload.ts';
import type { Offer } from '../p2p/offer.ts';
import { standingOf } from '../p2p/peer-standing.ts';
import { askHolds, askRecords, serveLive } from '../p2p/protocols/live/protocol.ts';
import { ANNOUNCE_EVERY_MS } from '../p2p/protocols/shard/constants.ts';
import { fetchTransportFile, serveTransportFiles } from '../p2p/protocols/transport/protocol.ts';
import { AccessGate } from '../pieces/access-gate.ts';
import type { PiecesTimeouts } from '../pieces/constants.ts';
import { type ProviderContext, servePieces } from '../pieces/provider-stream.ts';
import { ViewerStream } from '../pieces/viewer-stream.ts';
import { TrafficBook } from '../traffic/traffic-book.ts';
import { Library } from '../transfer/library.ts';
import { StreamPool } from '../transfer/stream-pool.ts';
import { OwnDevices } from '../wallet/own-devices.ts';
import type { PeerEvents } from './events.ts';
import { CLOCK_LIMITS, FREE_UPLOAD_RATES } from './limits.ts';
import type { PeerNetwork } from './network.ts';
import type { Payments } from './payments.ts';
import { viewerWorth } from './viewer-worth.ts';

/** A viewer that does not say soon whether it has a segment is as good as one that has not. */
const HOLDS_TIMEOUT_MS = 1_000;

/** No channel's id: what an account paid is asked for over all of them. */

export interface ContentContext extends PeerNetwork, Payments {
  readonly dataDir: DataDir;
  readonly timeouts: PiecesTimeouts;
  readonly originOf: ProviderContext['originOf'];
  readonly events: PeerEvents;
}

/** What is on the disk, and what the user allows. */
export interface PeerStorage {
  readonly pieces: PieceStore;
  readonly limits: UserLimits;
  readonly traffic: TrafficBook;
  readonly uploads: UploadQueue;
  readonly budget: DownloadBudget;
}

export interface PeerContent extends PeerStorage, Discovery {
  readonly library: Library;
  readonly live: Live;
  readonly access: AccessBook;
}

export async function startContent(
  context: ContentContext,
  resources: AsyncDisposableStack,
): Promise<PeerContent> {
  const storage = await openStorage(context, resources);
  const { store, nowMs, log } = context;
  const index = new LiveIndex({ store, nowMs, log });
  const offerOf = (contentId: string): Offer => {
    const row = store.contents.get(contentId);
    const isHere = row === null ? index.offered().includes(contentId) : isShared({ ...row, paused: false });
    if (!isHere) return 'unknown';
    if (row?.paused) return { stoppedForMs: null };
    const stop = storage.limits.stop('upload');
    return stop === null ? 'offered' : { stoppedForMs: storage.limits.stoppedForMs('upload') };
  };
  const sold = new SoldTerms(store);
  const toleranceMs = CLOCK_LIMITS.shownMs;
  const gate = new AccessGate({ settings: context.settings, sold, nowMs, toleranceMs });
  await serve(context, storage, gate, offerOf);
  const discovery = await startDiscovery(
    {
      ...context,
      // What was found, or kept silent, a while ago: a wall clock that is set back would keep that for as long.
      nowMs: () => performance.now(),
      home: context.shardClient,
      account: context.account.address,
      offerOf,
      wallMs: nowMs,
      isOffering: () => storage.limits.stop('upload') === null,
      broadcasts: () => index.offered(),
    },
    resources,
  );
  const access = new AccessBook({
    ...{ store, sold, gate, toleranceMs, nowMs, log },
    account: context.account.address,
    ask: async (contentId, seller) =>
      (await context.shardClient.call('access', { account: context.account.address, contentId, seller }))
        .certificate,
    onOpened: () => {
      library.retryAll();
      context.events.contentsChanged();
    },
  });
  const parts = { ...storage, ...discovery, index, access, sold };
  const library: Library = startLibrary(context, parts, resources);
  const live = startLive(context, { ...parts, library }, resources);
  storage.pieces.cache.usedBy({
    isFetching: (contentId) => library.isFetching(contentId),
    leave: async (contentId) => {
      await library.stopTransfer(contentId);
      context.events.contentsChanged();
    },
    readers: (contentId) => library.readers(contentId),
    lost: (contentId, indices) => library.lost(contentId, indices),
  });
  await storage.pieces.cache.setLimit(storage.limits.limits.cacheBytes);
  await watchReferencedFiles(context, { ...storage, ...discovery }, resources);
  return { ...storage, ...discovery, library, live, access };
}

/** @throws AceError `StoreFailed` */
async function openStorage(
  { dataDir, store, account, sync, meter, nowMs, log }: ContentContext,
  resources: AsyncDisposableStack,
): Promise<PeerStorage> {
  const price = () => sync.picture && { ...sync.picture.market, unitPriceXac: sync.picture.unitPriceXac };
  const owedUnits = () => sync.picture?.account.creditUsedUnits ?? 0;
  const spending = new Spending({ store, account: account.address, nowMs, price, owedUnits });
  const limits = new UserLimits({ store, meter, spending, nowMs, log });
  resources.defer(() => limits.close());
  const traffic = new TrafficBook({ store, meter, nowMs, log });
  resources.defer(() => traffic.close());
  const pieces = new PieceStore(dataDir.pieces, store, nowMs);
  resources.defer(() => pieces.close());
  const recovered = await pieces.recover();
  if (recovered.lost > 0)
    log.warn(recovered, 'pieces were lost when the computer stopped; they will be fetched again');
  const uploads = new UploadQueue(limits);
  resources.defer(() => uploads.close());
  const budget = new DownloadBudget(limits, pieces);
  resources.defer(() => budget.close());
  return { limits, traffic, pieces, uploads, budget };
}

/** @param offerOf what strangers are told of one content */
async function serve(
  context: ContentContext,
  { pieces, uploads }: PeerStorage,
  gate: AccessGate,
  offerOf: (contentId: string) => Offer,
): Promise<void> {
  const { host, store, payee, meter, log, nowMs, account, certificate, checkCertificate, claims, events } =
    context;
  const ownDevices = new OwnDevices(
    async () => (await context.shardClient.call('devices', { account: account.address })).devices,
    log,
  );
  const isOffered = (contentId: string) => offerOf(contentId) === 'offered';
  const freeUpload = new FreeUpload({
    ...{ host, rates: FREE_UPLOAD_RATES, originOf: context.originOf },
    nowMs: () => performance.now(),
  });
  await servePieces(host, {
    ...{ store, isOffered, pieces, payee, gate, meter, log, nowMs, certificate, checkCertificate, uploads },
    account: account.address,
    isUnlinked: (key) => ownDevices.isUnlinked(key),
    originOf: context.originOf,
    freeUpload,
    timeouts: context.timeouts,
    onViewer: viewerWorth({ store, standing: standingOf(host), ownAccount: account.address }),
    onChange: () => {
      claims.soon();
      events.changed();
    },
  });
  await serveTransportFiles(host, store, offerOf, freeUpload, log);
  await serveLive(host, { store, isOffered, free: freeUpload, log });
}

type LibraryContext = PeerStorage &
  Discovery & { readonly index: LiveIndex; readonly access: AccessBook; readonly sold: SoldTerms };

function startLibrary(
  context: ContentContext,
  { pieces, budget, limits, finder, announcer, met, index, access }: LibraryContext,
  resources: AsyncDisposableStack,
): Library {
  const { host, store, log, nowMs, claims, events } = context;
  const find = findWithin(limits, finder);
  const library = new Library({
    ...{ store, pieces, log, nowMs, budget },
    accessTrouble: (contentId) => access.trouble(contentId),
    aheadPieces: (contentId, sizeBytes) => pieces.cache.aheadPieces(contentId, sizeBytes),
    findProviders: async (contentId) => [
      ...((await index.providersOf(contentId, find)) ?? (await find(contentId))),
    ],
    pool: new StreamPool({
      log,
      onChange: events.changed,
      openStream: async ({ peerId, addresses }, watchTime, until) => {
        const stream = await ViewerStream.open(
          host,
          addresses,
          { ...context, pieces, watchTime, access },
          until,
        );
        met.greeted(peerId, stream.provider.account);
        return stream;
      },
      onPaid: ({ peerId }, account) => met.served(peerId, account),
    }),
    fetchTransportFile: async ({ addresses }, contentId) =>
      (await fetchTransportFile(host, addresses, contentId)).bytes,
    onChange: () => {
      claims.soon();
      events.changed();
    },
    onServable: () => {
      announcer.now();
      events.contentsChanged();
    },
    onBroadcast: (contentId, transport, { name, mimeType }) => {
      const row = { contentId, transport, name, mimeType, addedAtMs: nowMs(), pushKey: null, folder: null };
      store.commit(() => store.broadcasts.insert(row));
      events.contentsChanged();
    },
    onContents: events.contentsChanged,
  });
  resources.defer(() => library.stop());
  return library;
}

function startLive(
  { store, host, device, router, settings, log, nowMs, events }: ContentContext,
  parts: LibraryContext & { readonly library: Library },
  resources: AsyncDisposableStack,
): Live {
  const { pieces, limits, finder, announcer, index, library, sold } = parts;
  const live = new Live({
    ...{ index, store, pieces, library, device, sold, router, log, nowMs },
    networkId: settings.networkId,
    findProviders: findWithin(limits, finder),
    askRecords: ({ addresses }, broadcast, after) => askRecords(host, addresses, broadcast, after),
    askHolds: async ({ addresses }, contentId) =>
      (await askHolds(host, addresses, [contentId], HOLDS_TIMEOUT_MS))[0] === true,
    onOffers: () => announcer.soon(),
    onChange: events.changed,
    onContents: events.contentsChanged,
  });
  resources.defer(() => live.stop());
  return live;
}

/** Looks for providers, unless the user allows no connection: then none is looked for, and the user is told why. */
function findWithin(limits: UserLimits, finder: Discovery['finder']) {
  return async (contentId: string): Promise<Provider[]> => {
    // Asked each time: the user may change it.
    if (limits.limits.maxConnections === 0) {
      throw new AceError(
        'NoProviders',
        'Nobody is connected to: the limit of connections is 0. Raise it to fetch from others',
      );
    }
    return finder.find(contentId);
  };
}

/** The users' own files may change at any time: they are looked at now, and again and again. */
async function watchReferencedFiles(
  { log, events }: ContentContext,
  { pieces, announcer }: PeerStorage & Discovery,
  resources: AsyncDisposableStack,
): Promise<void> {
  pieces.referenced.on('trouble', (contentId, error) => {
    if (error) log.warn({ err: error, contentId }, error.message);
    else log.info({ contentId }, 'a content is shared again: its file is as it was imported');
    announcer.soon();
    events.contentsChanged();
  });
  await pieces.referenced.checkAll();
  const timer = setInterval(() => {
    pieces.referenced
      .checkAll()
      .catch((error: unknown) => log.error({ err: error }, 'imported files could not be looked at'));
  }, ANNOUNCE_EVERY_MS);
  resources.defer(() => clearInterval(timer));
}
