/** Everything that a node reports of itself, from wherever it happens, to those who listen (`FeedHub` slows it down). */
import type { NodeFeedListener } from '../rpc/service.ts';

export class ServiceFeed {
  readonly #listeners = new Set<NodeFeedListener>();

  /** Work that only listeners need is left undone where there are none. */
  get isHeard(): boolean {
    return this.#listeners.size > 0;
  }

  readonly subscribe = (listener: NodeFeedListener): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  readonly send: NodeFeedListener = (topic, data) => {
    for (const listener of this.#listeners) listener(topic, data);
  };
}
