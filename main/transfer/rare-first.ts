/** Has a download take first what the fewest providers have; two viewers do not take the same pieces first. */
import type { Demand } from './demand.ts';
import type { TransferProviders } from './providers.ts';

/** Which pieces are rare is worked out anew after a millisecond for so many pieces: it takes a small part of that. */
const RARE_PIECES_PER_MS = 16;

export class RareFirst {
  readonly #contentId: string;
  readonly #count: number;
  readonly #salt = Math.floor(Math.random() * 2 ** 31);
  /** How often a provider reported what it has. */
  #haves = 0;
  #workedOutAtMs = Number.NEGATIVE_INFINITY;

  /** @param count pieces of the content */
  constructor(contentId: string, count: number) {
    this.#contentId = contentId;
    this.#count = count;
  }

  /** A provider came or went, or reported what it has. */
  changed(): void {
    this.#haves += 1;
  }

  apply(demand: Demand, providers: TransferProviders): void {
    if (!demand.wantsAll || providers.partial().length === 0) {
      demand.preferRare('', null, this.#salt);
      return;
    }
    const nowMs = performance.now();
    if (nowMs - this.#workedOutAtMs < this.#count / RARE_PIECES_PER_MS) return;
    this.#workedOutAtMs = nowMs;
    const { live } = providers;
    const holders = (index: number) =>
      live.filter(({ stream }) => stream?.has(this.#contentId, index)).length;
    demand.preferRare(String(this.#haves), holders, this.#salt);
  }
}
