/**
 * Where the node is reached over HTTP: known once it listens, told to the command line by the control file, and to
 * encoders by its port, which is kept from one run to the next.
 */
import type { NodeConfig } from '../data-dir/config.ts';
import { DEFAULT_HTTP_PORT } from '../data-dir/config.ts';
import { removeControl, writeControl } from '../data-dir/control-file.ts';
import type { DataDir } from '../data-dir/data-dir.ts';
import type { NodeStore } from '../db/node/store.ts';
import { chosenPort } from '../peer/chosen-port.ts';
import type { ApiToken } from '../rpc/api-token.ts';
import { type HttpOptions, type HttpServer, startHttpServer } from '../rpc/http.ts';
import type { NodeService } from '../rpc/service.ts';

/** In the meta table: where pages, players and encoders reached the node last. */
const LAST_PORT = 'httpPort';

export class HttpEndpoint {
  readonly #dataDir: DataDir;
  readonly #apiToken: ApiToken;
  #server: HttpServer | null = null;

  constructor(dataDir: DataDir, apiToken: ApiToken) {
    this.#dataDir = dataDir;
    this.#apiToken = apiToken;
  }

  /** Base of all addresses; `null` before it listens. */
  get url(): string | null {
    return this.#server?.url ?? null;
  }

  get port(): number | null {
    return this.#server?.port ?? null;
  }

  get token(): string {
    return this.#apiToken.current;
  }

  get methods(): Pick<NodeService, 'apiToken' | 'renewApiToken'> {
    return {
      apiToken: async () => ({ token: this.token, file: this.#apiToken.file }),
      renewApiToken: async () => {
        const token = await this.#apiToken.renew();
        const server = this.#server;
        if (server) {
          await this.#writeControl(server);
          // After the answer has gone out on the very connection that is cut off then.
          setImmediate(() => server.setToken(token));
        }
        return { token };
      },
    };
  }

  /** @throws AceError `PortInUse` */
  async listen(options: Omit<HttpOptions, 'token'>): Promise<HttpServer> {
    const server = await startHttpServer({ ...options, token: this.token });
    this.#server = server;
    await this.#writeControl(server);
    return server;
  }

  async close(): Promise<void> {
    if (!this.#server) return;
    try {
      removeControl(this.#dataDir);
    } finally {
      await this.#server.close();
    }
  }

  /** For the command line, which finds the running node by it. */
  #writeControl({ url }: HttpServer): Promise<void> {
    return writeControl(this.#dataDir, { url, token: this.token });
  }
}

/** Keeps where the node is reached, for its next start. The answer is where it was before; `null` on a first start. */
export function keepPort(store: NodeStore, port: number): number | null {
  const before = store.meta.get(LAST_PORT);
  store.commit(() => store.meta.set(LAST_PORT, String(port)));
  return before === null ? null : Number(before);
}

/**
 * The port to try first. Where any will do it is the last one, as long as a broadcast goes on: its encoder keeps pushing
 * to the address that it was given.
 */
export function portToTry({ httpPort }: NodeConfig, store: NodeStore | null): number {
  if (httpPort !== 0) return httpPort ?? (store && chosenPort(store, 'http')) ?? DEFAULT_HTTP_PORT;
  const broadcasts = store?.broadcasts.own().some(({ ended }) => !ended) ?? false;
  return broadcasts ? Number(store?.meta.get(LAST_PORT) ?? 0) : 0;
}
