/** Who waits for which piece. A waiter that is released checks for itself whether the piece is there. */
export class AwaitedPieces {
  readonly #waiters = new Map<number, (() => void)[]>();

  /** Resolves when the piece arrives, when `signal` aborts, or when all are released. */
  next(pieceIndex: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      this.#waiters.set(pieceIndex, [...(this.#waiters.get(pieceIndex) ?? []), resolve]);
      signal.addEventListener('abort', () => resolve(), { once: true });
    });
  }

  arrived(pieceIndex: number): void {
    const waiters = this.#waiters.get(pieceIndex) ?? [];
    this.#waiters.delete(pieceIndex);
    for (const resolve of waiters) resolve();
  }

  release(): void {
    for (const pieceIndex of [...this.#waiters.keys()]) this.arrived(pieceIndex);
  }
}
