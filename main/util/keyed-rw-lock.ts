/** Turns at a thing, by its name: many at once, or one alone, who waits for those before and is waited for by those after. */
interface Turns {
  /** Turns at once that have not ended. */
  shared: number;
  /** Resolves when whoever is, or is about to be, alone has ended. */
  alone: Promise<void> | null;
  /** Called when the last of the shared ones has ended. */
  onIdle: () => void;
}

export class SharedTurns {
  readonly #turns = new Map<string, Turns>();

  async shared<T>(name: string, work: () => Promise<T>): Promise<T> {
    let turns = this.#of(name);
    for (; turns.alone; turns = this.#of(name)) await turns.alone;
    turns.shared += 1;
    try {
      return await work();
    } finally {
      turns.shared -= 1;
      if (turns.shared === 0) turns.onIdle();
      this.#forget(name, turns);
    }
  }

  /** `work` must take no turn at the same thing itself. */
  async alone<T>(name: string, work: () => Promise<T>): Promise<T> {
    let turns = this.#of(name);
    for (; turns.alone; turns = this.#of(name)) await turns.alone;
    const ended = Promise.withResolvers<void>();
    const idle = Promise.withResolvers<void>();
    turns.alone = ended.promise;
    turns.onIdle = idle.resolve;
    try {
      if (turns.shared > 0) await idle.promise;
      return await work();
    } finally {
      turns.alone = null;
      turns.onIdle = () => undefined;
      this.#forget(name, turns);
      ended.resolve();
    }
  }

  #of(name: string): Turns {
    const turns = this.#turns.get(name) ?? { shared: 0, alone: null, onIdle: () => undefined };
    this.#turns.set(name, turns);
    return turns;
  }

  #forget(name: string, turns: Turns): void {
    if (turns.shared === 0 && !turns.alone) this.#turns.delete(name);
  }
}
