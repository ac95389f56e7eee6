/**
 * How many connections the HTTP server holds, and for how long one may say nothing. A program that opens connections and
 * leaves them idle, or sends a request one byte at a time, loses the oldest of them first: the page and the players
 * that are being answered are never cut off for it.
 */
import type { Server, ServerOptions } from 'node:http';
import type { Duplex } from 'node:stream';

/** Well below the 1,024 file descriptors that a process commonly gets. */
export const MAX_CONNECTIONS = 512;

export interface ConnectionLimits {
  readonly connections: number;
  /** For a whole request head to arrive, from the connection or the end of the request before. */
  readonly headersTimeoutMs: number;
  /** Between two requests. */
  readonly keepAliveMs: number;
}

export const DEFAULT_CONNECTION_LIMITS: ConnectionLimits = {
  connections: MAX_CONNECTIONS,
  headersTimeoutMs: 10_000,
  keepAliveMs: 30_000,
};

/** Encoders push a segment while it plays, a minute at most (`MAX_SEGMENT_MS`); nothing else here has a body. */
const BODY_MS = 120_000;

/** An answer may take as long as its player plays. */
export function serverOptions({ headersTimeoutMs, keepAliveMs }: ConnectionLimits): ServerOptions {
  return {
    headersTimeout: headersTimeoutMs,
    requestTimeout: headersTimeoutMs + BODY_MS,
    keepAliveTimeout: keepAliveMs,
    connectionsCheckingInterval: Math.max(100, headersTimeoutMs / 5),
  };
}

export function limitConnections(server: Server, { connections }: ConnectionLimits): void {
  /** Requests that are being answered on each connection. */
  const open = new Map<Duplex, number>();
  /** Those with none, the longest idle first. */
  const idle = new Set<Duplex>();

  server.on('connection', (socket) => {
    open.set(socket, 0);
    idle.add(socket);
    socket.once('close', () => {
      open.delete(socket);
      idle.delete(socket);
    });
    if (open.size <= connections) return;
    const [oldest = socket] = idle;
    open.delete(oldest);
    idle.delete(oldest);
    oldest.destroy();
  });
  server.on('request', ({ socket }, res) => {
    if (!open.has(socket)) return;
    open.set(socket, (open.get(socket) ?? 0) + 1);
    idle.delete(socket);
    res.once('close', () => {
      const left = (open.get(socket) ?? 1) - 1;
      if (!open.has(socket)) return;
      open.set(socket, left);
      if (left === 0) idle.add(socket);
    });
  });
  // A page's socket is in use for as long as it is open.
  server.on('upgrade', ({ socket }) => idle.delete(socket));
}
