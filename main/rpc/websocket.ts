/**
 * The typed procedures over a WebSocket, at `/rpc?token=…`.
 *
 * A connection is admitted only with our token and from our own pages (guard.ts). It answers calls in any order, each
 * with its caller's id, and passes the feed on. A slow reader never makes the node's memory grow: it misses
 * snapshots, gets the newest when it has caught up, and is cut off if even the rows that cannot be left out pile up.
 */
import { type IncomingMessage, type Server, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { type RawData, type WebSocket, WebSocketServer } from 'ws';
import { z } from 'zod';
import type { ClientFrame, Feed, FeedTopic, NodeSnapshot, ServerFrame } from '../../shared/rpc/rpc.ts';
import type { FeedHub } from './feed.ts';
import { type GuardOptions, isFromHere, mediaCookie, refuseUpgrade } from './guard.ts';
import type { Procedures } from './procedures.ts';
import { NO_LOG, type RpcLog } from './service.ts';

export const MAX_PAYLOAD_BYTES = 1_048_576;
export const MAX_CONNECTIONS = 32;
/** Calls that one connection may have under way. */
export const MAX_OPEN_CALLS = 64;
/** With more than this unsent, snapshots wait. */
const SLOW_BYTES = 262_144;
/** With more than this unsent, the reader is gone for all purposes. */
const STUCK_BYTES = 16 * 1_048_576;
const PING_INTERVAL_MS = 20_000;

export interface WebSocketOptions {
  readonly server: Server;
  readonly procedures: Procedures;
  readonly feed: FeedHub;
  /** Our port, once the server listens, and the token of this moment. */
  readonly guard: () => GuardOptions;
  readonly log?: RpcLog;
  readonly pingIntervalMs?: number;
}

export interface WebSocketTransport {
  readonly connections: number;
  /** Closes what is open; new connections are taken as before. */
  hangUp(code: number, why: string): void;
  close(): void;
}

export function attachWebSocket(options: WebSocketOptions): WebSocketTransport {
  const { server, log = NO_LOG } = options;
  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: MAX_PAYLOAD_BYTES,
    perMessageDeflate: false,
  });
  const connections = new Set<Connection>();
  const hangUp = (code: number, why: string) => {
    for (const connection of connections) connection.close(code, why);
  };
  sockets.on('headers', (headers, req) => {
    if (!isFromHere(req, options.guard())) headers.push(`Set-Cookie: ${mediaCookie(options.guard())}`);
  });

  const onUpgrade = (req: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on('error', () => socket.destroy());
    const refusal = refuseUpgrade(req, options.guard());
    if (refusal) return refuse(socket, refusal.status, refusal.why);
    if (connections.size >= MAX_CONNECTIONS) return refuse(socket, 503, 'Too many connections');
    sockets.handleUpgrade(req, socket, head, (ws) => {
      const connection = new Connection(ws, options.procedures, options.feed, log);
      connections.add(connection);
      ws.once('close', () => connections.delete(connection));
    });
  };
  server.on('upgrade', onUpgrade);
  const pinging = setInterval(() => {
    for (const connection of connections) connection.ping();
  }, options.pingIntervalMs ?? PING_INTERVAL_MS);
  pinging.unref();

  return {
    get connections() {
      return connections.size;
    },
    hangUp,
    close() {
      clearInterval(pinging);
      server.off('upgrade', onUpgrade);
      hangUp(1001, 'the node stops');
      sockets.close();
    },
  };
}

function refuse(socket: Duplex, status: number, why: string): void {
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\nContent-Type: text/plain\r\n` +
      `Content-Length: ${Buffer.byteLength(why)}\r\n\r\n${why}`,
  );
}

const clientFrame: z.ZodType<ClientFrame> = z
  .object({ id: z.number().int().nonnegative(), procedure: z.string().max(40), input: z.unknown() })
  .strict();

class Connection {
  readonly #ws: WebSocket;
  readonly #procedures: Procedures;
  readonly #log: RpcLog;
  readonly #unsubscribe: () => void;
  /** Answered the last ping. */
  #alive = true;
  #openCalls = 0;
  /** Newest snapshot that a slow reader has not got. */
  #heldSnapshot: NodeSnapshot | null = null;

  constructor(ws: WebSocket, procedures: Procedures, feed: FeedHub, log: RpcLog) {
    this.#ws = ws;
    this.#procedures = procedures;
    this.#log = log;
    this.#unsubscribe = feed.subscribe((topic, data) => this.#onFeed(topic, data));
    ws.on('message', (data, isBinary) => this.#onMessage(data, isBinary));
    ws.on('pong', () => {
      this.#alive = true;
    });
    // `ws` closes the socket itself after a protocol error or an oversized message.
    ws.on('error', (error) => this.#log.warn({ err: error }, 'a page connection failed'));
    ws.once('close', () => this.#unsubscribe());
  }

  ping(): void {
    if (!this.#alive) {
      this.#ws.terminate();
      return;
    }
    this.#alive = false;
    this.#ws.ping();
  }

  close(code: number, why: string): void {
    this.#unsubscribe();
    this.#ws.close(code, why);
  }

  #onMessage(data: RawData, isBinary: boolean): void {
    const frame = isBinary ? null : readFrame(data.toString());
    if (frame === null) {
      this.#ws.close(1007, 'not a call');
      return;
    }
    if (this.#openCalls >= MAX_OPEN_CALLS) {
      const error = {
        code: 'TooManyRequests',
        message: `More than ${MAX_OPEN_CALLS} calls at once`,
      } as const;
      this.#send({ id: frame.id, error });
      return;
    }
    this.#openCalls += 1;
    // `dispatch` never rejects.
    void this.#procedures.dispatch(frame.procedure, frame.input).then((reply) => {
      this.#openCalls -= 1;
      this.#send({ id: frame.id, ...reply });
    });
  }

  #onFeed<T extends FeedTopic>(topic: T, data: Feed[T]): void {
    if (topic === 'snapshot' && this.#ws.bufferedAmount > SLOW_BYTES) {
      this.#heldSnapshot = data as NodeSnapshot;
      return;
    }
    if (topic === 'snapshot') this.#heldSnapshot = null;
    this.#send({ topic, data });
  }

  #send(frame: ServerFrame): void {
    if (this.#ws.readyState !== this.#ws.OPEN) return;
    if (this.#ws.bufferedAmount > STUCK_BYTES) {
      this.#log.warn({ bufferedBytes: this.#ws.bufferedAmount }, 'a page reads too slowly and is cut off');
      this.#ws.terminate();
      return;
    }
    this.#ws.send(JSON.stringify(frame), () => this.#afterSend());
  }

  #afterSend(): void {
    const held = this.#heldSnapshot;
    if (held === null || this.#ws.bufferedAmount > SLOW_BYTES) return;
    this.#heldSnapshot = null;
    this.#send({ topic: 'snapshot', data: held });
  }
}

function readFrame(text: string): z.output<typeof clientFrame> | null {
  try {
    const result = clientFrame.safeParse(JSON.parse(text));
    return result.success ? result.data : null;
  } catch {
    return null;
  }
}
