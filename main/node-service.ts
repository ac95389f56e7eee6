/** What pages and the command line ask of a node, answered from its peer: figures become views, inputs become calls. */
import { AceError, type ErrorCode } from '../shared/errors.ts';
import { formatAmount, parseAmount, TOKENS } from '../shared/money.ts';
import { priceOfUnits, trafficRate, unitPriceXat } from '../shared/price.ts';
import { type Ratio, ratio, ratioToDecimal, timesUp } from '../shared/ratio.ts';
import type {
  ContentView,
  Feed,
  FeedTopic,
  NodeSnapshot,
  PriceView,
  SettlementView,
  TransferView,
} from '../shared/rpc.ts';
import { PIECE_BYTES, pieceCount, pieceLength, UNITS_PER_GB } from '../shared/units.ts';
import { contentUrl } from './content/playback.ts';
import type { Transfer } from './content/transfer.ts';
import type { ContentRow } from './db/node/contents.ts';
import type { SettlementRow } from './db/node/settlements.ts';
import type { RunningPeer } from './peer.ts';
import type { FeedListener, NodeService } from './rpc/service.ts';
import type { AccountPicture } from './shard/account-sync.ts';

export interface NodeServiceOptions {
  readonly peer: RunningPeer;
  readonly version: string;
  readonly dataDir: string;
  /** This process runs the network's validator. */
  readonly ownDevnet: boolean;
  /** Base of playback addresses; known once the server listens. */
  readonly pagesUrl: () => string | null;
  readonly shutdown: () => void;
}

export interface NodeServiceHandle extends NodeService {
  /** Tells every feed listener. */
  emit<T extends FeedTopic>(topic: T, data: Feed[T]): void;
  /** Soon: a picture is made at most four times a second, however often something changes. */
  emitSnapshot(): void;
  emitContents(): void;
  emitSettlements(rows: readonly SettlementRow[]): void;
  close(): void;
}

const SNAPSHOT_EVERY_MS = 250;

export function createNodeService(options: NodeServiceOptions): NodeServiceHandle {
  const { peer, version, dataDir, ownDevnet, pagesUrl } = options;
  const { store, library, sync, claims, shardClient } = peer;
  const listeners = new Set<FeedListener>();
  const startedAtMs = Date.now();
  let snapshotTimer: NodeJS.Timeout | null = null;

  const emit = <T extends FeedTopic>(topic: T, data: Feed[T]) => {
    for (const listener of listeners) listener(topic, data);
  };
  const snapshot = () => {
    const picture = sync.picture;
    if (!picture) throw new AceError('ShardUnavailable', 'The state of the account is not known yet');
    return view(picture);
  };

  function view(picture: AccountPicture): NodeSnapshot {
    const { account } = picture;
    const priced = (units: number) => formatAmount(priceOfUnits(units, picture.unitPriceXac));
    const earnedUnits = Math.max(
      0,
      store.payeeChannels.paidUnits() - store.settlements.settledUnits('earned'),
    );
    const owedUnits = Math.max(
      0,
      store.payerChannels.revealedUnits() - store.settlements.settledUnits('paid'),
    );
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
        multiaddr: shardClient.address.toString(),
      },
      multiaddrs: peer.host.getMultiaddrs().map(String),
      pagesUrl: pagesUrl(),
      peers: peer.host.getPeers().length,
      balances: balancesView(account.balances),
      credit: {
        limitUnits: peer.settings.trafficCreditLimitUnits,
        usedUnits: account.creditUsedUnits,
        loans: account.loans.map((loan) => ({ ...loan, priceXac: priced(loan.units) })),
      },
      pending: { earnedUnits, earnedXac: priced(earnedUnits), owedUnits, owedXac: priced(owedUnits) },
      price: priceView(picture),
      traffic: { ...peer.meter.rates(), ...store.contents.totals(), paymentBytes, protocolBytes },
      transfers: library.active().map((transfer) => transferView(transfer, picture)),
      settlementCount: store.settlements.count(),
    };
  }

  const transferView = (transfer: Transfer, picture: AccountPicture): TransferView => ({
    contentId: transfer.contentId,
    name: transfer.file.name,
    sizeBytes: transfer.file.sizeBytes,
    haveBytes: transfer.haveBytes,
    state: transfer.state,
    reason: transfer.reason && { code: transfer.reason.code, message: transfer.reason.message },
    provider: transfer.providerAccount,
    refusal: transfer.refusal,
    downBytesPerSecond: transfer.state === 'fetching' ? peer.meter.rates().downBytesPerSecond : 0,
    fetchingMs: Math.round(transfer.fetchingMs),
    paidUnits: transfer.paidUnits,
    costXac: formatAmount(priceOfUnits(transfer.paidUnits, picture.unitPriceXac)),
  });

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
    emitContents: () => emit('contents', store.contents.list().map(contentView)),
    emitSettlements: (rows) => emit('settlements', rows.map(settlementView)),
    onFeed(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },

    snapshot: async () => snapshot(),
    contents: async () => store.contents.list().map(contentView),
    settlements: async ({ beforeSeq, limit }) =>
      store.settlements.page(beforeSeq ?? Number.MAX_SAFE_INTEGER, limit).map(settlementView),
    async importFile({ path, name }) {
      let toldAtMs = 0;
      const onProgress = (doneBytes: number, sizeBytes: number) => {
        const nowMs = Date.now();
        if (nowMs - toldAtMs < SNAPSHOT_EVERY_MS && doneBytes < sizeBytes) return;
        toldAtMs = nowMs;
        emit('importing', { path, doneBytes, sizeBytes });
      };
      return contentView(await peer.import({ path, onProgress, ...(name !== undefined && { name }) }));
    },
    async play({ contentId, download }) {
      const transfer = await library.transfer(contentId);
      if (download) transfer.download();
      const row = store.contents.get(transfer.contentId);
      const base = pagesUrl();
      if (!row || base === null) throw new AceError('Internal', 'The content cannot be played yet');
      return { content: contentView(row), playbackUrl: contentUrl(base, transfer.contentId, download) };
    },
    stop: async ({ contentId }) => ({ stopped: await library.stopTransfer(contentId) }),
    async topUp({ amountXat }) {
      const amount = parseAmount(amountXat);
      if (amount === 0n) throw new AceError('InvalidAmount', 'The amount must be more than 0');
      await shardClient
        .call('faucet', { account: peer.account.address, amountXat: amount })
        .catch((error: unknown) => Promise.reject(inFaucetWords(error)));
      const { account } = await sync.refresh();
      library.retryAll();
      return { balances: balancesView(account.balances), creditUsedUnits: account.creditUsedUnits };
    },
    async settleNow() {
      const claimedUnits = await claims.now();
      if (peer.devnet) await shardClient.call('settle', {});
      await sync.refresh();
      return { claimedUnits };
    },
    async shutdown() {
      options.shutdown();
      return {};
    },
  };
}

/** An error crosses the wire as its code and figures; here it gets the words for whoever tops up. */
function inFaucetWords(error: unknown): unknown {
  if (!(error instanceof AceError)) return error;
  const { mostXat, mostXatPerDay, leftXat } = error.details;
  const words: Partial<Record<ErrorCode, string>> = {
    InsufficientFunds: 'The faucet does not have that much: ask for less',
    InvalidAmount: `The faucet gives at most ${mostXat} XAT at once: ask for less`,
    TooManyRequests: `The faucet gives an account ${mostXatPerDay} XAT a day, ${leftXat} XAT are left today`,
  };
  const text = words[error.code];
  return text === undefined
    ? error
    : new AceError(error.code, text, { cause: error, details: error.details });
}

function balancesView(balances: AccountPicture['account']['balances']): NodeSnapshot['balances'] {
  const entries = TOKENS.map((token) => [token, formatAmount(balances[token])] as const);
  return Object.fromEntries(entries) as NodeSnapshot['balances'];
}

function priceView({ market, unitPriceXac, asOfMs }: AccountPicture): PriceView {
  return {
    xacPerGb: perGb(unitPriceXac),
    xatPerGb: perGb(unitPriceXat(market)),
    xacPerXat: ratioToDecimal(market.xacPerXat, 7),
    trafficRateGbPerHour: ratioToDecimal(trafficRate(market), 3),
    asOfMs,
  };
}

function contentView(row: ContentRow): ContentView {
  const lastBytes = pieceLength(row.sizeBytes, pieceCount(row.sizeBytes) - 1);
  return {
    contentId: row.contentId,
    name: row.name,
    mimeType: row.mimeType,
    sizeBytes: row.sizeBytes,
    haveBytes: row.havePieces * PIECE_BYTES - (row.haveLastPiece ? PIECE_BYTES - lastBytes : 0),
    origin: row.origin,
    addedAtMs: row.addedAtMs,
    servedUnits: Math.ceil(row.upBytes / PIECE_BYTES),
  };
}

function settlementView(row: SettlementRow): SettlementView {
  return {
    seq: row.seq,
    shard: row.shard,
    batchNumber: row.batchNumber,
    batchHash: Buffer.from(row.batchHash).toString('hex'),
    atMs: row.atMs,
    direction: row.direction,
    counterparty: row.counterparty,
    paidUnits: row.paidUnits,
    creditUnits: row.creditUnits,
    refusedUnits: row.refusedUnits,
    repaidUnits: row.repaidUnits,
    grossXac: formatAmount(row.grossXac),
    feeXac: formatAmount(row.feeXac),
    netXac: formatAmount(row.grossXac - row.feeXac),
    xatBurned: formatAmount(row.xatBurned),
    xasPaid: formatAmount(row.xasPaid),
    xacPerGb: perGb(ratio(row.priceNum, row.priceDen)),
  };
}

function perGb(unitPrice: Ratio): string {
  return formatAmount(timesUp(BigInt(UNITS_PER_GB), unitPrice));
}
