/**
 * The calling side of the WebSocket frames, for any socket: which calls are open, who listens, whether it is up. The
 * page and the command line put their own kind of socket under it.
 */
import { AceError } from '../errors.ts';
import type {
  ClientFrame,
  FeedListener,
  FeedMessage,
  FeedTopic,
  Input,
  NodeClient,
  NodeSnapshot,
  Output,
  Procedure,
  ServerFrame,
} from './rpc.ts';

interface OpenCall {
  readonly resolve: (output: never) => void;
  readonly reject: (error: AceError) => void;
}

/** What the other end sends, with the data that belongs to a topic. */
type ReceivedFrame = Exclude<ServerFrame, { readonly topic: FeedTopic }> | FeedMessage;

export class RpcLink implements NodeClient {
  readonly #send: (frame: string) => void;
  readonly #calls = new Map<number, OpenCall>();
  readonly #feedListeners = new Set<FeedListener>();
  readonly #connectionListeners = new Set<(connected: boolean) => void>();
  #connected = false;
  #nextId = 1;
  #lastSnapshot: NodeSnapshot | null = null;

  /** @param send puts one frame on the socket; called only while connected */
  constructor(send: (frame: string) => void) {
    this.#send = send;
  }

  /** @throws AceError `NodeNotRunning` while not connected, or the node's own code */
  call<P extends Procedure>(procedure: P, input: Input<P>): Promise<Output<P>> {
    return new Promise<Output<P>>((resolve, reject) => {
      if (!this.#connected) return reject(notConnected());
      const id = this.#nextId++;
      this.#calls.set(id, { resolve, reject });
      const frame: ClientFrame = { id, procedure, input };
      this.#send(JSON.stringify(frame));
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
    listener(this.#connected);
    return () => this.#connectionListeners.delete(listener);
  }

  get connected(): boolean {
    return this.#connected;
  }

  /** The socket opened or closed. Closing fails every open call. */
  setConnected(connected: boolean): void {
    if (!connected) {
      for (const call of this.#calls.values()) call.reject(notConnected());
      this.#calls.clear();
    }
    if (connected === this.#connected) return;
    this.#connected = connected;
    for (const listener of [...this.#connectionListeners]) listener(connected);
  }

  /** A frame from the node, as text. */
  receive(text: string): void {
    const frame = JSON.parse(text) as ReceivedFrame;
    if ('topic' in frame) {
      if (frame.topic === 'snapshot') this.#lastSnapshot = frame.data;
      for (const listener of [...this.#feedListeners]) listener(frame.topic, frame.data);
      return;
    }
    const call = this.#calls.get(frame.id);
    this.#calls.delete(frame.id);
    if ('output' in frame) call?.resolve(frame.output as never);
    else {
      const { code, message, details } = frame.error;
      call?.reject(new AceError(code, message, { details: details ?? {} }));
    }
  }
}

function notConnected(): AceError {
  return new AceError('NodeNotRunning', 'The node does not answer');
}
