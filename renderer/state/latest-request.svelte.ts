/**
 * One question to the node and what became of it: the answer, the failure, or that it is still open. Asked anew before
 * it was answered, only the latest asking counts: an answer that comes too late changes nothing.
 */
import { AceError, type ErrorCode } from '../../shared/errors.ts';
import { type ErrorWords, errorWords } from '../format/error-words.ts';

export class LatestRequest<Data, Args extends readonly unknown[] = []> {
  readonly #ask: (...args: Args) => Promise<Data>;
  readonly #words: (error: unknown) => ErrorWords;
  /** The latest answer; `null` before the first. It stays while the question is asked again. */
  data = $state.raw<Data | null>(null);
  /** What the latest asking failed with; `null` when it did not. */
  thrown = $state.raw<unknown>(null);
  busy = $state(false);
  /** How often it was asked or reset. */
  asked = 0;

  constructor(ask: (...args: Args) => Promise<Data>, words: (error: unknown) => ErrorWords = errorWords) {
    this.#ask = ask;
    this.#words = words;
  }

  /** Why it failed, in words. */
  get error(): ErrorWords | null {
    return this.thrown === null ? null : this.#words(this.thrown);
  }

  /** The node's own code of the failure. */
  get code(): ErrorCode | null {
    return this.thrown instanceof AceError ? this.thrown.code : null;
  }

  /** Asks, and puts away what went wrong before. Returns the answer; `null` when it failed or came too late. */
  load(...args: Args): Promise<Data | null> {
    this.thrown = null;
    return this.refresh(...args);
  }

  /** The same, but a failure stays on the screen until there is an answer: for what is asked by itself now and then. */
  async refresh(...args: Args): Promise<Data | null> {
    this.asked += 1;
    const { asked } = this;
    this.busy = true;
    try {
      const data = await this.#ask(...args);
      if (asked !== this.asked) return null;
      this.data = data;
      this.thrown = null;
      return data;
    } catch (error) {
      if (asked === this.asked) this.thrown = error;
      return null;
    } finally {
      if (asked === this.asked) this.busy = false;
    }
  }

  /** Takes over what the feed brought. It comes over the connection of the answers, so it is the newest there is. */
  set(data: Data): void {
    this.data = data;
    this.thrown = null;
  }

  /** Forgets answer and failure; what is still open counts no more. */
  reset(): void {
    this.asked += 1;
    this.data = null;
    this.thrown = null;
    this.busy = false;
  }
}
