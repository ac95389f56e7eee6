/**
 * The node over a WebSocket, for pages in a browser. It connects again by itself, ever more patiently; the node sends
 * a fresh snapshot to every new connection, so the page is right again at once.
 */
import { AceError } from '../../shared/errors.ts';
import type {
  Feed,
  FeedTopic,
  Input,
  NodeClient,
  NodeSnapshot,
  Output,
  Procedure,
  ServerFrame,
} from '../../shared/rpc.ts';

const FIRST_RETRY_MS = 250;
const LAST_RETRY_MS = 8_000;
const TOKEN_KEY = 'ace-node-token';

type FeedListener = <T extends FeedTopic>(topic: T, data: Feed[T]) => void;

interface OpenCall {
  readonly resolve: (output: never) => void;
  readonly reject: (error: AceError) => void;
}

/**
 * Takes the token out of the address, where it would stay in the history and in what people copy, and keeps it for as
 * long as the tab lives.
 */
export function takeToken(location: Location, history: History, storage: Storage): string | null {
  const given = new URLSearchParams(location.hash.slice(1)).get('token');
  if (given === null) return storage.getItem(TOKEN_KEY);
  storage.setItem(TOKEN_KEY, given);
  history.replaceState(null, '', location.pathname + location.search);
  return given;
}

export class WsClient implements NodeClient {
  readonly #origin: string;
  readonly #token: string;
  readonly #onRefused: () => void;
  readonly #calls = new Map<number, OpenCall>();
  readonly #feedListeners = new Set<FeedListener>();
  readonly #connectionListeners = new Set<(connected: boolean) => void>();
  #socket: WebSocket | null = null;
  #connected = false;
  #nextId = 1;
  #retryMs = FIRST_RETRY_MS;
  #lastSnapshot: NodeSnapshot | null = null;

  /** @param onRefused called when the node answers but does not take the token; then nothing is tried again */
  constructor(origin: string, token: string, onRefused: () => void) {
    this.#origin = origin;
    this.#token = token;
    this.#onRefused = onRefused;
    this.#connect();
  }

  call<P extends Procedure>(procedure: P, input: Input<P>): Promise<Output<P>> {
    return new Promise<Output<P>>((resolve, reject) => {
      if (!this.#connected || this.#socket === null) return reject(notConnected());
      const id = this.#nextId++;
      this.#calls.set(id, { resolve, reject });
      this.#socket.send(JSON.stringify({ id, procedure, input }));
    });
  }

  subscribe(listener: FeedListener): () => void {
    const entry: FeedListener = (topic, data) => listener(topic, data);
    this.#feedListeners.add(entry);
    if (this.#lastSnapshot) entry('snapshot', this.#lastSnapshot);
    return () => this.#feedListeners.delete(entry);
  }

  onConnection(listener: (connected: boolean) => void): () => void {
    this.#connectionListeners.add(listener);
    listener(this.#connected);
    return () => this.#connectionListeners.delete(listener);
  }

  #connect(): void {
    const url = new URL('/rpc', this.#origin);
    url.protocol = 'ws:';
    url.searchParams.set('token', this.#token);
    const socket = new WebSocket(url);
    this.#socket = socket;
    socket.onopen = () => {
      this.#retryMs = FIRST_RETRY_MS;
      this.#setConnected(true);
    };
    socket.onmessage = (event) => this.#onFrame(JSON.parse(String(event.data)) as ServerFrame);
    socket.onclose = () => void this.#onClose();
  }

  async #onClose(): Promise<void> {
    const wasConnected = this.#connected;
    for (const call of this.#calls.values()) call.reject(notConnected());
    this.#calls.clear();
    this.#setConnected(false);
    // A browser does not tell why a socket was refused; a node that serves pages refused the token.
    if (!wasConnected && (await answers(this.#origin))) return this.#onRefused();
    setTimeout(() => this.#connect(), this.#retryMs);
    this.#retryMs = Math.min(this.#retryMs * 2, LAST_RETRY_MS);
  }

  #setConnected(connected: boolean): void {
    if (connected === this.#connected) return;
    this.#connected = connected;
    for (const listener of [...this.#connectionListeners]) listener(connected);
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
}

async function answers(origin: string): Promise<boolean> {
  try {
    return (await fetch(origin, { method: 'HEAD', cache: 'no-store' })).ok;
  } catch {
    return false;
  }
}

function notConnected(): AceError {
  return new AceError('NodeNotRunning', 'The node does not answer');
}
