/**
 * What of a node runs only while its wallet is open: the peer, its service, and what it serves to players.
 *
 * States: waiting, starting, running. A start that fails leaves it waiting, with all that was begun closed again, and may
 * be tried once more; a running one runs until it is closed.
 */
import packageJson from '../../package.json' with { type: 'json' };
import type { NodeStore } from '../db/node/store.ts';
import type { JournalDownloads } from '../journal/downloads.ts';
import type { RunningPeer } from '../peer/peer.ts';
import { contentHandler, notPlayableYet } from '../players/handler.ts';
import type { ContentHandler } from '../rpc/http.ts';
import { askedPrice } from '../service/access.ts';
import { titleView } from '../service/contents.ts';
import { createNodeService, type NodeServiceHandle } from '../service/node-service.ts';
import type { ServiceFeed } from '../service/service-feed.ts';
import { closeResources, openResources } from '../util/resources.ts';
import type { Wallet } from '../wallet/wallet.ts';
import { type HttpEndpoint, keepPort } from './http-endpoint.ts';
import { type LaunchContext, launch } from './launch.ts';

export interface RuntimeContext extends LaunchContext {
  readonly endpoint: HttpEndpoint;
  readonly downloads: JournalDownloads;
  readonly feed: ServiceFeed;
}

interface Running {
  readonly peer: RunningPeer;
  readonly service: NodeServiceHandle;
  readonly content: ContentHandler;
  readonly resources: AsyncDisposableStack;
}

export class NodeRuntime {
  readonly #context: RuntimeContext;
  #starting: Promise<Running> | null = null;
  #running: Running | null = null;

  constructor(context: RuntimeContext) {
    this.#context = context;
  }

  get isRunning(): boolean {
    return this.#running !== null;
  }

  get peer(): RunningPeer | null {
    return this.#running?.peer ?? null;
  }

  get store(): NodeStore | null {
    return this.peer?.store ?? null;
  }

  get service(): NodeServiceHandle | null {
    return this.#running?.service ?? null;
  }

  /** Answers players, encoders and uploads; while the node waits, that it does. */
  readonly content: ContentHandler = (req, res) => (this.#running?.content ?? notPlayableYet)(req, res);

  /** @param joinMultiaddr as in `launch` @throws AceError why it does not start */
  async start(wallet: Wallet, joinMultiaddr: string | undefined): Promise<void> {
    const { endpoint, feed } = this.#context;
    this.#starting = openResources((resources) => this.#open(wallet, joinMultiaddr, resources));
    try {
      this.#running = await this.#starting;
    } finally {
      this.#starting = null;
    }
    // A node that waited has its pages already; encoders are told their address from now on.
    if (endpoint.port !== null) keepPort(this.#running.peer.store, endpoint.port);
    feed.send('change', null);
  }

  async close(): Promise<void> {
    await this.#starting?.catch(() => undefined); // the caller that started it gets the error
    if (this.#running) await closeResources(this.#running.resources);
  }

  async #open(
    wallet: Wallet,
    joinMultiaddr: string | undefined,
    resources: AsyncDisposableStack,
  ): Promise<Running> {
    const { config, dataDir, endpoint, downloads, feed, log } = this.#context;
    const { peer, ownDevnet } = await launch(this.#context, wallet, joinMultiaddr, resources);
    const service = createNodeService({
      ...{ peer, ownDevnet, downloads, feed, log },
      version: packageJson.version,
      dataDir: dataDir.path,
      nodeDbPath: dataDir.nodeDb,
      pagesUrl: () => endpoint.url,
      httpPort: () => endpoint.port,
      givenPorts: { http: config.httpPort !== undefined, peers: config.p2pPort !== undefined },
    });
    resources.defer(() => service.close());
    const content = contentHandler({
      peer,
      token: () => endpoint.token,
      importUpload: async (path, name, { priceXac, premium }) => {
        const price = priceXac === null ? {} : { priceXac: askedPrice(priceXac), premium };
        return titleView(peer, await peer.import({ path, name, ...price }));
      },
      log,
    });
    return { peer, service, content, resources };
  }
}
