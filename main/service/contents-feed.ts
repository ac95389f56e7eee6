/**
 * When the library is sent to those who show it. It is all of it each time, two megabytes for 5,000 titles, so work on many
 * titles is gathered: the first change is sent at once, and the last state always arrives.
 */

import type { Log } from '../process/log.ts';

/** What changes meanwhile is sent together. */
const GATHER_MS = 500;
/** A large library takes long to be read: between two times the node does other work for this many times as long. */
const REST = 4;

export class ContentsFeed {
  readonly #send: () => Promise<void>;
  readonly #log: Log;
  /** Runs while what changes is gathered. */
  #timer: NodeJS.Timeout | null = null;
  /** Something changed since it was read. */
  #changed = false;
  /** It is being read. */
  #busy = false;
  #closed = false;

  /** @param send reads the library in parts, and sends it */
  constructor(send: () => Promise<void>, log: Log) {
    this.#send = send;
    this.#log = log;
  }

  readonly note = (): void => {
    this.#changed = true;
    if (this.#timer === null && !this.#busy) void this.#flush();
  };

  close(): void {
    this.#closed = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  async #flush(): Promise<void> {
    this.#timer = null;
    if (!this.#changed || this.#closed) return;
    this.#busy = true;
    this.#changed = false;
    const beganMs = performance.now();
    try {
      await this.#send();
    } catch (error) {
      if (this.#closed) return; // its books are closed, too
      this.#log.error(
        { err: error },
        'the library could not be read for the pages; its next change tries again',
      );
    }
    const tookMs = performance.now() - beganMs;
    this.#busy = false;
    if (this.#closed) return;
    this.#timer = setTimeout(() => void this.#flush(), Math.max(GATHER_MS, REST * tookMs));
  }
}
