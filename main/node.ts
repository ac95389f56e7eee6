/**
 * Composition root: configuration in, running node out. On a first start with no network it makes a devnet: a
 * validator with its chain, and a provider that offers the sample clip, each a peer of its own in this process.
 */
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import packageJson from '../package.json' with { type: 'json' };
import { AceError } from '../shared/errors.ts';
import { Closers } from './closers.ts';
import { DEFAULT_HTTP_PORT, isValidatorFolder, type NodeConfig, nodePaths } from './config.ts';
import { liveHandler } from './content/live/live-http.ts';
import { playbackHandler } from './content/playback.ts';
import type { PaymentFigures } from './content/players/stat.ts';
import { lockDataDir } from './db/lock.ts';
import { createLog, type Log } from './log.ts';
import { createNodeService, type NodeServiceHandle } from './node-service.ts';
import { parseMultiaddr } from './p2p/host.ts';
import { announceMultiaddrs, anyPort, listenMultiaddrs } from './p2p/listen.ts';
import { type PeerEvents, type RunningPeer, startPeer } from './peer.ts';
import { ApiToken } from './rpc/api-token.ts';
import { type HttpServer, startHttpServer } from './rpc/http.ts';
import type { NodeService } from './rpc/service.ts';
import { runDevnetValidator } from './shard/devnet.ts';
import { writeFileAtomic } from './wallet/atomic-write.ts';

export type { NodeConfig } from './config.ts';

export interface RunningNode {
  readonly service: NodeService;
  readonly peer: RunningPeer;
  readonly log: Log;
  readonly http: { readonly url: string; readonly port: number; readonly token: string };
  /** Resolves when somebody asked the node to stop. */
  readonly stopped: Promise<void>;
  stop(): Promise<void>;
}

/** In the meta table: where pages, players and encoders reached the node last. */
const LAST_PORT = 'httpPort';
const SAMPLE_CLIP = 'sample-clip.mp4';
const SAMPLE_NAME = 'Sample clip.mp4';

const networkSchema = z.union([
  z.object({ mode: z.literal('devnet') }),
  z.object({ mode: z.literal('joined'), multiaddr: z.string() }),
]);
type Network = z.infer<typeof networkSchema>;

/** @throws AceError `DataDirInUse`, `DataDirNotWritable`, `DataDirMismatch`, `SchemaTooNew`, `PortInUse`, … */
export async function startNode(config: NodeConfig): Promise<RunningNode> {
  const paths = nodePaths(config.dataDir);
  const { listen, announce = [], reach, joinMultiaddr } = config;
  // Said now, before anything is made.
  if (listen) listenMultiaddrs(listen, 0);
  announceMultiaddrs(announce);
  if (joinMultiaddr !== undefined) parseMultiaddr(joinMultiaddr);
  refuseValidatorFolder(config.dataDir);
  const lock = lockDataDir(config.dataDir);
  const closers = new Closers();
  closers.add(() => lock.release());
  try {
    const log = createLog(paths.log);
    const network = chooseNetwork(paths.network, joinMultiaddr);
    let shardMultiaddr: string;
    let sampleId: string | null = null;
    if (network.mode === 'devnet') {
      const devnet = await runDevnetValidator({
        dataDir: paths.validatorDir,
        port: 0,
        listen: listen && anyPort(listen),
        profile: config.devnet,
      });
      closers.add(() => devnet.stop());
      shardMultiaddr = devnet.multiaddr;
      const clip = join(config.resourcesDir, SAMPLE_CLIP);
      if (config.offerSample !== false && existsSync(clip)) {
        const seedLock = lockDataDir(paths.seedDir);
        closers.add(() => seedLock.release());
        const seed = await startPeer({
          dir: paths.seedDir,
          shardMultiaddr,
          p2pPort: 0,
          listen: listen && anyPort(listen),
          reach,
          log,
          events: NO_EVENTS,
        });
        closers.add(() => seed.stop());
        const offered =
          seed.store.contents.list()[0] ?? (await seed.import({ path: clip, name: SAMPLE_NAME }));
        sampleId = offered.contentId;
      }
    } else {
      shardMultiaddr = network.multiaddr;
    }

    let service: NodeServiceHandle | null = null;
    const peer = await startPeer({
      dir: config.dataDir,
      shardMultiaddr,
      p2pPort: config.p2pPort ?? 0,
      listen,
      announce,
      reach,
      passphrase: config.passphrase,
      mustReachShard: config.joinMultiaddr !== undefined,
      log,
      events: {
        onChange: () => service?.emitSnapshot(),
        onContents: () => service?.emitContents(),
        onSettlements: (rows) => service?.emitSettlements(rows),
      },
    });
    closers.add(() => peer.stop());
    // Written once the network has answered: a wrong address never replaces a right one.
    await writeFileAtomic(paths.network, `${JSON.stringify(network, null, 2)}\n`, 0o600);
    if (sampleId) await peer.library.resolve(sampleId, 'offered');

    const asked = Promise.withResolvers<void>();
    const apiToken = await ApiToken.open(paths.apiToken);
    let http: HttpServer | null = null;
    /** For the command line, which finds the running node by it. */
    const writeControl = ({ url }: HttpServer) => {
      const control = { url, token: apiToken.current, pid: process.pid };
      return writeFileAtomic(paths.control, `${JSON.stringify(control)}\n`, 0o600);
    };
    service = createNodeService({
      peer,
      version: packageJson.version,
      dataDir: config.dataDir,
      ownDevnet: network.mode === 'devnet',
      pagesUrl: () => http?.url ?? null,
      shutdown: () => asked.resolve(),
      apiToken,
      async renewToken() {
        const token = await apiToken.renew();
        if (http) {
          await writeControl(http);
          // After the answer has gone out on the very connection that is cut off then.
          setImmediate(() => http?.setToken(token));
        }
        return token;
      },
    });
    closers.add(() => service?.close());
    const server = await startHttpServer({
      port: httpPort(config, peer),
      exact: config.httpPort !== undefined && config.httpPort !== 0,
      ...(config.httpHost !== undefined && { host: config.httpHost }),
      pagesDir: config.pagesDir,
      token: apiToken.current,
      service,
      log,
      content: liveHandler(
        {
          pieces: peer.pieces,
          log,
          push: peer.live.push,
          broadcastOf: (link, opening) => peer.live.broadcastOf(link, opening),
          watch: (broadcast) => peer.live.watch(broadcast),
        },
        playbackHandler({
          version: packageJson.version,
          pieces: peer.pieces,
          transferOf: (contentId, opening) => peer.library.transfer(contentId, opening),
          broadcastOf: (contentId) => peer.live.broadcastOf(contentId),
          watch: (broadcast) => peer.live.watch(broadcast),
          contentOf: (contentId) => peer.store.contents.get(contentId),
          payment: () => paymentFigures(peer),
          nowMs: Date.now,
          log,
        }),
      ),
    });
    http = server;
    closers.add(() => server.close());
    peer.store.commit(() => peer.store.meta.set(LAST_PORT, String(server.port)));
    await writeControl(server);
    closers.add(() => rmSync(paths.control, { force: true }));
    // Rates fall to zero by themselves; the pages are told so.
    const ticking = setInterval(() => service?.emitSnapshot(), 1_000);
    closers.add(() => clearInterval(ticking));

    let stopping: Promise<void> | null = null;
    return {
      service,
      peer,
      log,
      http: {
        url: server.url,
        port: server.port,
        get token() {
          return apiToken.current;
        },
      },
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

/**
 * The port to try first. Where any will do it is the last one, as long as a broadcast goes on: its encoder keeps pushing
 * to the address that it was given.
 */
function httpPort({ httpPort }: NodeConfig, { store, live }: RunningPeer): number {
  if (httpPort !== 0) return httpPort ?? DEFAULT_HTTP_PORT;
  const broadcasts = live.broadcaster.own().some(({ ended }) => !ended);
  return broadcasts ? Number(store.meta.get(LAST_PORT) ?? 0) : 0;
}

function paymentFigures({ sync, settings }: RunningPeer): PaymentFigures | null {
  if (!sync.picture) return null;
  const { unitPriceXac, account } = sync.picture;
  const { creditUsedUnits } = account;
  return { unitPriceXac, creditUsedUnits, creditLimitUnits: settings.trafficCreditLimitUnits };
}

const NO_EVENTS: PeerEvents = { onChange: () => {}, onContents: () => {}, onSettlements: () => {} };

/** @throws AceError `DataDirMismatch` */
function refuseValidatorFolder(dataDir: string): void {
  if (!isValidatorFolder(dataDir)) return;
  throw new AceError(
    'DataDirMismatch',
    `${dataDir} is a validator's folder: choose another --data-dir for a node`,
  );
}

/** A data directory keeps to its network: another one would be another wallet's money. */
function chooseNetwork(path: string, joinMultiaddr: string | undefined): Network {
  const stored = existsSync(path) ? readNetwork(path) : null;
  if (stored?.mode === 'devnet' && joinMultiaddr !== undefined) {
    throw new AceError(
      'DataDirMismatch',
      'This data directory has a devnet of its own: choose another --data-dir to join a network',
    );
  }
  if (joinMultiaddr === undefined) return stored ?? { mode: 'devnet' };
  return { mode: 'joined', multiaddr: parseMultiaddr(joinMultiaddr).toString() };
}

function readNetwork(path: string): Network {
  try {
    return networkSchema.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch (cause) {
    throw new AceError('DataDirMismatch', `${path} cannot be read as a network choice of this Ace Node`, {
      cause,
    });
  }
}
