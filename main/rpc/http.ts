/**
 * The node's HTTP server, on loopback unless asked otherwise: pages, the WebSocket of the procedures, and the content that players fetch.
 * Every request passes guard.ts first, whatever it asks for.
 */
import { existsSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import sirv from 'sirv';
import { AceError } from '../../shared/errors.ts';
import { UPLOAD_PATH } from '../../shared/rpc/rpc.ts';
import { TOKEN_RENEWED_CLOSE_CODE } from '../../shared/rpc/shell.ts';
import { answerText } from './answer-text.ts';
import {
  type ConnectionLimits,
  DEFAULT_CONNECTION_LIMITS,
  limitConnections,
  serverOptions,
} from './connections.ts';
import { createFeedHub, type FeedHub } from './feed.ts';
import { type GuardOptions, hasToken, isFromHere, mediaCookie, refuseRequest, requestUrl } from './guard.ts';
import { createProcedures } from './procedures.ts';
import { COMMON_HEADERS, PAGE_HEADERS } from './security-headers.ts';
import { NO_LOG, type NodeService, type RpcLog } from './service.ts';
import type { ShellService } from './shell-service.ts';
import { attachWebSocket } from './websocket.ts';

/** Ports tried after the wanted one when that is taken. */
const FURTHER_PORTS = 20;
const EXPORT_PATH = '/export';
const CONTENT_PATHS = ['/content/', '/ace/', '/webui/', '/broadcast/', UPLOAD_PATH];
/** Encoders push there, and pages send files; nothing else takes a body. */
const BODY_PATHS = ['/broadcast/', UPLOAD_PATH];

export type ContentHandler = (req: IncomingMessage, res: ServerResponse) => void;

export type ExportHandler = (
  req: IncomingMessage,
  res: ServerResponse,
  query: URLSearchParams,
  trusted: boolean,
) => void;

export interface HttpOptions {
  /** 0 takes any free port. */
  readonly port: number;
  /** Fails when `port` is taken, instead of trying the next ones. */
  readonly exact?: boolean;
  /** IP address to listen on; loopback unless the user has asked for another. */
  readonly host?: string;
  /** See `GuardOptions`. */
  readonly allowHosts?: readonly string[];
  /** The built pages (out/renderer). */
  readonly pagesDir: string;
  /** What a page must show to drive the node. */
  readonly token: string;
  readonly service: NodeService;
  /** Shared with other transports, and closed by who made it; left out: one of the server's own. */
  readonly feed?: FeedHub;
  /** Answers what is the shell's; the headless one when left out. */
  readonly shell?: ShellService;
  /** Answers `/content/…`, `/ace/…`, `/webui/…`, `/broadcast/…` and `/import`. */
  readonly content: ContentHandler;
  /** Answers `/export`; `trusted`: the request shows the token. */
  readonly exports?: ExportHandler;
  readonly log?: RpcLog;
  readonly limits?: ConnectionLimits;
}

export interface HttpServer {
  /** Address of the pages, with a slash at the end. */
  readonly url: string;
  readonly port: number;
  /** From now on nothing but this is taken; connections that showed the old one are cut off. */
  setToken(token: string): void;
  close(): Promise<void>;
}

/** @throws AceError `PortInUse` */
export async function startHttpServer(options: HttpOptions): Promise<HttpServer> {
  const { service, content, log = NO_LOG, host = '127.0.0.1' } = options;
  let { token } = options;
  const limits = options.limits ?? DEFAULT_CONNECTION_LIMITS;
  const servePage = pageHandler(options.pagesDir);
  let port = 0;
  const guard = (): GuardOptions => ({ port, token, allowHosts: options.allowHosts ?? [] });

  const server = createServer(serverOptions(limits), (req, res) => {
    setHeaders(res, COMMON_HEADERS);
    const url = requestUrl(req);
    if (url === null) return answerText(res, 400, 'Not a path');
    const isContent = CONTENT_PATHS.some((path) => url.pathname.startsWith(path));
    const isExport = url.pathname === EXPORT_PATH;
    const refusal = refuseRequest(req, !isContent && !isExport, guard());
    const mayHaveBody = refusal === null && BODY_PATHS.some((path) => url.pathname.startsWith(path));
    if (!mayHaveBody && hasBody(req)) hangUpAfter(res);
    if (refusal) return answerText(res, refusal.status, refusal.why);
    if (!mayHaveBody && hasBody(req)) return answerText(res, 413, 'Nothing here takes a body');
    if (isExport && options.exports) {
      return options.exports(req, res, url.searchParams, hasToken(req, token));
    }
    if (!isContent) return servePage(req, res);
    if (!isFromHere(req, guard())) res.setHeader('Set-Cookie', mediaCookie(guard()));
    try {
      content(req, res);
    } catch (error) {
      log.error({ err: error, path: url.pathname }, 'the content handler failed');
      if (!res.headersSent) answerText(res, 500, 'Something went wrong inside the node');
      else res.destroy();
    }
  });

  limitConnections(server, limits);

  const procedures = createProcedures(service, log, options.shell);
  const feed = options.feed ?? createFeedHub(service, log);
  const sockets = attachWebSocket({ server, procedures, feed, guard, log });
  try {
    port = await listenSomewhere(server, options.port, host, options.exact === true ? 0 : FURTHER_PORTS);
  } catch (error) {
    sockets.close();
    throw error;
  }
  return {
    url: `http://${reachableHost(host)}:${port}/`,
    port,
    setToken: (next) => {
      token = next;
      sockets.hangUp(TOKEN_RENEWED_CLOSE_CODE, 'the token was renewed');
    },
    close: () => {
      sockets.close();
      if (feed !== options.feed) feed.close();
      return new Promise<void>((resolve) => {
        server.close(() => resolve());
        // A player may hold its connection open for as long as its film lasts.
        server.closeAllConnections();
      });
    },
  };
}

function pageHandler(pagesDir: string): (req: IncomingMessage, res: ServerResponse) => void {
  if (!existsSync(pagesDir)) {
    return (_req, res) =>
      answerText(res, 503, `The pages are not built: ${pagesDir} is missing. Run: npm run build`);
  }
  const serve = sirv(pagesDir, {
    etag: true,
    dotfiles: false,
    setHeaders: (res, pathname) => {
      // Only the files in assets/ carry a hash of their content in their names.
      const fixed = pathname.startsWith('/assets/');
      res.setHeader('Cache-Control', fixed ? 'public, max-age=31536000, immutable' : 'no-cache');
    },
  });
  return (req, res) => {
    setHeaders(res, PAGE_HEADERS);
    if (req.method !== 'GET' && req.method !== 'HEAD') {
      res.setHeader('Allow', 'GET, HEAD');
      return answerText(res, 405, 'Pages can only be read');
    }
    serve(req, res, () => answerText(res, 404, 'No such page'));
  };
}

async function listenSomewhere(
  server: Server,
  wanted: number,
  host: string,
  further: number,
): Promise<number> {
  const last = wanted === 0 ? 0 : Math.min(wanted + further, 65_535);
  for (let port = wanted; port <= last; port++) {
    try {
      return await listen(server, port, host);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'EACCES') {
        throw new AceError('PortInUse', `Port ${port} may not be used by this user`, { cause: error });
      }
      if (code !== 'EADDRINUSE') throw error;
    }
  }
  const range = last > wanted ? `The ports ${wanted} to ${last} are` : `Port ${wanted} is`;
  throw new AceError('PortInUse', `${range} in use. Choose another with --http-port, or 0 for any free one`, {
    details: { port: wanted },
  });
}

function listen(server: Server, port: number, host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const onError = (error: Error) => {
      server.off('listening', onListening);
      reject(error);
    };
    const onListening = () => {
      server.off('error', onError);
      resolve((server.address() as AddressInfo).port);
    };
    server.once('error', onError);
    server.once('listening', onListening);
    server.listen(port, host);
  });
}

/** Where this machine itself reaches a server that listens there. */
function reachableHost(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1';
  if (host === '::') return '[::1]';
  return host.includes(':') ? `[${host}]` : host;
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || !['0', undefined].includes(headers['content-length']);
}

/** A body that nobody wants is not read to its end, however long it is. */
function hangUpAfter(res: ServerResponse): void {
  res.setHeader('Connection', 'close');
  res.once('finish', () => res.socket?.destroySoon());
}

function setHeaders(res: ServerResponse, headers: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(headers)) res.setHeader(name, value);
}
