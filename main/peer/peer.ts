/**
 * One peer of the network: identity, store, channels of both sides, content, and its line to the shard. A node is a
 * peer with pages; a devnet's sample provider is one without.
 */
import { join } from 'node:path';
import type { Libp2p } from '@libp2p/interface';
import type { NetworkSettings } from '../../shared/economy/settings.ts';
import { AceError } from '../../shared/errors.ts';
import type { AccountSync } from '../account/account-sync.ts';
import { ShardLines } from '../account/lines.ts';
import { bindStore, checkNetwork } from '../account/membership.ts';
import type { Claims } from '../channel/claims.ts';
import { type ImportOptions, importFile } from '../content/import-file.ts';
import { PieceStore } from '../content/piece-store.ts';
import { type ContentRow, isShared } from '../db/node/contents.ts';
import type { SettlementRow } from '../db/node/settlements.ts';
import { type NodeStore, openNodeStore } from '../db/node/store.ts';
import { type Discovery, startDiscovery } from '../discovery/discovery.ts';
import { DownloadBudget } from '../limits/download-budget.ts';
import { UploadTurns } from '../limits/upload-turns.ts';
import { UserLimits } from '../limits/user-limits.ts';
import { Live } from '../live/live.ts';
import { capConnections } from '../p2p/connection-cap.ts';
import { Meter } from '../p2p/meter.ts';
import type { CheckpointGossip } from '../p2p/protocols/gossip/gossip.ts';
import { GossipRouter } from '../p2p/protocols/gossip/router.ts';
import { askHolds, askRecords, serveLive } from '../p2p/protocols/live/protocol.ts';
import type { ShardClient } from '../p2p/protocols/shard/client.ts';
import { ANNOUNCE_EVERY_MS } from '../p2p/protocols/shard/constants.ts';
import { fetchTransportFile, serveTransportFiles } from '../p2p/protocols/transport/protocol.ts';
import { ViewerSession } from '../pieces/client.ts';
import { PIECES_TIMEOUTS, type PiecesTimeouts } from '../pieces/constants.ts';
import { servePieces } from '../pieces/server.ts';
import type { Log } from '../process/log.ts';
import { TrafficBook } from '../traffic/traffic-book.ts';
import { Library } from '../transfer/library.ts';
import { SessionPool } from '../transfer/session-pool.ts';
import { Closers } from '../util/closers.ts';
import type { Account } from '../wallet/account.ts';
import { certificates } from '../wallet/certificates.ts';
import type { DeviceIdentity } from '../wallet/device.ts';
import { peerIdOf } from '../wallet/device-peer-id.ts';
import { type Identity, openIdentity } from '../wallet/identity.ts';
import { OwnDevices } from '../wallet/own-devices.ts';
import { type PeerHostOptions, startPeerHost } from './host.ts';
import { startPayments } from './payments.ts';

/** A viewer that does not say soon whether it has a segment is as good as one that has not. */
const HOLDS_TIMEOUT_MS = 1_000;

export interface PeerOptions extends PeerHostOptions {
  readonly dir: string;
  /** Who the peer is; left out: the wallet in its folder, which has no passphrase. */
  readonly identity?: Identity;
  /** Fail when the shard does not answer now, even if it was met before: its address was just given. */
  readonly mustReachShard?: boolean;
  readonly log: Log;
  readonly events: PeerEvents;
  readonly timeouts?: PiecesTimeouts;
}

export interface PeerEvents {
  onChange(): void;
  onContents(): void;
  onSettlements(rows: readonly SettlementRow[]): void;
}

export interface RunningPeer {
  readonly host: Libp2p;
  readonly account: Account;
  readonly device: DeviceIdentity;
  readonly settings: NetworkSettings;
  readonly devnet: boolean;
  /** The account's home shard. */
  readonly shard: number;
  /** The line to it. */
  readonly shardClient: ShardClient;
  readonly lines: ShardLines;
  readonly store: NodeStore;
  readonly pieces: PieceStore;
  readonly library: Library;
  readonly finder: Discovery['finder'];
  readonly known: Discovery['known'];
  readonly live: Live;
  readonly meter: Meter;
  readonly traffic: TrafficBook;
  readonly sync: AccountSync;
  readonly claims: Claims;
  readonly gossip: CheckpointGossip;
  readonly limits: UserLimits;
  /** Holds at once; what is above a new limit of the disk is gone when this resolves. @throws AceError `StoreFailed` */
  setLimits(changes: Parameters<UserLimits['set']>[0]): Promise<void>;
  import(options: ImportOptions): Promise<ContentRow>;
  /** As `Library.delete`; nobody is told of the content any more. */
  deleteContent(contentId: string, force: boolean): Promise<void>;
  stop(): Promise<void>;
}

/** @throws AceError `ShardUnavailable`, `WalletLocked`, `WalletInvalid`, `DataDirMismatch`, `SchemaTooNew`, … */
export async function startPeer(options: PeerOptions): Promise<RunningPeer> {
  const { dir, log, events, timeouts = PIECES_TIMEOUTS } = options;
  const nowMs = () => Date.now();
  const closers = new Closers();
  try {
    const store = openNodeStore(join(dir, 'node.db'));
    closers.add(() => store.close());
    const identity = options.identity ?? (await openIdentity(dir, store));
    const { account, device } = identity;

    const meter = new Meter(nowMs);
    // Checkpoints are there because of payment, and so is what it costs to pass them on.
    const router = new GossipRouter(nowMs, (bytes) => meter.add({ paymentBytes: bytes }));
    const { host, guard } = await startPeerHost(options, device.seed(), { store, router, log });
    closers.add(() => host.stop());

    let connected: (line: ShardClient) => void = () => undefined;
    const lines = new ShardLines({
      host,
      guard,
      store,
      joinMultiaddr: options.shardMultiaddr,
      mustReach: options.mustReachShard === true,
      log,
      events: {
        onConnected: (_, line) => connected(line),
        onDisconnected: () => events.onChange(),
        onAccountChanged: () => {
          sync.changed();
          library.retryAll();
        },
      },
    });
    closers.add(() => lines.stop());
    const { settings, devnet } = await lines.meet();
    if (identity.status === 'plain' && !devnet) {
      throw new AceError('WalletInvalid', 'This network is no devnet: the wallet needs a passphrase');
    }
    bindStore(store, settings.networkId, account.address, dir);
    lines.remember();
    const shard = lines.homeOf(account.address);
    const shardClient = lines.of(shard);
    await lines.reach(shard);

    const { certificate, checkCertificate } = await certificates(
      account,
      device,
      settings,
      nowMs,
      identity.certificate,
    );

    const limits = new UserLimits({ store, meter, nowMs, log });
    closers.add(() => limits.close());
    const traffic = new TrafficBook({ store, meter, nowMs, log });
    closers.add(() => traffic.close());
    const pieces = new PieceStore(join(dir, 'pieces'), store, nowMs);
    closers.add(() => pieces.close());
    const recovered = await pieces.recover();
    if (recovered.lost > 0)
      log.warn(recovered, 'pieces were lost when the computer stopped; they will be fetched again');
    pieces.sources.onTrouble = (contentId, error) => {
      if (error) log.warn({ err: error, contentId }, error.message);
      else log.info({ contentId }, 'a content is shared again: its file is as it was imported');
      announcer.soon();
      events.onContents();
    };
    const uploads = new UploadTurns(limits);
    closers.add(() => uploads.close());
    const budget = new DownloadBudget(limits, pieces);
    closers.add(() => budget.close());
    const spared = new Set(settings.validatorKeys.map((key) => peerIdOf(Buffer.from(key, 'hex'))));
    /** Nobody is looked for in vain, and the user is told why. */
    const find = async (contentId: string) => {
      if (limits.limits.maxConnections === 0)
        throw new AceError(
          'NoProviders',
          'Nobody is connected to: the limit of connections is 0. Raise it to fetch from others',
        );
      return finder.find(contentId);
    };
    const connections = capConnections(host, () => limits.limits.maxConnections, spared);

    const { payer, payee, claims, reports, gossip, sync } = startPayments(
      {
        store,
        settings,
        account,
        device,
        certificate,
        shard,
        lines,
        router,
        nowMs,
        log,
        onChange: () => events.onChange(),
        onSettlements: (rows) => events.onSettlements(rows),
      },
      closers,
    );

    let offeredBroadcasts = (): readonly string[] => [];
    /** What strangers are told of: no more than what is announced. */
    const isOffered = (contentId: string) => {
      if (limits.stop('upload') !== null) return false;
      const row = store.contents.get(contentId);
      return row === null ? offeredBroadcasts().includes(contentId) : isShared(row);
    };
    const ownDevices = new OwnDevices(
      async () => (await shardClient.call('devices', { account: account.address })).devices,
      log,
    );
    await servePieces(host, {
      store,
      isOffered,
      pieces,
      payee,
      meter,
      log,
      account: account.address,
      certificate,
      checkCertificate,
      isUnlinked: (key) => ownDevices.isUnlinked(key),
      timeouts,
      uploads,
      onChange: () => {
        claims.soon();
        events.onChange();
      },
    });
    await serveTransportFiles(host, store, isOffered, log);
    await serveLive(host, store, isOffered, log);
    const { finder, announcer, known } = await startDiscovery(
      {
        host,
        store,
        lines,
        home: shardClient,
        account: account.address,
        certificate,
        checkCertificate,
        isOffered,
        // Nobody is called here in vain.
        isOffering: () => limits.stop('upload') === null,
        broadcasts: () => offeredBroadcasts(),
        nowMs,
        log,
      },
      closers,
    );

    const live: Live = new Live({
      store,
      pieces,
      library: () => library,
      device,
      router,
      networkId: settings.networkId,
      log,
      nowMs,
      findProviders: find,
      askRecords: ({ addresses }, broadcast, after) => askRecords(host, addresses, broadcast, after),
      askHolds: async ({ addresses }, contentId) =>
        (await askHolds(host, addresses, [contentId], HOLDS_TIMEOUT_MS))[0] === true,
      onOffers: () => announcer.soon(),
      onChange: () => events.onChange(),
      onContents: () => events.onContents(),
    });
    offeredBroadcasts = () => live.offered();
    closers.add(() => live.stop());
    const library: Library = new Library({
      store,
      pieces,
      log,
      nowMs,
      budget,
      aheadPieces: (contentId, sizeBytes) => pieces.cache.aheadPieces(contentId, sizeBytes),
      findProviders: async (contentId) => [
        ...((await live.providersOf(contentId)) ?? (await find(contentId))),
      ],
      pool: new SessionPool({
        log,
        onChange: () => events.onChange(),
        openSession: (provider, watchTime) =>
          ViewerSession.open(host, provider.addresses, {
            log,
            store,
            pieces,
            payer,
            meter,
            certificate,
            checkCertificate,
            watchTime,
            timeouts,
          }),
      }),
      fetchTransportFile: async ({ addresses }, contentId) =>
        (await fetchTransportFile(host, addresses, contentId)).bytes,
      onChange: () => {
        claims.soon();
        events.onChange();
      },
      onServable: () => {
        announcer.now();
        events.onContents();
      },
      onBroadcast: (contentId, transport, { name, mimeType }) =>
        live.learn(contentId, transport, name, mimeType),
      onContents: () => events.onContents(),
    });
    closers.add(() => library.stop());
    pieces.cache.usedBy({
      isFetching: (contentId) => library.isFetching(contentId),
      leave: async (contentId) => {
        await library.stopTransfer(contentId);
        events.onContents();
      },
      readers: (contentId) => library.readers(contentId),
      lost: (contentId, indices) => library.lost(contentId, indices),
    });
    await pieces.cache.setLimit(limits.limits.cacheBytes);

    const look = () => {
      pieces.sources
        .checkAll()
        .catch((error: unknown) => log.error({ err: error }, 'imported files could not be looked at'));
    };
    const looking = setInterval(look, ANNOUNCE_EVERY_MS);
    closers.add(() => clearInterval(looking));
    const arrive = async (line: ShardClient) => {
      const met = await line.call('hello', {});
      checkNetwork(met.settings, settings);
      lines.learn(met.shards);
      known.learn(met.peers);
      await line.call('watch', { account: account.address });
      if (shardClient.connected) await sync.met();
      await announcer.tell(line);
    };
    await pieces.sources.checkAll();
    limits.onChange(() => {
      connections.changed();
      library.retryAll();
      announcer.soon();
      events.onChange();
    });
    connected = (line) => {
      arrive(line).catch((error: unknown) =>
        log.warn({ err: error }, 'the shard was met, but does not answer as it should'),
      );
      claims.soon();
      reports.soon();
      library.retryAll();
      events.onChange();
    };
    for (const [, line] of lines.connected()) {
      await arrive(line).catch((error: unknown) => {
        if (line === shardClient) throw error;
        log.warn({ err: error }, 'a shard was met, but does not answer as it should');
      });
    }
    if (!shardClient.connected && sync.picture === null) {
      throw new AceError(
        'ShardUnavailable',
        `Shard ${shard}, the home of this account, cannot be reached: check that it runs, and try again`,
      );
    }
    live.resume();
    lines.keepTrying();
    void known.meetSome();
    announcer.soon();
    claims.soon();
    reports.soon();

    return {
      host,
      account,
      device,
      settings,
      devnet,
      shard,
      shardClient,
      lines,
      store,
      pieces,
      library,
      finder,
      known,
      live,
      meter,
      traffic,
      sync,
      claims,
      gossip,
      limits,
      async setLimits(changes) {
        limits.set(changes);
        await pieces.cache.setLimit(limits.limits.cacheBytes);
      },
      async import(importOptions) {
        const row = await importFile(store, pieces, device, nowMs, importOptions);
        announcer.now();
        events.onContents();
        return row;
      },
      async deleteContent(contentId, force) {
        await library.delete(contentId, force);
        announcer.soon();
      },
      async stop() {
        // Channels close first, so that their last claims still reach the shard.
        await live.stop();
        await library.stop();
        await Promise.all([claims.now(), announcer.leave()]).catch((error: unknown) =>
          log.warn({ err: error }, 'the last claims wait for the next start'),
        );
        await closers.close();
      },
    };
  } catch (error) {
    await closers.close().catch(() => undefined); // what went wrong first is what is told
    throw error;
  }
}
