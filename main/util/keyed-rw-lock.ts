/**
 * Locks by name: many tasks may hold one together, or one task alone. A task that wants to be alone waits for those that
 * hold the lock, and all that come later wait for it.
 */
interface Lock {
  /** Tasks that hold it together. */
  shared: number;
  /** Resolves when the task that is alone, or waits to be, has ended. */
  exclusive: Promise<void> | null;
  /** Called when the last of the shared tasks has ended. */
  onIdle: (() => void) | null;
}

export class KeyedRwLock {
  readonly #locks = new Map<string, Lock>();

  async shared<T>(name: string, work: () => Promise<T>): Promise<T> {
    let lock = this.#of(name);
    for (; lock.exclusive; lock = this.#of(name)) await lock.exclusive;
    lock.shared += 1;
    try {
      return await work();
    } finally {
      lock.shared -= 1;
      if (lock.shared === 0) lock.onIdle?.();
      this.#forget(name, lock);
    }
  }

  /** `work` must not ask for the same lock itself: it would wait for its own end. */
  async exclusive<T>(name: string, work: () => Promise<T>): Promise<T> {
    let lock = this.#of(name);
    for (; lock.exclusive; lock = this.#of(name)) await lock.exclusive;
    const ended = Promise.withResolvers<void>();
    const idle = Promise.withResolvers<void>();
    lock.exclusive = ended.promise;
    lock.onIdle = idle.resolve;
    try {
      if (lock.shared > 0) await idle.promise;
      return await work();
    } finally {
      lock.exclusive = null;
      lock.onIdle = null;
      this.#forget(name, lock);
      ended.resolve();
    }
  }

  #of(name: string): Lock {
    const lock = this.#locks.get(name) ?? { shared: 0, exclusive: null, onIdle: null };
    this.#locks.set(name, lock);
    return lock;
  }

  #forget(name: string, lock: Lock): void {
    if (lock.shared === 0 && !lock.exclusive) this.#locks.delete(name);
  }
}
