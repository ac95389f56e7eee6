/**
 * One operation of the wallet, from its form to its answer: what it would do is asked first and shown, and only that is
 * then done. A quote that is changed, or has run out, is asked for anew.
 */
import { AceError } from '../../shared/errors.ts';
import type { OperationQuoteView, OperationResultView } from '../../shared/rpc/wallet.ts';
import type { ErrorWords } from '../format/error-words.ts';
import { LatestRequest } from './latest-request.svelte.ts';

export interface OperationCalls<Quote extends OperationQuoteView> {
  look(): Promise<Quote>;
  act(quote: Quote): Promise<OperationResultView>;
}

export class Operation<Quote extends OperationQuoteView> {
  readonly #look: LatestRequest<Quote>;
  readonly #act: LatestRequest<OperationResultView, [Quote]>;
  /** A quote ran out on the screen. */
  #ranOut = $state(false);
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(calls: OperationCalls<Quote>) {
    this.#look = new LatestRequest(() => calls.look());
    this.#act = new LatestRequest((quote) => calls.act(quote));
  }

  get quote(): Quote | null {
    return this.#look.data;
  }

  get result(): OperationResultView | null {
    return this.#act.data;
  }

  get busy(): 'looking' | 'acting' | null {
    if (this.#look.busy) return 'looking';
    return this.#act.busy ? 'acting' : null;
  }

  get failure(): ErrorWords | null {
    return this.#failed.error;
  }

  /** The input that the failure is about, where it is about one. */
  get wrongField(): string | null {
    const { thrown } = this.#failed;
    const field = thrown instanceof AceError ? thrown.details.field : undefined;
    return typeof field === 'string' ? field : null;
  }

  /** The wallet has to be unlocked first. */
  get locked(): boolean {
    return this.#failed.code === 'WalletLocked';
  }

  get expired(): boolean {
    return this.#ranOut || this.#failed.code === 'DeadlinePassed';
  }

  /** Something in the form is different: what was worked out is void. What is being done is done all the same. */
  changed(): void {
    this.#dropQuote();
    if (!this.#act.busy) this.#act.reset();
  }

  async look(): Promise<void> {
    this.changed();
    const quote = await this.#look.load();
    if (quote === null) return;
    this.#timer = setTimeout(
      () => {
        this.#dropQuote();
        this.#ranOut = true;
      },
      Math.max(0, quote.expiresAtMs - Date.now()),
    );
  }

  /** Answers whether it was done. */
  async act(): Promise<boolean> {
    const { quote } = this;
    if (quote === null || this.busy !== null) return false;
    clearTimeout(this.#timer);
    const done = (await this.#act.load(quote)) !== null;
    // Once the wallet is open the same quote can be acted on, as long as it holds.
    if (!this.locked) this.#dropQuote();
    return done;
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  get #failed(): LatestRequest<Quote> | LatestRequest<OperationResultView, [Quote]> {
    return this.#look.thrown === null ? this.#act : this.#look;
  }

  #dropQuote(): void {
    clearTimeout(this.#timer);
    this.#ranOut = false;
    this.#look.reset();
  }
}
