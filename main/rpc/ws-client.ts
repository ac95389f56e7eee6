/** The same procedures for a Node.js process: the command line drives a running node through this. */
import { WebSocket } from 'ws';
import { AceError } from '../../shared/errors.ts';
import type {
  Feed,
  Input,
  NodeClient,
  NodeSnapshot,
  Output,
  Procedure,
  ServerFrame,
} from '../../shared/rpc.ts';
import type { FeedListener } from './service.ts';

/** Largest answer taken: a page of settlements is far below it. */
const MAX_ANSWER_BYTES = 64 * 1_048_576;
const HANDSHAKE_TIMEOUT_MS = 5_000;

export interface WsClient extends NodeClient {
  close(): Promise<void>;
}

/**
 * Connects once; it does not reconnect by itself, since a command should end with its node.
 * @param url address of the node's pages, such as `http://127.0.0.1:6878/`
 * @throws AceError `NodeNotRunning` when nobody answers there or the token is refused
 */
export async function connect(url: string, token: string): Promise<WsClient> {
  const target = new URL('/rpc', url);
  target.protocol = 'ws:';
  target.searchParams.set('token', token);
  const ws = new WebSocket(target, {
    handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
    maxPayload: MAX_ANSWER_BYTES,
    perMessageDeflate: false,
  });
  await new Promise<void>((resolve, reject) => {
    ws.once('open', resolve);
    ws.once('error', (cause) => {
      reject(
        new AceError('NodeNotRunning', `No node answers at ${target.origin.replace('ws:', 'http:')}`, {
          cause,
        }),
      );
    });
  });
  return new Client(ws);
}

interface OpenCall {
  readonly resolve: (output: never) => void;
  readonly reject: (error: AceError) => void;
}

class Client implements WsClient {
  readonly #ws: WebSocket;
  readonly #calls = new Map<number, OpenCall>();
  readonly #feedListeners = new Set<FeedListener>();
  readonly #connectionListeners = new Set<(connected: boolean) => void>();
  #nextId = 1;
  #lastSnapshot: NodeSnapshot | null = null;

  constructor(ws: WebSocket) {
    this.#ws = ws;
    ws.on('message', (data) => this.#onFrame(JSON.parse(data.toString()) as ServerFrame));
    // The close that follows an error tells the callers.
    ws.on('error', () => {});
    ws.once('close', () => this.#onClose());
  }

  call<P extends Procedure>(procedure: P, input: Input<P>): Promise<Output<P>> {
    return new Promise<Output<P>>((resolve, reject) => {
      if (this.#ws.readyState !== WebSocket.OPEN) return reject(connectionLost());
      const id = this.#nextId++;
      this.#calls.set(id, { resolve, reject });
      this.#ws.send(JSON.stringify({ id, procedure, input }));
    });
  }

  subscribe(listener: FeedListener): () => void {
    const entry: FeedListener = (topic, data) => listener(topic, data);
    this.#feedListeners.add(entry);
    // Otherwise the first snapshot is still on its way: the node sends one to every connection.
    if (this.#lastSnapshot) entry('snapshot', this.#lastSnapshot);
    return () => this.#feedListeners.delete(entry);
  }

  onConnection(listener: (connected: boolean) => void): () => void {
    this.#connectionListeners.add(listener);
    listener(this.#ws.readyState === WebSocket.OPEN);
    return () => this.#connectionListeners.delete(listener);
  }

  async close(): Promise<void> {
    if (this.#ws.readyState === WebSocket.CLOSED) return;
    const closed = new Promise<void>((resolve) => this.#ws.once('close', () => resolve()));
    this.#ws.close();
    await closed;
  }

  #onFrame(frame: ServerFrame): void {
    if ('topic' in frame) {
      if (frame.topic === 'snapshot') this.#lastSnapshot = frame.data as NodeSnapshot;
      for (const listener of [...this.#feedListeners])
        listener(frame.topic, frame.data as Feed[typeof frame.topic]);
      return;
    }
    const call = this.#calls.get(frame.id);
    this.#calls.delete(frame.id);
    if ('output' in frame) call?.resolve(frame.output as never);
    else
      call?.reject(
        new AceError(frame.error.code, frame.error.message, { details: frame.error.details ?? {} }),
      );
  }

  #onClose(): void {
    for (const call of this.#calls.values()) call.reject(connectionLost());
    this.#calls.clear();
    for (const listener of [...this.#connectionListeners]) listener(false);
  }
}

function connectionLost(): AceError {
  return new AceError('NodeNotRunning', 'The connection to the node was lost');
}
