/**
 * Composition root: configuration in, running node out. On a first start with no network it makes a devnet: a
 * validator with its chain, and a provider that offers the sample clip, each a peer of its own in this process.
 */
import { existsSync } from 'node:fs';
import { AceError } from '../../shared/errors.ts';
import type { NodeConfig } from '../data-dir/config.ts';
import { DataDir } from '../data-dir/data-dir.ts';
import { chooseNetwork } from '../data-dir/network-choice.ts';
import { keepOthersOut } from '../data-dir/other-users.ts';
import { checkChainOpens } from '../db/chain/store.ts';
import { lockDataDir } from '../db/lock.ts';
import { JournalDownloads } from '../journal/downloads.ts';
import { parseMultiaddr } from '../p2p/host.ts';
import { announceMultiaddrs, listenMultiaddrs } from '../p2p/listen.ts';
import { logCipher } from '../p2p/noise-cipher.ts';
import type { RunningPeer } from '../peer/peer.ts';
import { createLog, type Log } from '../process/log.ts';
import { ApiToken } from '../rpc/api-token.ts';
import { createFeedHub, type FeedHub } from '../rpc/feed.ts';
import type { HttpServer } from '../rpc/http.ts';
import type { NodeService } from '../rpc/service.ts';
import { FirstRun, firstRunMethods } from '../service/first-run.ts';
import { gatedService } from '../service/gate.ts';
import { ServiceFeed } from '../service/service-feed.ts';
import { walletMethods } from '../service/wallet.ts';
import { closeResources, openResources } from '../util/resources.ts';
import type { WalletManager } from '../wallet/wallet-manager.ts';
import { HttpEndpoint, keepPort, portToTry } from './http-endpoint.ts';
import { NodeRuntime } from './runtime.ts';
import { composeWallet, withBooks } from './wallet-composition.ts';

export type { NodeConfig } from '../data-dir/config.ts';

export interface RunningNode {
  readonly service: NodeService;
  /** What the node tells of itself, slowed down for the screens that show it. */
  readonly feed: FeedHub;
  readonly wallet: WalletManager;
  /** Not while it waits for its wallet. */
  readonly isRunning: boolean;
  /** @throws AceError `WalletMissing`, `WalletLocked` while the node waits for its wallet */
  readonly peer: RunningPeer;
  readonly log: Log;
  readonly http: { readonly url: string; readonly port: number; readonly token: string };
  /** The port before, which encoders were told; `null` on a first start, and while the node waits for its wallet. */
  readonly lastPort: number | null;
  /** Resolves when the node was asked to stop. */
  readonly stopped: Promise<void>;
  stop(): Promise<void>;
}

/**
 * A wallet that can be opened starts the node at once. Where its owner has to come first (`config.wallet`), the pages are
 * there and the node starts when they have made or unlocked it.
 * @throws AceError `DataDirInUse`, `DataDirNotWritable`, `DataDirMismatch`, `SchemaTooNew`, `PortInUse`, `WalletLocked`, …
 */
export function startNode(config: NodeConfig): Promise<RunningNode> {
  const dataDir = new DataDir(config.dataDir);
  // Closed last to first: who asks, then the node, then the directory.
  return openResources(async (resources) => {
    checkConfig(config, dataDir);
    const lock = lockDataDir(dataDir.path);
    resources.defer(() => lock.release());
    const log = createLog(dataDir.log);
    keepOthersOut(dataDir.path, log);
    logCipher(log);
    if (chooseNetwork(dataDir, config.joinMultiaddr).mode === 'devnet') checkOwnChain(dataDir);
    const endpoint = new HttpEndpoint(dataDir, await ApiToken.open(dataDir.apiToken));
    const downloads = new JournalDownloads({ path: dataDir.nodeDb, nowMs: Date.now, log });
    const feed = new ServiceFeed();
    const runtime = new NodeRuntime({ config, dataDir, endpoint, downloads, feed, log });
    resources.defer(() => runtime.close());
    const firstRun = new FirstRun({
      dataDir,
      joinMultiaddr: config.joinMultiaddr,
      isRunning: () => runtime.isRunning,
    });
    const wallet = composeWallet(dataDir, {
      secretStore: config.secretStore,
      deviceKeyStore: config.deviceKeyStore,
      certificate: () => runtime.peer?.certificate ?? null,
      onNotKept: (error) => log.warn({ err: error }, 'the system’s key store did not take the device’s key'),
      isRunning: () => runtime.isRunning,
      store: () => runtime.store,
      joinMultiaddr: () => firstRun.joinMultiaddr,
      onChange: (state) => feed.send('wallet', state),
      start: (opened) => runtime.start(opened, firstRun.joinMultiaddr),
    });
    resources.defer(() => wallet.close());
    const stop = Promise.withResolvers<void>();
    const service = gatedService({
      always: {
        ...walletMethods(wallet),
        ...firstRunMethods(firstRun, wallet),
        ...endpoint.methods,
        async shutdown() {
          stop.resolve();
          return {};
        },
      },
      running: () => {
        if (runtime.service) return runtime.service;
        throw wallet.notRunning();
      },
      feed,
    });
    await openWallet(config, wallet, firstRun, log);
    const hub = createFeedHub(service, log);
    resources.defer(() => hub.close());
    resources.defer(() => endpoint.close());
    const server = await endpoint.listen({
      // While the node waits for its wallet its books are looked into all the same: pages, players and encoders come back.
      port: withBooks(dataDir, runtime.store, (store) => portToTry(config, store)),
      exact: config.httpPort !== undefined && config.httpPort !== 0,
      ...(config.httpHost !== undefined && { host: config.httpHost }),
      ...(config.allowHosts !== undefined && { allowHosts: config.allowHosts }),
      pagesDir: config.pagesDir,
      ...{ service, log, feed: hub, content: runtime.content },
      exports: (req, res, query, trusted) => void downloads.serve(req, res, query, trusted),
    });
    const lastPort = runtime.store && keepPort(runtime.store, server.port);
    return new Node({
      service,
      feed: hub,
      wallet,
      runtime,
      endpoint,
      server,
      log,
      lastPort,
      stop,
      resources,
    });
  });
}

/** Said before anything is made. @throws AceError `InvalidInput`, `DataDirMismatch` */
function checkConfig({ listen, announce = [], joinMultiaddr }: NodeConfig, dataDir: DataDir): void {
  if (listen) listenMultiaddrs(listen, 0);
  announceMultiaddrs(announce);
  if (joinMultiaddr !== undefined) parseMultiaddr(joinMultiaddr);
  if (!dataDir.isValidatorFolder) return;
  throw new AceError(
    'DataDirMismatch',
    `${dataDir.path} is a validator's folder: choose another --data-dir for a node`,
  );
}

/**
 * A chain that cannot go on here is refused before the wallet opens the books, and brings them up to date: the program that
 * made the directory could not open them again. @throws AceError `SchemaTooOld`, `SchemaTooNew`, `DataDirMismatch`
 */
function checkOwnChain({ validatorDir }: DataDir): void {
  const { chainDb } = new DataDir(validatorDir);
  if (existsSync(chainDb)) checkChainOpens(chainDb);
}

/** Starts the node where the wallet can be opened now. A network that was chosen on the pages may stay away. */
async function openWallet(
  { passphrase, wallet: { firstRun: asks = false, mayWait = false } = {} }: NodeConfig,
  wallet: WalletManager,
  firstRun: FirstRun,
  log: Log,
): Promise<void> {
  if (!(await wallet.begin(passphrase, { firstRun: asks, mayWait }))) return;
  await wallet.start().catch((error: unknown) => {
    if (!mayWait || !firstRun.isOpen) throw error;
    log.warn({ err: error }, 'the network that was chosen does not answer: the pages wait');
  });
}

interface NodeContext extends Pick<RunningNode, 'service' | 'feed' | 'wallet' | 'log' | 'lastPort'> {
  readonly runtime: NodeRuntime;
  readonly endpoint: HttpEndpoint;
  readonly server: HttpServer;
  readonly stop: PromiseWithResolvers<void>;
  readonly resources: AsyncDisposableStack;
}

class Node implements RunningNode {
  readonly service: NodeService;
  readonly feed: FeedHub;
  readonly wallet: WalletManager;
  readonly log: Log;
  readonly http: RunningNode['http'];
  readonly lastPort: number | null;
  readonly stopped: Promise<void>;
  readonly #context: NodeContext;
  #stopping: Promise<void> | null = null;

  constructor(context: NodeContext) {
    this.service = context.service;
    this.feed = context.feed;
    this.wallet = context.wallet;
    this.log = context.log;
    const { server, endpoint } = context;
    this.http = {
      url: server.url,
      port: server.port,
      // Of this moment: it may be renewed while somebody holds this object.
      get token() {
        return endpoint.token;
      },
    };
    this.lastPort = context.lastPort;
    this.stopped = context.stop.promise;
    this.#context = context;
  }

  get isRunning(): boolean {
    return this.#context.runtime.isRunning;
  }

  get peer(): RunningPeer {
    const { peer } = this.#context.runtime;
    if (peer === null) throw this.wallet.notRunning();
    return peer;
  }

  stop(): Promise<void> {
    this.#stopping ??= closeResources(this.#context.resources);
    return this.#stopping;
  }
}
