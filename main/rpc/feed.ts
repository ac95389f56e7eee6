/**
 * One subscription to the node's feed, shared by all who listen, and the place where it is slowed down.
 *
 * Invariants: a subscriber first gets a snapshot; snapshots are made and told at most once per `SNAPSHOT_INTERVAL_MS`, and
 * the last state always arrives (trailing); rows of settlements are never held back or dropped, and the library comes
 * gathered (`service/contents-feed.ts`). While there is no subscriber, the node is not listened to either, so an unwatched
 * node makes no snapshots.
 */
import { type ErrorCode, isAceError } from '../../shared/errors.ts';
import type { FeedListener } from '../../shared/rpc/rpc.ts';
import { NO_LOG, type NodeFeedListener, type NodeService, type RpcLog } from './service.ts';

export const SNAPSHOT_INTERVAL_MS = 250;
const NO_SNAPSHOT_YET: readonly ErrorCode[] = [
  'ShardUnavailable',
  'WalletMissing',
  'WalletLocked',
  'NodeNotRunning',
];

export interface FeedHub {
  subscribe(listener: FeedListener): () => void;
  close(): void;
}

export function createFeedHub(service: NodeService, log: RpcLog = NO_LOG): FeedHub {
  return new Hub(service, log);
}

class Hub implements FeedHub {
  readonly #service: NodeService;
  readonly #log: RpcLog;
  readonly #listeners = new Set<FeedListener>();
  #unsubscribe: (() => void) | null = null;
  /** Something changed since the last snapshot. */
  #changed = false;
  /** Runs while snapshots are held back. */
  #timer: NodeJS.Timeout | null = null;

  constructor(service: NodeService, log: RpcLog) {
    this.#service = service;
    this.#log = log;
  }

  subscribe(listener: FeedListener): () => void {
    // A wrapper of its own, so that one function may subscribe twice.
    const entry: FeedListener = (topic, data) => listener(topic, data);
    this.#listeners.add(entry);
    this.#unsubscribe ??= this.#service.onFeed((topic, data) => this.#receive(topic, data));
    this.#service.snapshot({}).then(
      (snapshot) => {
        if (this.#listeners.has(entry)) entry('snapshot', snapshot);
      },
      (error: unknown) => this.#withoutSnapshot(error, entry),
    );
    return () => {
      this.#listeners.delete(entry);
      if (this.#listeners.size === 0) this.#stop();
    };
  }

  /** A node that waits for its wallet has none: the subscriber is told what it waits for. */
  async #withoutSnapshot(error: unknown, entry: FeedListener): Promise<void> {
    try {
      const state = await this.#service.walletState({});
      if (this.#listeners.has(entry)) entry('wallet', state);
      if (state.running) throw error;
    } catch (cause) {
      this.#log.error({ err: cause }, 'no first snapshot for a subscriber');
    }
  }

  close(): void {
    this.#listeners.clear();
    this.#stop();
  }

  readonly #receive: NodeFeedListener = (topic, data) => {
    // The compiler does not see that what is left is a topic of `Feed` with its own data.
    if (topic !== 'change') return this.#tell(topic, data as never);
    this.#changed = true;
    if (this.#timer === null) this.#flush();
  };

  #flush(): void {
    this.#timer = null;
    if (!this.#changed) return;
    this.#changed = false;
    this.#timer = setTimeout(() => this.#flush(), SNAPSHOT_INTERVAL_MS);
    this.#service.snapshot({}).then(
      (snapshot) => this.#tell('snapshot', snapshot),
      (error: unknown) => {
        // A node that does not know its account yet, or waits for its wallet, has no snapshot.
        if (isAceError(error) && NO_SNAPSHOT_YET.includes(error.code)) return;
        this.#log.error({ err: error }, 'no snapshot could be made');
      },
    );
  }

  #tell: FeedListener = (topic, data) => {
    for (const listener of [...this.#listeners]) listener(topic, data);
  };

  #stop(): void {
    this.#unsubscribe?.();
    this.#unsubscribe = null;
    this.#changed = false;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }
}
