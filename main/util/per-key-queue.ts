/**
 * One task at a time for each peer, whatever it asks for at once over however many streams: in a queue that all share,
 * a peer then stands once, and the others wait for one task of its and not for hundreds.
 */
export class PerKeyQueue {
  readonly #last = new Map<string, Promise<unknown>>();

  /** Peers that have a task. */
  get size(): number {
    return this.#last.size;
  }

  /** Runs the peer's tasks one after another, in the order of the calls. A failed task does not stop the next. */
  run<T>(peerId: string, task: () => Promise<T>): Promise<T> {
    const run = (this.#last.get(peerId) ?? Promise.resolve()).then(task);
    const ended = run
      .catch(() => undefined)
      .then(() => {
        if (this.#last.get(peerId) === ended) this.#last.delete(peerId);
      });
    this.#last.set(peerId, ended);
    return run;
  }
}
