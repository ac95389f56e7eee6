/** Whether a provider that owes something gets on with it: on the clock that nobody sets. */
import { AceError } from '../../shared/errors.ts';

/** A piece may take so many times the longest pause: 1 MiB in a minute. */
const SLOWEST_PIECE = 3;

export class ProgressWatch {
  /** Longest pause without progress, in milliseconds. */
  readonly #pauseMs: number;
  #progressAtMs = performance.now();
  /** When the piece under way began; `null` between pieces. */
  #pieceSinceMs: number | null = null;

  constructor(pauseMs: number) {
    this.#pauseMs = pauseMs;
  }

  /** An answer, or a part of one. Words that lead nowhere are none. */
  progress(): void {
    this.#progressAtMs = performance.now();
  }

  pieceBegan(): void {
    this.progress();
    this.#pieceSinceMs = this.#progressAtMs;
  }

  pieceEnded(): void {
    this.#pieceSinceMs = null;
  }

  /** Since the last progress, in milliseconds. Before anything was owed it means nothing. */
  get silentMs(): number {
    return performance.now() - this.#progressAtMs;
  }

  /** What is wrong now; `null` when nothing is, or when the provider owes nothing. */
  trouble(owes: boolean): AceError | null {
    const nowMs = performance.now();
    if (!owes) this.#progressAtMs = nowMs;
    if (nowMs - this.#progressAtMs > this.#pauseMs) {
      return new AceError('RequestTimeout', `The provider did not get on for ${this.#pauseMs} ms`);
    }
    if (owes && this.#pieceSinceMs !== null && nowMs - this.#pieceSinceMs > SLOWEST_PIECE * this.#pauseMs) {
      return new AceError('RequestTimeout', 'The provider is too slow for a piece');
    }
    return null;
  }
}
