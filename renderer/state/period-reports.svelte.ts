/** Figures of a time that is chosen: asked for when they are looked at, and again when they are others by now. */
import type { ErrorWords } from '../format/error-words.ts';
import { LatestRequest } from './latest-request.svelte.ts';

export class PeriodReports<Period, Report> {
  readonly #request: LatestRequest<Report>;
  readonly #againMs: number;
  period = $state() as Period;
  #askedAtMs = 0;

  /** @param againMs no sooner are they asked for again by themselves */
  constructor(first: Period, againMs: number, ask: (period: Period) => Promise<Report>) {
    this.period = first;
    this.#againMs = againMs;
    this.#request = new LatestRequest(() => ask(this.period));
  }

  get report(): Report | null {
    return this.#request.data;
  }

  get error(): ErrorWords | null {
    return this.#request.error;
  }

  async load(): Promise<void> {
    this.#askedAtMs = Date.now();
    await this.#request.refresh();
  }

  /** They were asked for long enough ago. */
  protected get isOld(): boolean {
    return Date.now() - this.#askedAtMs >= this.#againMs;
  }
}
