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
  readonly #send: () => void;
  readonly #log: Log;
  /** Runs while what changes is gathered. */
  #timer: NodeJS.Timeout | null = null;
  /** Something changed since it was sent. */
  #changed = false;

  constructor(send: () => void, log: Log) {
    this.#send = send;
    this.#log = log;
  }

  readonly note = (): void => {
    this.#changed = true;
    if (this.#timer === null) this.#flush();
  };

  close(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  #flush(): void {
    this.#timer = null;
    if (!this.#changed) return;
    this.#changed = false;
    const beganMs = performance.now();
    try {
      this.#send();
    } catch (error) {
      this.#log.error(
        { err: error },
        'the library could not be read for the pages; its next change tries again',
      );
    }
    const tookMs = performance.now() - beganMs;
    this.#timer = setTimeout(() => this.#flush(), Math.max(GATHER_MS, REST * tookMs));
  }
}
