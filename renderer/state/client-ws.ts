/**
 * The node over a WebSocket, for pages in a browser. It connects again by itself, ever more patiently; the node sends
 * a fresh snapshot to every new connection, so the page is right again at once.
 */

import { RpcLink } from '../../shared/rpc/link.ts';
import type { FeedListener, Input, NodeClient, Output, Procedure } from '../../shared/rpc/rpc.ts';
import { TOKEN_KEY } from './token.ts';

const FIRST_RETRY_MS = 250;
const LAST_RETRY_MS = 8_000;

export class WsClient implements NodeClient {
  readonly #origin: string;
  #token: string;
  readonly #onRefused: () => void;
  readonly #link = new RpcLink((frame) => this.#socket?.send(frame));
  #socket: WebSocket | null = null;
  #retryMs = FIRST_RETRY_MS;

  /** @param onRefused called when the node answers but does not take the token; then nothing is tried again */
  constructor(origin: string, token: string, onRefused: () => void) {
    this.#origin = origin;
    this.#token = token;
    this.#onRefused = onRefused;
    this.#connect();
  }

  async call<P extends Procedure>(procedure: P, input: Input<P>): Promise<Output<P>> {
    const output = await this.#link.call(procedure, input);
    // The node cuts this socket off after a renewal; the next one shows the new token.
    if (procedure === 'renewApiToken') {
      this.#token = (output as Output<'renewApiToken'>).token;
      sessionStorage.setItem(TOKEN_KEY, this.#token);
    }
    return output;
  }

  subscribe(listener: FeedListener): () => void {
    return this.#link.subscribe(listener);
  }

  onConnection(listener: (connected: boolean) => void): () => void {
    return this.#link.onConnection(listener);
  }

  #connect(): void {
    const url = new URL('/rpc', this.#origin);
    url.protocol = 'ws:';
    url.searchParams.set('token', this.#token);
    const socket = new WebSocket(url);
    this.#socket = socket;
    socket.onopen = () => {
      this.#retryMs = FIRST_RETRY_MS;
      this.#link.setConnected(true);
    };
    socket.onmessage = (event) => this.#link.receive(String(event.data));
    socket.onclose = () => void this.#onClose();
  }

  async #onClose(): Promise<void> {
    const wasConnected = this.#link.connected;
    this.#link.setConnected(false);
    // A browser does not say why a socket was refused; a node that serves pages refused the token.
    if (!wasConnected && (await answers(this.#origin))) return this.#onRefused();
    setTimeout(() => this.#connect(), this.#retryMs);
    this.#retryMs = Math.min(this.#retryMs * 2, LAST_RETRY_MS);
  }
}

async function answers(origin: string): Promise<boolean> {
  try {
    return (await fetch(origin, { method: 'HEAD', cache: 'no-store' })).ok;
  } catch {
    return false;
  }
}
