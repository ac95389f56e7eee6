/**
 * What the user's limits allow one transfer to ask for: permits are asked for ahead of the requests, as many as the
 * providers could take now, so that a request which has been given to a provider never waits for a limit.
 */
import { AceError } from '../../shared/errors.ts';
import type { DownloadBudget, Permit } from '../limits/download-budget.ts';

export interface PermitsContext {
  readonly budget: Pick<DownloadBudget, 'mayRequest'>;
  readonly contentId: string;
  /** Bytes of the largest piece. */
  readonly pieceBytes: number;
  /** A permit was given, or will not be. */
  readonly onChange: () => void;
}

/** Asked for at once. */
const MAX_ASKED = 64;
/** What stands in the way lasts until the user does something, or the clock: it is asked about this often. */
const RETRY_MS = 2_000;

export class Permits {
  readonly #context: PermitsContext;
  readonly #free: Permit[] = [];
  /** Ends the waits. */
  #waiting = new AbortController();
  #asked = 0;
  #trouble: { readonly error: AceError; readonly untilMs: number } | null = null;

  constructor(context: PermitsContext) {
    this.#context = context;
  }

  /** Given and not used yet. */
  get count(): number {
    return this.#free.length;
  }

  /** Why there is none: `TrafficStopped`, `CacheFull` or `StoreFailed`. */
  get trouble(): AceError | null {
    return this.#trouble?.error ?? null;
  }

  /** Sees to it that there will be so many. */
  want(count: number, urgent: boolean): void {
    if (this.#trouble && performance.now() < this.#trouble.untilMs) return;
    while (this.#asked < MAX_ASKED && this.#free.length + this.#asked < count) void this.#ask(urgent);
  }

  take(): Permit | null {
    return this.#free.pop() ?? null;
  }

  /** Nothing is wanted: others may have them. */
  giveBack(): void {
    for (const permit of this.#free.splice(0)) permit.done(0);
    if (this.#asked === 0) return;
    this.#waiting.abort();
    this.#waiting = new AbortController();
  }

  /** What stood in the way may be gone. */
  retry(): void {
    this.#trouble = null;
  }

  async #ask(urgent: boolean): Promise<void> {
    const { budget, contentId, pieceBytes, onChange } = this.#context;
    const { signal } = this.#waiting;
    this.#asked += 1;
    try {
      const permit = await budget.mayRequest({ contentId, bytes: pieceBytes, urgent }, signal);
      this.#trouble = null;
      if (signal.aborted) permit.done(0);
      else this.#free.push(permit);
    } catch (error) {
      if (signal.aborted) return;
      const known =
        error instanceof AceError
          ? error
          : new AceError('Internal', 'Something went wrong', { cause: error });
      this.#trouble = { error: known, untilMs: performance.now() + RETRY_MS };
    } finally {
      this.#asked -= 1;
      onChange();
    }
  }
}
