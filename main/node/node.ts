/**
 * Composition root: configuration in, running node out. On a first start with no network it makes a devnet: a
 * validator with its chain, and a provider that offers the sample clip, each a peer of its own in this process.
 */
import packageJson from '../../package.json' with { type: 'json' };
import { AceError } from '../../shared/errors.ts';
import { DEFAULT_HTTP_PORT, type NodeConfig } from '../data-dir/config.ts';
import { removeControl, writeControl } from '../data-dir/control-file.ts';
import { DataDir } from '../data-dir/data-dir.ts';
import { chooseNetwork } from '../data-dir/network-choice.ts';
import { lockDataDir } from '../db/lock.ts';
import type { NodeStore } from '../db/node/store.ts';
import { JournalDownloads } from '../journal/downloads.ts';
import { parseMultiaddr } from '../p2p/host.ts';
import { announceMultiaddrs, listenMultiaddrs } from '../p2p/listen.ts';
import { chosenPort } from '../peer/chosen-port.ts';
import type { RunningPeer } from '../peer/peer.ts';
import { contentHandler, notPlayableYet } from '../players/handler.ts';
import { createLog, type Log } from '../process/log.ts';
import { ApiToken } from '../rpc/api-token.ts';
import { type ContentHandler, type HttpServer, startHttpServer } from '../rpc/http.ts';
import type { NodeService } from '../rpc/service.ts';
import { FirstRun } from '../service/first-run.ts';
import { NodeGate } from '../service/gate.ts';
import { createNodeService } from '../service/node-service.ts';
import { contentView } from '../service/views.ts';
import { walletMethods } from '../service/wallet.ts';
import { Closers } from '../util/closers.ts';
import type { WalletManager } from '../wallet/wallet-manager.ts';
import { launch } from './launch.ts';
import { composeWallet, withBooks } from './wallet-composition.ts';

export type { NodeConfig } from '../data-dir/config.ts';

export interface RunningNode {
  readonly service: NodeService;
  readonly wallet: WalletManager;
  /** Not while it waits for its wallet. */
  readonly isRunning: boolean;
  /** @throws AceError `WalletMissing`, `WalletLocked` while the node waits for its wallet */
  readonly peer: RunningPeer;
  readonly log: Log;
  readonly http: { readonly url: string; readonly port: number; readonly token: string };
  /** The port before, which encoders were told; `null` on a first start, and while the node waits for its wallet. */
  readonly lastPort: number | null;
  /** Resolves when somebody asked the node to stop. */
  readonly stopped: Promise<void>;
  stop(): Promise<void>;
}

/** In the meta table: where pages, players and encoders reached the node last. */
const LAST_PORT = 'httpPort';

/**
 * A wallet that can be opened starts the node at once. Where its owner has to come first (`config.wallet`), the pages are
 * there and the node starts when they have made or unlocked it.
 * @throws AceError `DataDirInUse`, `DataDirNotWritable`, `DataDirMismatch`, `SchemaTooNew`, `PortInUse`, `WalletLocked`, …
 */
export async function startNode(config: NodeConfig): Promise<RunningNode> {
  const dataDir = new DataDir(config.dataDir);
  const { listen, announce = [], joinMultiaddr } = config;
  // Said now, before anything is made.
  if (listen) listenMultiaddrs(listen, 0);
  announceMultiaddrs(announce);
  if (joinMultiaddr !== undefined) parseMultiaddr(joinMultiaddr);
  refuseValidatorFolder(dataDir);
  const lock = lockDataDir(config.dataDir);
  // Closed last to first: who asks, then the node, then the directory.
  const closers = new Closers();
  closers.add(() => lock.release());
  const node = new Closers();
  let launching: Promise<void> | null = null;
  closers.add(async () => {
    await launching?.catch(() => undefined);
    await node.close();
  });
  try {
    const log = createLog(dataDir.log);
    chooseNetwork(dataDir, joinMultiaddr);
    const apiToken = await ApiToken.open(dataDir.apiToken);
    let http: HttpServer | null = null;
    let peer: RunningPeer | null = null;
    const isRunning = () => peer !== null;
    let content: ContentHandler = notPlayableYet;
    const downloads = new JournalDownloads({ path: dataDir.nodeDb, nowMs: Date.now, log });
    /** For the command line, which finds the running node by it. */
    const tellControl = ({ url }: HttpServer) => writeControl(dataDir, { url, token: apiToken.current });
    const firstRun = new FirstRun({
      dataDir,
      joinMultiaddr,
      wallet: () => wallet,
      isRunning,
    });
    const wallet: WalletManager = composeWallet(dataDir, {
      secretStore: config.secretStore,
      isRunning,
      store: () => peer?.store ?? null,
      joinMultiaddr: () => firstRun.joinMultiaddr,
      onChange: (state) => gate.tell(state),
      start: (wallet) => {
        launching = launch({ ...config, joinMultiaddr: firstRun.joinMultiaddr }, wallet, node, log).then(
          (started) => {
            const service = createNodeService({
              peer: started.peer,
              version: packageJson.version,
              dataDir: config.dataDir,
              ownDevnet: started.ownDevnet,
              pagesUrl: () => http?.url ?? null,
              httpPort: () => http?.port ?? null,
              givenPorts: { http: config.httpPort !== undefined, peers: config.p2pPort !== undefined },
              downloads,
              log,
            });
            node.add(() => service.close());
            started.onEvents({
              onChange: () => service.emitSnapshot(),
              onContents: () => service.emitContents(),
              onSettlements: (rows) => service.emitSettlements(rows),
            });
            // Rates fall to zero by themselves; the pages are told so.
            const ticking = setInterval(() => {
              service.emitSnapshot();
              service.emitTraffic();
            }, 1_000);
            node.add(() => clearInterval(ticking));
            peer = started.peer;
            content = contentHandler({
              peer: started.peer,
              token: () => apiToken.current,
              importUpload: async (path, name) => contentView(await started.peer.import({ path, name })),
              log,
            });
            // A node that waited has its pages already; encoders are told their address from now on.
            if (http) notePort(started.peer.store, http.port);
            gate.open(service);
          },
        );
        return launching;
      },
    });
    closers.add(() => wallet.close());
    const asked = Promise.withResolvers<void>();
    const gate: NodeGate = new NodeGate({
      always: {
        ...walletMethods(wallet),
        ...firstRun.methods,
        apiToken: async () => ({ token: apiToken.current, file: apiToken.file }),
        async renewApiToken() {
          const token = await apiToken.renew();
          if (http) {
            await tellControl(http);
            // After the answer has gone out on the very connection that is cut off then.
            setImmediate(() => http?.setToken(token));
          }
          return { token };
        },
        async shutdown() {
          asked.resolve();
          return {};
        },
      },
      notRunning: () => wallet.notRunning(),
    });
    const { firstRun: asks = false, mayWait = false } = config.wallet ?? {};
    if (await wallet.begin(config.passphrase, { firstRun: asks, mayWait })) {
      await wallet.start().catch((error: unknown) => {
        if (!mayWait || !firstRun.isOpen) throw error;
        log.warn({ err: error }, 'the network that was chosen does not answer: the pages wait');
      });
    }

    const running = (): RunningPeer => {
      if (peer === null) throw wallet.notRunning();
      return peer;
    };
    const server = await startHttpServer({
      // While the node waits for its wallet its books are looked into all the same: pages, players and encoders come back.
      port: withBooks(dataDir, isRunning() ? running().store : null, (store) => httpPort(config, store)),
      exact: config.httpPort !== undefined && config.httpPort !== 0,
      ...(config.httpHost !== undefined && { host: config.httpHost }),
      pagesDir: config.pagesDir,
      token: apiToken.current,
      service: gate.service,
      log,
      exports: (req, res, query, trusted) => void downloads.serve(req, res, query, trusted),
      content: (req, res) => content(req, res),
    });
    http = server;
    closers.add(() => server.close());
    const lastPort = isRunning() ? notePort(running().store, server.port) : null;
    await tellControl(server);
    closers.add(() => removeControl(dataDir));

    let stopping: Promise<void> | null = null;
    return {
      service: gate.service,
      wallet,
      get isRunning() {
        return isRunning();
      },
      get peer() {
        return running();
      },
      log,
      http: {
        url: server.url,
        port: server.port,
        get token() {
          return apiToken.current;
        },
      },
      lastPort,
      stopped: asked.promise,
      stop: () => {
        stopping ??= closers.close();
        return stopping;
      },
    };
  } catch (error) {
    await closers.close().catch(() => undefined); // what went wrong first is what is told
    throw error;
  }
}

/** Keeps where the node is reached, for its next start. The answer is where it was before. */
function notePort(store: NodeStore, port: number): number | null {
  const before = store.meta.get(LAST_PORT);
  store.commit(() => store.meta.set(LAST_PORT, String(port)));
  return before === null ? null : Number(before);
}

/**
 * The port to try first. Where any will do it is the last one, as long as a broadcast goes on: its encoder keeps pushing
 * to the address that it was given.
 */
function httpPort({ httpPort }: NodeConfig, store: NodeStore | null): number {
  if (httpPort !== 0) return httpPort ?? (store && chosenPort(store, 'http')) ?? DEFAULT_HTTP_PORT;
  const broadcasts = store?.broadcasts.own().some(({ ended }) => !ended) ?? false;
  return broadcasts ? Number(store?.meta.get(LAST_PORT) ?? 0) : 0;
}

/** @throws AceError `DataDirMismatch` */
function refuseValidatorFolder(dataDir: DataDir): void {
  if (!dataDir.isValidatorFolder) return;
  throw new AceError(
    'DataDirMismatch',
    `${dataDir.path} is a validator's folder: choose another --data-dir for a node`,
  );
}
