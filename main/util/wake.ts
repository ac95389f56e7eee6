/** Lets a loop rest until somebody wakes it, or for so long. Who wakes it while it does not rest wakes nobody. */
export class Wake {
  #wake: () => void = () => undefined;

  /** Ends the rest that is under way, if there is one. */
  readonly now = (): void => this.#wake();

  rest(timeoutMs?: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = timeoutMs === undefined ? undefined : setTimeout(resolve, timeoutMs);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
