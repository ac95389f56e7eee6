/**
 * One operation of the wallet, from its form to its answer: what it would do is asked first and shown, and only that is
 * then done. A quote that is changed, or has run out, is asked for anew.
 */
import { AceError } from '../../shared/errors.ts';
import type { OperationQuoteView, OperationResultView } from '../../shared/rpc/wallet.ts';
import { type ErrorWords, errorWords } from '../format/error-words.ts';

export interface OperationCalls<Quote extends OperationQuoteView> {
  look(): Promise<Quote>;
  act(quote: Quote): Promise<OperationResultView>;
}

export class Operation<Quote extends OperationQuoteView> {
  readonly #calls: OperationCalls<Quote>;
  quote = $state.raw<Quote | null>(null);
  result = $state.raw<OperationResultView | null>(null);
  busy = $state<'looking' | 'acting' | null>(null);
  failure = $state.raw<ErrorWords | null>(null);
  /** The input that the failure is about, where it is about one. */
  wrongField = $state<string | null>(null);
  /** The wallet has to be unlocked first. */
  locked = $state(false);
  expired = $state(false);
  /** Answers to what was asked before a change count no more. */
  #asked = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(calls: OperationCalls<Quote>) {
    this.#calls = calls;
  }

  /** Something in the form is different: what was worked out is void. */
  changed(): void {
    this.#asked += 1;
    this.#clear();
    this.result = null;
    this.busy = null;
  }

  async look(): Promise<void> {
    this.changed();
    const asked = this.#asked;
    this.busy = 'looking';
    try {
      const quote = await this.#calls.look();
      if (asked !== this.#asked) return;
      this.quote = quote;
      this.#timer = setTimeout(
        () => {
          this.quote = null;
          this.expired = true;
        },
        Math.max(0, quote.expiresAtMs - Date.now()),
      );
    } catch (error) {
      if (asked === this.#asked) this.#fail(error);
    } finally {
      if (asked === this.#asked) this.busy = null;
    }
  }

  /** Answers whether it was done. */
  async act(): Promise<boolean> {
    const { quote } = this;
    if (quote === null || this.busy !== null) return false;
    const asked = this.#asked;
    this.busy = 'acting';
    clearTimeout(this.#timer);
    try {
      const result = await this.#calls.act(quote);
      if (asked === this.#asked) this.#clear();
      this.result = result;
      return true;
    } catch (error) {
      this.#fail(error);
      // Once the wallet is open the same quote can be acted on, as long as it holds.
      if (this.locked) this.quote = quote;
      return false;
    } finally {
      if (asked === this.#asked) this.busy = null;
    }
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  #fail(error: unknown): void {
    this.#clear();
    this.failure = errorWords(error);
    this.locked = error instanceof AceError && error.code === 'WalletLocked';
    this.expired = error instanceof AceError && error.code === 'DeadlinePassed';
    const field = error instanceof AceError ? error.details.field : undefined;
    this.wrongField = typeof field === 'string' ? field : null;
  }

  #clear(): void {
    clearTimeout(this.#timer);
    this.quote = null;
    this.failure = null;
    this.wrongField = null;
    this.locked = false;
    this.expired = false;
  }
}
