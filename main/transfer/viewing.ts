/**
 * How long a content has been watched. Players read ahead, minutes within a second, and send nothing afterwards: what
 * they have taken is watched as time passes, and no longer than it plays. Bytes that are read again, as after a jump
 * back, add nothing, so a content is never watched for longer than it lasts.
 *
 * Each stretch is watched once, in the order in which it was taken, and its time goes to the ledger of the provider
 * that brought it: only that provider's channel reports it.
 */
import type { WatchTime } from '../channel/payer.ts';

/** What one provider brought and was watched: its channel's checkpoints report it, whichever contents it was of. */
export class WatchLedger implements WatchTime {
  /** Watched, and not reported by a checkpoint yet. */
  #watchedMs = 0;
  /** Where something of this provider is still to be watched. */
  readonly #viewings = new Set<Viewing>();

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

  /** Whether something of this provider is being watched, or will be. */
  get running(): boolean {
    this.#advance();
    return this.#viewings.size > 0;
  }

  /** For `Viewing` alone. */
  add(ms: number): void {
    this.#watchedMs += ms;
  }

  /** For `Viewing` alone. */
  link(viewing: Viewing, linked: boolean): void {
    if (linked) this.#viewings.add(viewing);
    else this.#viewings.delete(viewing);
  }

  #advance(): void {
    for (const viewing of [...this.#viewings]) viewing.advance();
  }
}

/** Play that was taken and cannot have been watched yet. */
interface Ahead {
  /** `null`: it was on the disk before, and nobody reports it. */
  readonly ledger: WatchLedger | null;
  ms: number;
}

/** Of one content. */
export class Viewing {
  readonly #nowMs: () => number;
  readonly #taken = new ByteRanges();
  readonly #ahead: Ahead[] = [];
  /** Up to when it is worked out. */
  #atMs: number;

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
    this.#atMs = nowMs();
  }

  /** A player has taken the bytes from `start` to before `end`, which `ledger`'s provider brought. */
  take(start: number, end: number, playMsPerByte: number, ledger: WatchLedger | null): void {
    this.advance();
    const ms = this.#taken.add(start, end) * playMsPerByte;
    if (ms <= 0) return;
    const last = this.#ahead.at(-1);
    if (last?.ledger === ledger) last.ms += ms;
    else this.#ahead.push({ ledger, ms });
    ledger?.link(this, true);
  }

  /** Whether something that was taken is still being watched. */
  get running(): boolean {
    this.advance();
    return this.#ahead.length > 0;
  }

  /** Whether something of this provider is still to be watched here. */
  awaits(ledger: WatchLedger): boolean {
    this.advance();
    return this.#ahead.some((ahead) => ahead.ledger === ledger);
  }

  /** Nobody watches any more: what is ahead is not watched. */
  end(): void {
    this.advance();
    for (const { ledger } of this.#ahead.splice(0)) ledger?.link(this, false);
  }

  advance(): void {
    const nowMs = this.#nowMs();
    let leftMs = Math.max(0, nowMs - this.#atMs);
    this.#atMs = nowMs;
    for (let first = this.#ahead[0]; first && leftMs > 0; first = this.#ahead[0]) {
      const passedMs = Math.min(first.ms, leftMs);
      first.ms -= passedMs;
      leftMs -= passedMs;
      first.ledger?.add(passedMs);
      if (first.ms > 0) return;
      this.#ahead.shift();
      const { ledger } = first;
      if (ledger && !this.#ahead.some((ahead) => ahead.ledger === ledger)) ledger.link(this, false);
    }
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
