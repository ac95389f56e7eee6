/** The node in the same desktop app, through what the preload exposes. */
import { AceError } from '../../shared/errors.ts';
import {
  type FeedListener,
  feedListener,
  type Input,
  type NodeClient,
  type NodeSnapshot,
  type Output,
  type Procedure,
  type RpcFailure,
} from '../../shared/rpc/rpc.ts';

export interface AceNodeBridge {
  call(procedure: string, input: unknown): Promise<unknown>;
  onFeed(listener: FeedListener): () => void;
  /** Where a dropped or chosen file lies. */
  pathOf(file: File): string;
}

declare global {
  interface Window {
    /** There in the desktop window only. */
    readonly aceNode?: AceNodeBridge;
  }
}

export class IpcClient implements NodeClient {
  readonly #bridge: AceNodeBridge;
  readonly #listeners = new Set<FeedListener>();
  #lastSnapshot: NodeSnapshot | null = null;

  constructor(bridge: AceNodeBridge) {
    this.#bridge = bridge;
    this.#listeners.add(
      feedListener({
        snapshot: (snapshot) => {
          this.#lastSnapshot = snapshot;
        },
      }),
    );
    bridge.onFeed((topic, data) => {
      for (const listener of [...this.#listeners]) listener(topic, data);
    });
  }

  async call<P extends Procedure>(procedure: P, input: Input<P>): Promise<Output<P>> {
    // Errors lose their fields on the way through Electron, so failures come as values.
    const reply = (await this.#bridge.call(procedure, input)) as
      | { output: Output<P> }
      | { error: RpcFailure };
    if ('output' in reply) return reply.output;
    throw new AceError(reply.error.code, reply.error.message, { details: reply.error.details ?? {} });
  }

  subscribe(listener: FeedListener): () => void {
    const entry: FeedListener = (topic, data) => listener(topic, data);
    this.#listeners.add(entry);
    if (this.#lastSnapshot) entry('snapshot', this.#lastSnapshot);
    return () => this.#listeners.delete(entry);
  }

  /** The window lives and dies with the node. */
  onConnection(listener: (connected: boolean) => void): () => void {
    listener(true);
    return () => {};
  }
}
