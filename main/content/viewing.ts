/**
 * How long a content has been watched. Players read ahead, minutes within a second, and say nothing afterwards: what
 * they have taken is watched as time passes, and no longer than it plays. Bytes that are read again, as after a jump
 * back, add nothing, so a content is never watched for longer than it lasts.
 */
export class Viewing {
  readonly #nowMs: () => number;
  readonly #taken = new ByteRanges();
  /** Play that was taken and cannot have been watched yet. */
  #aheadMs = 0;
  /** Watched, and not reported by a checkpoint yet. */
  #watchedMs = 0;
  /** Up to when the two are worked out. */
  #atMs: number;

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
    this.#atMs = nowMs();
  }

  /** A player has taken the bytes from `start` to before `end`. */
  take(start: number, end: number, playMsPerByte: number): void {
    this.#advance();
    this.#aheadMs += this.#taken.add(start, end) * playMsPerByte;
  }

  /** Whether something that was taken is still being watched. */
  get running(): boolean {
    this.#advance();
    return this.#aheadMs > 0;
  }

  get unreportedMs(): number {
    this.#advance();
    return Math.floor(this.#watchedMs);
  }

  /** Gives what was not reported yet, once. */
  report(): number {
    const wholeMs = this.unreportedMs;
    this.#watchedMs -= wholeMs;
    return wholeMs;
  }

  #advance(): void {
    const nowMs = this.#nowMs();
    const passedMs = Math.min(this.#aheadMs, Math.max(0, nowMs - this.#atMs));
    this.#atMs = nowMs;
    this.#aheadMs -= passedMs;
    this.#watchedMs += passedMs;
  }
}

interface Range {
  readonly start: number;
  /** Not part of it. */
  readonly end: number;
}

class ByteRanges {
  /** No two of them touch. */
  #ranges: Range[] = [];

  /** The answer is how many of these bytes were not there before. */
  add(start: number, end: number): number {
    const touches = (range: Range) => range.end >= start && range.start <= end;
    const touched = this.#ranges.filter(touches);
    const merged = {
      start: Math.min(start, ...touched.map((range) => range.start)),
      end: Math.max(end, ...touched.map((range) => range.end)),
    };
    this.#ranges = [...this.#ranges.filter((range) => !touches(range)), merged];
    return touched.reduce((bytes, range) => bytes - (range.end - range.start), merged.end - merged.start);
  }
}
