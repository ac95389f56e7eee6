/** Who wants to hear when an account changes: streams of nodes, each for a few accounts. */
import { AceError } from '../../../../shared/errors.ts';
import type { FrameStream } from '../../frames.ts';
import { sendEvent } from '../../requests.ts';

const MAX_WATCHED_ACCOUNTS = 16;

export class AccountWatchers {
  readonly #streams = new Map<string, Set<FrameStream>>();
  readonly #watched = new Map<FrameStream, Set<string>>();
  readonly #onError: (error: unknown) => void;

  constructor(onError: (error: unknown) => void) {
    this.#onError = onError;
  }

  /** @throws AceError `TooManyRequests` */
  watch(account: string, stream: FrameStream): void {
    const watched = this.#watched.get(stream) ?? new Set();
    if (watched.size >= MAX_WATCHED_ACCOUNTS && !watched.has(account)) {
      throw new AceError('TooManyRequests', `One stream watches ${MAX_WATCHED_ACCOUNTS} accounts at most`);
    }
    this.#watched.set(stream, watched.add(account));
    this.#streams.set(account, (this.#streams.get(account) ?? new Set()).add(stream));
  }

  /** The stream has ended. */
  leave(stream: FrameStream): void {
    for (const account of this.#watched.get(stream) ?? []) {
      const streams = this.#streams.get(account);
      streams?.delete(stream);
      if (streams?.size === 0) this.#streams.delete(account);
    }
    this.#watched.delete(stream);
  }

  notify(accounts: Iterable<string>): void {
    for (const account of accounts) {
      for (const stream of this.#streams.get(account) ?? []) {
        try {
          sendEvent(stream, 'account', { account });
        } catch (error) {
          this.#onError(error);
        }
      }
    }
  }
}
