/** Lets loops wait until something is notified. Nothing is remembered: a notification reaches those that wait now. */
export class Signal {
  readonly #waiters = new Set<() => void>();

  /** Ends every wait that is under way. */
  readonly notify = (): void => {
    for (const end of [...this.#waiters]) end();
  };

  /** Resolves at the next notification, or after so long. */
  wait(timeoutMs?: number): Promise<void> {
    return new Promise((resolve) => {
      const end = () => {
        clearTimeout(timer);
        this.#waiters.delete(end);
        resolve();
      };
      const timer = timeoutMs === undefined ? undefined : setTimeout(end, timeoutMs);
      this.#waiters.add(end);
    });
  }
}
