/** How fast a content comes and goes, and what it cost, since a player's session began. */

/** What a transfer counts up; it begins anew with each `Transfer` object. */
export interface Progress {
  readonly receivedBytes: number;
  readonly paidUnits: number;
}

export interface SessionFigures {
  readonly downBytes: number;
  readonly upBytes: number;
  readonly paidUnits: number;
  readonly downBytesPerSecond: number;
  readonly upBytesPerSecond: number;
}

interface Sample {
  readonly atMs: number;
  readonly downBytes: number;
  readonly upBytes: number;
}

/** Speeds are means over this time. */
const WINDOW_MS = 5_000;
const SAMPLE_EVERY_MS = 250;

export class SessionMeter {
  readonly #nowMs: () => number;
  readonly #firstUpBytes: number;
  #samples: Sample[];
  #progress: Progress;
  /** Of `#source`, when it was taken up. */
  #base: Progress;
  /** Of the sources before. */
  #carried: Progress = { receivedBytes: 0, paidUnits: 0 };

  constructor(progress: Progress, upBytes: number, nowMs: () => number) {
    this.#nowMs = nowMs;
    this.#progress = progress;
    this.#base = { receivedBytes: progress.receivedBytes, paidUnits: progress.paidUnits };
    this.#firstUpBytes = upBytes;
    this.#samples = [{ atMs: nowMs(), downBytes: 0, upBytes: 0 }];
  }

  /** Looks at the counters: often while a player reads, and whenever figures are asked for. `upBytes` only when due. */
  sample(progress: Progress, upBytes: () => number): void {
    this.#follow(progress);
    const atMs = this.#nowMs();
    const last = this.#samples.at(-1);
    if (last && atMs - last.atMs < SAMPLE_EVERY_MS) return;
    const { receivedBytes: downBytes } = this.#total();
    this.#samples.push({ atMs, downBytes, upBytes: upBytes() - this.#firstUpBytes });
    // One sample from before the window stays: the speed is counted from it on.
    while (this.#samples.length > 2 && (this.#samples[1]?.atMs ?? atMs) <= atMs - WINDOW_MS)
      this.#samples.shift();
  }

  figures(progress: Progress, upBytes: number): SessionFigures {
    this.sample(progress, () => upBytes);
    const first = this.#samples[0] as Sample;
    const { receivedBytes: downBytes, paidUnits } = this.#total();
    const sentBytes = upBytes - this.#firstUpBytes;
    const elapsedMs = Math.max(SAMPLE_EVERY_MS, this.#nowMs() - first.atMs);
    const rate = (bytes: number) => Math.round((Math.max(0, bytes) * 1_000) / elapsedMs);
    return {
      downBytes,
      upBytes: sentBytes,
      paidUnits,
      downBytesPerSecond: rate(downBytes - first.downBytes),
      upBytesPerSecond: rate(sentBytes - first.upBytes),
    };
  }

  /** A transfer that was stopped and begun again counts from 0; what the one before had stays counted. */
  #follow(progress: Progress): void {
    if (progress === this.#progress) return;
    this.#carried = this.#total();
    this.#progress = progress;
    this.#base = { receivedBytes: 0, paidUnits: 0 };
  }

  #total(): Progress {
    return {
      receivedBytes: this.#carried.receivedBytes + this.#progress.receivedBytes - this.#base.receivedBytes,
      paidUnits: this.#carried.paidUnits + this.#progress.paidUnits - this.#base.paidUnits,
    };
  }
}
